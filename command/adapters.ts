/**
 * The adapters that the command opens beside its listener.
 *
 * @module
 */

import type { AuthServerOptions } from "../adapters/auth_server.ts";
import type {
  AuthServer,
  SocketServerOptions,
} from "../adapters/socket_server.ts";
import type { ServerEvent } from "../auth/events.ts";
import type { Store } from "../auth/state/store.ts";
import type { AuthProvider } from "../auth/types.ts";
import { hostPort } from "../lib/addresses.ts";
import { systemReason } from "../lib/error_text.ts";
import { offerOf } from "./mechanisms.ts";
import { present } from "./present.ts";
import { sendingLimits } from "./sending_limits.ts";
import type { SocketAddress } from "../net/address.ts";
import type { Settings } from "./settings.ts";

/** Something that is open and can be closed in good order. */
export interface OpenAdapter {
  /** What the log says of it. */
  readonly where: string;
  /** Takes a new secret. Absent where it has none. */
  readonly reload?: (settings: Settings) => void;
  /** Closes it; resolves at its end. */
  readonly shutdown: () => Promise<void>;
}

/** Opens one kind of adapter; absent where the settings have none of it. */
type Open = (context: Context) => Promise<OpenAdapter> | undefined;

interface Context {
  readonly settings: Settings;
  readonly provider: AuthProvider;
  readonly store: Store;
  readonly onEvent: (event: ServerEvent) => void;
}

const KINDS: readonly Open[] = [
  openDovecot,
  openSaslauthd,
  openPolicy,
  openNginx,
];

/** Who decides about logins, what is remembered, and who is told. */
export interface AroundAdapters {
  /** The same as for the listener. */
  readonly provider: AuthProvider;
  /** Where it is remembered what logins have said, and what users send. */
  readonly store: Store;
  /** Told what a log would want to know, like the listener's. */
  readonly onEvent: (event: ServerEvent) => void;
}

/**
 * Opens all adapters that the settings name, or none.
 *
 * @param settings Which adapters, and where.
 * @param around Whom they work for.
 * @throws {Error} When one can't be opened: which, where, and what the system
 * says.
 */
export async function openAdapters(
  settings: Settings,
  { provider, store, onEvent }: AroundAdapters,
): Promise<OpenAdapter[]> {
  const adapters: OpenAdapter[] = [];
  try {
    for (const open of KINDS) {
      const adapter = await open({ settings, provider, store, onEvent });
      if (adapter !== undefined) adapters.push(adapter);
    }
    return adapters;
  } catch (error) {
    await Promise.all(adapters.map((adapter) => adapter.shutdown()));
    throw error;
  }
}

function openDovecot(context: Context): Promise<OpenAdapter> | undefined {
  const at = context.settings.dovecotSocket;
  return at && opened("--dovecot-socket", at, async () => {
    const { serveDovecotAuth } = await import("../adapters/dovecot/server.ts");
    const mechanisms = offerOf(context.settings);
    const options = { ...optionsFor(at, context), mechanisms };
    const server = await serveDovecotAuth(options);
    return asAdapter("Dovecot auth", server);
  });
}

function openSaslauthd(context: Context): Promise<OpenAdapter> | undefined {
  const at = context.settings.saslauthdSocket;
  return at && opened("--saslauthd-socket", at, async () => {
    const { serveSaslauthd } = await import("../adapters/saslauthd/server.ts");
    const server = await serveSaslauthd(optionsFor(at, context));
    return asAdapter("saslauthd", server);
  });
}

function openPolicy(context: Context): Promise<OpenAdapter> | undefined {
  const { settings, store } = context;
  const at = settings.policySocket;
  return at && opened("--policy-socket", at, async () => {
    const { servePostfixPolicy } = await import("../adapters/policy/server.ts");
    const server = await servePostfixPolicy({
      ...socketOptions(at, context),
      store,
      ...sendingLimits(settings),
    });
    return asAdapter("Postfix policy", server);
  });
}

function openNginx(
  { settings, provider, onEvent }: Context,
): Promise<OpenAdapter> | undefined {
  const { nginxPort: port, nginxUpstream: upstream } = settings;
  if (port === undefined || upstream === undefined) return undefined;
  const at = { hostname: "127.0.0.1", port };
  return opened("--nginx-port", at, async () => {
    const [{ newNginxAnswers }, { serveNginxAuth }] = await Promise.all([
      import("../adapters/nginx/handler.ts"),
      import("../adapters/nginx/server.ts"),
    ]);
    const newAnswers = ({ nginxSecret }: Settings) =>
      newNginxAnswers(provider, {
        upstream,
        onEvent,
        ...present({ secret: nginxSecret }),
      });
    let answers = newAnswers(settings);
    const server = await serveNginxAuth(
      (request, id) => answers(request, id),
      { ...at, onEvent },
    );
    return {
      ...asAdapter("nginx", server),
      reload: (settings) => answers = newAnswers(settings),
    };
  });
}

function optionsFor(at: SocketAddress, context: Context): AuthServerOptions {
  return { provider: context.provider, ...socketOptions(at, context) };
}

function socketOptions(
  at: SocketAddress,
  { settings, onEvent }: Context,
): SocketServerOptions {
  const { socketMode: mode, socketGroup: group } = settings;
  const permissions = "path" in at ? present({ mode, group }) : {};
  return { onEvent, ...at, ...permissions };
}

/** Opens one adapter, or says which could not be opened, where and why. */
async function opened(
  flag: string,
  at: SocketAddress,
  open: () => Promise<OpenAdapter>,
): Promise<OpenAdapter> {
  try {
    return await open();
  } catch (cause) {
    const what = `${flag} ${nameOf(at)}`;
    throw new Error(`cannot open ${what}: ${systemReason(cause)}`, { cause });
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
