/**
 * All clients of a listener: how many there may be, and how they are told that
 * it ends.
 *
 * @module
 */

import { type Listed, Roster } from "../lib/live_set.ts";
import type { SessionPeer } from "./protocol/actions.ts";
import { isLoopback, plainIp } from "../lib/addresses.ts";
import { isInOneOf } from "../lib/ip.ts";
import { newConnectionId } from "../lib/connection_id.ts";
import { Connection } from "./connection.ts";
import type { ConnectionContext } from "./connection_context.ts";
import { newNetworkLimit } from "./network_limit.ts";
import { peerEvent, turnedAwayEvent } from "./events.ts";
import { type Opening, tlsOpening } from "./preamble.ts";
import { proxyOpening, type ProxyRules } from "./proxied.ts";
import type { ListenerSettings } from "./options.ts";
import type { Arrival } from "./ports.ts";
import { type Ending, ENDINGS } from "./protocol/endings.ts";

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

/** A client, served or refused. */
interface Client extends Listed {
  readonly connection: Connection;
  readonly ended: Promise<void>;
}

/** Makes room for clients. */
export function newClients(
  settings: ListenerSettings,
  context: ConnectionContext,
): Clients {
  const served = new Roster<Client>();
  const refused = new Roster<Client>();
  const networks = newNetworkLimit(settings.maxConnectionsPerNetwork);

  function isFloodOfRefusals(): boolean {
    return refused.size >= MAX_REFUSALS;
  }

  function refuse(arrival: Arrival, peer: SessionPeer, ending: Ending): void {
    reportRefusal(peer);
    if (isFloodOfRefusals()) return arrival.conn.close();
    const connection = new Connection(arrival.conn, peer, context);
    const ended = connection
      .run(openingsOf(arrival, settings, context), ending)
      .then(() => void refused.delete(client));
    const client = { connection, ended, place: -1 };
    refused.add(client);
  }

  /** A flood of clients is one line in a log, not one each. */
  function reportRefusal(peer: SessionPeer): void {
    context.report?.(turnedAwayEvent(peer, refused.size > 0));
  }

  /** Counts a client in before anything else: a TLS handshake can take long. */
  function serve(arrival: Arrival, peer: SessionPeer): void {
    const { remoteIp } = peer;
    if (!networks.enter(remoteIp)) {
      return refuse(arrival, peer, ENDINGS.tooManyFromNetwork);
    }
    context.report?.(peerEvent("opened", peer));
    const connection = new Connection(arrival.conn, peer, context);
    const ended = connection
      .run(openingsOf(arrival, settings, context))
      .then(() => {
        served.delete(client);
        networks.leave(remoteIp);
      });
    const client = { connection, ended, place: -1 };
    served.add(client);
  }

  /** Does so as soon as the proxy has said who the client is. */
  function serveProxied(arrival: Arrival, peer: SessionPeer): void {
    context.report?.(peerEvent("opened", peer));
    const connection = new Connection(arrival.conn, peer, context);
    let entered: string | undefined;
    const admit = (known: SessionPeer) => {
      if (networks.enter(known.remoteIp)) {
        entered = known.remoteIp;
        return "serve";
      }
      return turnAway(client, known);
    };
    const ended = connection
      .run(openingsOf(arrival, settings, context, admit))
      .then(() => {
        served.delete(client);
        refused.delete(client);
        if (entered !== undefined) networks.leave(entered);
      });
    const client: Client = { connection, ended, place: -1 };
    served.add(client);
  }

  /** What to do with a client that has turned out to be one too many. */
  function turnAway(client: Client, peer: SessionPeer): "close" | Ending {
    reportRefusal(peer);
    if (isFloodOfRefusals()) return "close";
    served.delete(client);
    refused.add(client);
    return ENDINGS.tooManyFromNetwork;
  }

  return {
    admit(arrival) {
      const peer = peerOf(arrival, settings);
      if (served.size >= settings.maxConnections) {
        refuse(arrival, peer, ENDINGS.tooManyConnections);
      } else if (settings.proxies === undefined) serve(arrival, peer);
      else serveProxied(arrival, peer);
    },
    stop() {
      for (const { connection } of served) connection.drain();
    },
    cut() {
      for (const { connection } of served) connection.abort();
      for (const { connection } of refused) connection.abort();
    },
    async ended() {
      while (served.size + refused.size > 0) {
        await Promise.all([...served, ...refused].map(({ ended }) => ended));
      }
    },
  };
}

const NO_OPENINGS: readonly Opening[] = [];

/**
 * What must be done before a client is greeted.
 *
 * @param admit Told who is behind a proxy, and says whether to serve it.
 */
function openingsOf(
  arrival: Arrival,
  settings: ListenerSettings,
  context: ConnectionContext,
  admit: ProxyRules["admit"] = () => "serve",
): readonly Opening[] {
  const { tls } = arrival;
  if (!tls && settings.proxies === undefined) return NO_OPENINGS;
  const openings: Opening[] = [];
  if (settings.proxies !== undefined) {
    openings.push(
      proxyOpening(settings.proxies, {
        plainTextAuth: (destination) => plainTextAuth(destination, settings),
        isTrusted: (ip) => isInOneOf(ip, settings.trusted),
        admit,
      }),
    );
  }
  if (!tls) return openings;
  openings.push(
    tlsOpening((wire) => context.encrypt(wire), settings.idleTimeoutMs),
  );
  return openings;
}

function peerOf(
  { conn, tls }: Arrival,
  settings: ListenerSettings,
): SessionPeer {
  const remoteIp = plainIp(conn.remoteAddr.hostname);
  return {
    id: newConnectionId(),
    remoteIp,
    tls,
    trusted: isInOneOf(remoteIp, settings.trusted),
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
