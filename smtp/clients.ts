/**
 * All clients of a listener: how many there may be, and how they are told that
 * it ends.
 *
 * @module
 */

import { type Listed, LiveSet } from "../lib/live_set.ts";
import type { SessionPeer } from "./protocol/actions.ts";
import { isLoopback, plainIp } from "../lib/addresses.ts";
import { isInOneOf } from "../lib/ip.ts";
import { newConnectionId } from "../lib/connection_id.ts";
import { Connection } from "./connection.ts";
import type { ConnectionContext } from "./connection_context.ts";
import { type NetworkLimit, newNetworkLimit } from "./network_limit.ts";
import { peerEvent, turnedAwayEvent } from "./events.ts";
import { type PreambleStep, tlsStep } from "./preamble.ts";
import { type ProxyRules, proxyStep } from "./proxy_step.ts";
import type { ListenerSettings } from "./options.ts";
import type { Arrival } from "./ports.ts";
import * as endings from "./protocol/endings.ts";
import type { Ending } from "./protocol/endings.ts";

/** How many clients over the limit are told so at a time. */
const MAX_REFUSALS = 100;

/** A client, served or refused. */
class Client extends Connection implements Listed {
  index = -1;
  /** The address that it is counted by, once it is. */
  countedBy: string | undefined;
}

/** All clients of a listener. */
export class Clients {
  readonly #settings: ListenerSettings;
  readonly #context: ConnectionContext;
  readonly #served: LiveSet<Client> = new LiveSet();
  readonly #refused: LiveSet<Client> = new LiveSet();
  readonly #networks: NetworkLimit;
  /** How the listener stops, once it does. */
  #stopping: "drain" | "abort" | undefined;
  /** Called whenever nobody is left. */
  #onEmpty: () => void = () => {};
  /** One function for all of them. */
  readonly #leave = (client: Client): void => {
    const { countedBy } = client;
    this.#served.delete(client);
    this.#refused.delete(client);
    if (countedBy !== undefined) this.#networks.leave(countedBy);
    if (this.#count === 0) this.#onEmpty();
  };

  /**
   * @param settings The listener's.
   * @param context What is the same for all connections.
   */
  constructor(settings: ListenerSettings, context: ConnectionContext) {
    this.#settings = settings;
    this.#context = context;
    this.#networks = newNetworkLimit(settings.maxConnectionsPerNetwork);
  }

  /** Serves a client, or tells it that there are too many. */
  admit(arrival: Arrival): void {
    const { maxConnections, proxies } = this.#settings;
    const peer = peerOf(arrival, this.#settings);
    if (this.#served.size >= maxConnections) {
      this.#refuse(arrival, peer, endings.tooManyConnections);
    } else if (proxies === undefined) this.#serve(arrival, peer);
    else this.#serveProxied(arrival, peer);
  }

  /** Begins nothing new. */
  drain(): void {
    this.#stop("drain");
  }

  /** Ends everything. */
  abort(): void {
    this.#stop("abort");
  }

  #stop(how: "drain" | "abort"): void {
    this.#stopping = how;
    for (const client of this.#served) client[how]();
    for (const client of this.#refused) client[how]();
  }

  /** Resolves once nobody is there. */
  async ended(): Promise<void> {
    if (this.#count === 0) return;
    await new Promise<void>((resolve) => this.#onEmpty = resolve);
  }

  get #count(): number {
    return this.#served.size + this.#refused.size;
  }

  get #isFloodOfRefusals(): boolean {
    return this.#refused.size >= MAX_REFUSALS;
  }

  /** Counts a client in before anything else: a TLS handshake can take long. */
  #serve(arrival: Arrival, peer: SessionPeer): void {
    if (!this.#networks.enter(peer.remoteIp)) {
      return this.#refuse(arrival, peer, endings.tooManyFromNetwork);
    }
    const client = this.#open(arrival, peer);
    client.countedBy = peer.remoteIp;
    this.#run(client, this.#steps(arrival));
  }

  /** Does so as soon as the proxy has said who the client is. */
  #serveProxied(arrival: Arrival, peer: SessionPeer): void {
    const client = this.#open(arrival, peer);
    const admit = (known: SessionPeer) => {
      if (!this.#networks.enter(known.remoteIp)) {
        return this.#turnAway(client, known);
      }
      client.countedBy = known.remoteIp;
      return "serve";
    };
    this.#run(client, this.#steps(arrival, admit));
  }

  #open(arrival: Arrival, peer: SessionPeer): Client {
    this.#context.report?.(peerEvent("opened", peer));
    const client = new Client(arrival.conn, peer, this.#context);
    this.#served.add(client);
    return client;
  }

  #run(
    client: Client,
    steps: readonly PreambleStep[],
    refusal?: Ending,
  ): void {
    client.run(steps, refusal).then(this.#leave);
    // It was on its way in when the listener stopped: nobody would tell it later.
    if (this.#stopping !== undefined) client[this.#stopping]();
  }

  #refuse(arrival: Arrival, peer: SessionPeer, ending: Ending): void {
    this.#reportRefusal(peer);
    if (this.#isFloodOfRefusals) return arrival.conn.close();
    const client = new Client(arrival.conn, peer, this.#context);
    this.#refused.add(client);
    this.#run(client, this.#steps(arrival), ending);
  }

  /** What to do with a client that has turned out to be one too many. */
  #turnAway(client: Client, peer: SessionPeer): "close" | Ending {
    this.#reportRefusal(peer);
    if (this.#isFloodOfRefusals) return "close";
    this.#served.delete(client);
    this.#refused.add(client);
    return endings.tooManyFromNetwork;
  }

  /** A flood of clients is one line in a log, not one each. */
  #reportRefusal(peer: SessionPeer): void {
    this.#context.report?.(turnedAwayEvent(peer, this.#refused.size > 0));
  }

  #steps(
    arrival: Arrival,
    admit?: ProxyRules["admit"],
  ): readonly PreambleStep[] {
    return stepsOf(arrival, this.#settings, this.#context, admit);
  }
}

const NO_STEPS: readonly PreambleStep[] = [];

/**
 * What must be done before a client is greeted.
 *
 * @param admit Told who is behind a proxy, and says whether to serve it.
 */
function stepsOf(
  arrival: Arrival,
  settings: ListenerSettings,
  context: ConnectionContext,
  admit: ProxyRules["admit"] = () => "serve",
): readonly PreambleStep[] {
  const { tls } = arrival;
  if (!tls && settings.proxies === undefined) return NO_STEPS;
  const steps: PreambleStep[] = [];
  if (settings.proxies !== undefined) {
    steps.push(
      proxyStep(settings.proxies, {
        plainTextAuth: (destination) => plainTextAuth(destination, settings),
        isTrusted: (ip) => isInOneOf(ip, settings.trusted),
        admit,
      }),
    );
  }
  if (!tls) return steps;
  steps.push(
    tlsStep((conn) => context.encrypt(conn), settings.idleTimeoutMs),
  );
  return steps;
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
