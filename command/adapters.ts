/**
 * The adapters that the command opens beside its listener.
 *
 * @module
 */

import type { AuthProvider } from "../auth/types.ts";
import { hostPort } from "../lib/addresses.ts";
import type { LogEntry } from "./log.ts";
import type { AdapterSettings, SocketAddress } from "./settings.ts";
import type { AuthServer, AuthServerOptions } from "../adapters/auth_server.ts";
import { serveDovecotAuth } from "../adapters/dovecot/server.ts";
import type { AdapterEvent } from "../adapters/events.ts";
import { adapterEntry } from "./adapter_log.ts";
import { nginxAuthHandler } from "../adapters/nginx/handler.ts";
import { serveSaslauthd } from "../adapters/saslauthd/server.ts";

/** Something that is open and can be closed in good order. */
export interface OpenAdapter {
  /** What the log says of it. */
  readonly where: string;
  /** Closes it; resolves at its end. */
  readonly shutdown: () => Promise<void>;
}

/**
 * Opens all adapters that the settings name, or none.
 *
 * @param settings Which adapters, and where.
 * @param provider Who decides, the same as for the listener.
 * @param log The log, the same as the listener's.
 * @throws {Error} When one can't be opened: which, where, and what the system
 * says.
 */
export async function openAdapters(
  settings: AdapterSettings,
  provider: AuthProvider,
  log: (entry: LogEntry) => void,
): Promise<OpenAdapter[]> {
  const adapters: OpenAdapter[] = [];
  const onEvent = (event: AdapterEvent) => log(adapterEntry(event));
  const at = (place: SocketAddress): AuthServerOptions => ({
    provider,
    onEvent,
    ...place,
    ...("path" in place ? settings.socket : {}),
  });
  try {
    const { dovecot, saslauthd, nginx } = settings;
    if (dovecot !== undefined) {
      const what = `--dovecot-socket ${nameOf(dovecot)}`;
      const server = await opened(what, () => serveDovecotAuth(at(dovecot)));
      adapters.push(asAdapter("Dovecot auth", server));
    }
    if (saslauthd !== undefined) {
      const what = `--saslauthd-socket ${nameOf(saslauthd)}`;
      const server = await opened(what, () => serveSaslauthd(at(saslauthd)));
      adapters.push(asAdapter("saslauthd", server));
    }
    if (nginx !== undefined) {
      const what = `--nginx-port ${nameOf(nginx)}`;
      const settings = { ...nginx, provider, onEvent };
      adapters.push(await opened(what, () => openNginx(settings)));
    }
    return adapters;
  } catch (error) {
    await Promise.all(adapters.map((adapter) => adapter.shutdown()));
    throw error;
  }
}

/** Opens one adapter, or says which could not be opened, where and why. */
async function opened<T>(
  what: string,
  open: () => T | Promise<T>,
): Promise<T> {
  try {
    return await open();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`cannot open ${what}: ${why}`, { cause });
  }
}

/** A socket as it is written after its flag. */
function nameOf(socket: SocketAddress): string {
  return "path" in socket
    ? socket.path
    : hostPort(socket.hostname, socket.port);
}

function asAdapter(what: string, server: AuthServer): OpenAdapter {
  return {
    where: `${server.addrs.map(nameOf).join()} for ${what}`,
    shutdown: () => server.shutdown(),
  };
}

function openNginx(
  { provider, onEvent, hostname, port, upstream, secret }:
    & NonNullable<AdapterSettings["nginx"]>
    & { provider: AuthProvider; onEvent: (event: AdapterEvent) => void },
): OpenAdapter {
  const handler = nginxAuthHandler(provider, {
    upstream,
    ...(secret === undefined ? {} : { secret }),
    onEvent,
  });
  const server = Deno.serve({ hostname, port, onListen: () => {} }, handler);
  return {
    where: `${hostPort(hostname, server.addr.port)} for nginx`,
    shutdown: () => server.shutdown(),
  };
}
