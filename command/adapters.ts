/**
 * The doors that the command opens beside its listener.
 *
 * @module
 */

import type { AuthProvider } from "../auth/types.ts";
import { hostPort } from "../lib/addresses.ts";
import type { LogEntry } from "./log.ts";
import type { DoorPlace, DoorSettings } from "./settings.ts";
import type { DoorOptions, DoorServer } from "../adapters/auth_server.ts";
import { serveDovecotAuth } from "../adapters/dovecot/server.ts";
import type { DoorEvent } from "../adapters/events.ts";
import { doorEntry } from "./adapter_log.ts";
import { nginxAuthHandler } from "../adapters/nginx/handler.ts";
import { serveSaslauthd } from "../adapters/saslauthd/server.ts";

/** Something that is open and can be closed in good order. */
export interface OpenDoor {
  /** What the log says of it. */
  readonly where: string;
  /** Closes it; resolves at its end. */
  readonly shutdown: () => Promise<void>;
}

/**
 * Opens all doors that the settings name, or none.
 *
 * @param settings Which doors, and where.
 * @param provider Who decides, the same as for the listener.
 * @param log The log, the same as the listener's.
 * @throws {Error} What the system says when one can't be opened.
 */
export async function openDoors(
  settings: DoorSettings,
  provider: AuthProvider,
  log: (entry: LogEntry) => void,
): Promise<OpenDoor[]> {
  const doors: OpenDoor[] = [];
  const onEvent = (event: DoorEvent) => log(doorEntry(event));
  const at = (place: DoorPlace): DoorOptions => ({
    provider,
    onEvent,
    ...place,
    ...("path" in place ? settings.socket : {}),
  });
  try {
    const { dovecot, saslauthd, nginx } = settings;
    if (dovecot !== undefined) {
      doors.push(asDoor("Dovecot auth", await serveDovecotAuth(at(dovecot))));
    }
    if (saslauthd !== undefined) {
      doors.push(asDoor("saslauthd", await serveSaslauthd(at(saslauthd))));
    }
    if (nginx !== undefined) {
      doors.push(openNginx({ ...nginx, provider, onEvent }));
    }
    return doors;
  } catch (error) {
    await Promise.all(doors.map((door) => door.shutdown()));
    throw error;
  }
}

function asDoor(what: string, server: DoorServer): OpenDoor {
  const where = server.addrs.map((address) =>
    address.transport === "unix"
      ? address.path
      : hostPort(address.hostname, address.port)
  );
  return {
    where: `${where.join()} for ${what}`,
    shutdown: () => server.shutdown(),
  };
}

function openNginx(
  { provider, onEvent, hostname, port, upstream, secret }:
    & NonNullable<DoorSettings["nginx"]>
    & { provider: AuthProvider; onEvent: (event: DoorEvent) => void },
): OpenDoor {
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
