/**
 * All clients of a listener: how many there may be, and how they are told that
 * it ends.
 *
 * @module
 */

import type { SessionPeer } from "./actions.ts";
import { isLoopback, plainIp } from "./addresses.ts";
import { Connection, type ConnectionContext } from "./connection.ts";
import { closedEvent } from "./events.ts";
import { type Opening, proxyOpening, tlsOpening } from "./opening.ts";
import type { ListenerSettings } from "./options.ts";
import type { Arrival } from "./ports.ts";
import { REPLIES } from "./replies.ts";

/** How many clients over the limit are told so at a time. */
const MAX_REFUSALS = 100;

/** All clients of a listener. */
export interface Clients {
  /** Serves one, or tells it that there are too many. */
  readonly admit: (arrival: Arrival) => void;
  /** Begins nothing new. */
  readonly stop: () => void;
  /** Ends everything. */
  readonly cut: () => void;
  /** Resolves once nobody is there. */
  readonly ended: () => Promise<void>;
}

/** Makes room for clients. */
export function newClients(
  settings: ListenerSettings,
  context: ConnectionContext,
): Clients {
  const served = new Map<Connection, Promise<void>>();
  const refused = new Map<Connection, Promise<void>>();
  return {
    admit(arrival) {
      const { conn } = arrival;
      const full = served.size >= settings.maxConnections;
      if (full && refused.size >= MAX_REFUSALS) return conn.close();
      const peer = peerOf(arrival, settings);
      const openings = openingsOf(arrival, settings, context);
      const connection = new Connection(conn, peer, context);
      if (!full) return track(served, connection, connection.run(openings));
      // A flood of clients is one line in the log, not one each.
      if (refused.size === 0) {
        context.report?.(closedEvent("too-many-connections", peer));
      }
      const reply = REPLIES.tooManyConnections;
      track(refused, connection, connection.refuse(reply, openings));
    },
    stop() {
      for (const connection of served.keys()) connection.stop();
    },
    cut() {
      for (const connection of served.keys()) connection.cut();
      for (const connection of refused.keys()) connection.cut();
    },
    async ended() {
      while (served.size + refused.size > 0) {
        await Promise.all([...served.values(), ...refused.values()]);
      }
    },
  };
}

function track(
  group: Map<Connection, Promise<void>>,
  connection: Connection,
  ended: Promise<void>,
): void {
  group.set(connection, ended.then(() => void group.delete(connection)));
}

/** What must be done before a client is greeted. */
function openingsOf(
  { conn, tls }: Arrival,
  settings: ListenerSettings,
  context: ConnectionContext,
): Opening[] {
  const openings: Opening[] = [];
  if (settings.proxies !== undefined) {
    openings.push(proxyOpening(
      settings.proxies,
      (destination) => plainTextAuth(destination, settings),
    ));
  }
  if (!tls) return openings;
  openings.push(
    tlsOpening(
      "handshake" in conn
        ? (wire) => conn.handshake().then(() => wire)
        : (wire) => context.encrypt(wire),
    ),
  );
  return openings;
}

function peerOf(
  { conn, tls }: Arrival,
  settings: ListenerSettings,
): SessionPeer {
  return {
    remoteIp: plainIp(conn.remoteAddr.hostname),
    tls,
    plainTextAuth: plainTextAuth(conn.localAddr.hostname, settings),
  };
}

/**
 * Whether AUTH may be used in plain text by who has connected to an address.
 * What stays on the machine needs no TLS; but who has set a certificate wants
 * it used.
 */
function plainTextAuth(
  local: string | undefined,
  { certificate, allowInsecureAuth }: ListenerSettings,
): boolean {
  return allowInsecureAuth ||
    (certificate === undefined && local !== undefined && isLoopback(local));
}
