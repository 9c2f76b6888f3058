/**
 * A relay in real time, without a queue: a client is told that its message is
 * accepted only after the next hop has said so.
 *
 * @module
 */

import { hostPort } from "../../lib/addresses.ts";
import { newDeadlines } from "../../net/deadlines.ts";
import type { Destination, Mail, Transfer } from "../../smtp/destination.ts";
import type { SmtpReply } from "../../smtp/protocol/replies.ts";
import { TcpDialler } from "./dialler.ts";
import { mailRefusal } from "./extensions.ts";
import { FAILURE_REPLIES, handedOn, RelayError } from "./failures.ts";
import {
  checkedRelayOptions,
  type RelayOptions,
  type RelaySettings,
} from "./options.ts";
import { UpstreamPool } from "./pool.ts";
import { TokenSource } from "./token.ts";
import { RelayTransfer } from "./transfer.ts";
import type { Upstream, UpstreamContext } from "./upstream.ts";

/** How often to look whether a time limit is over, in milliseconds. */
const TICK_MS = 1_000;

/**
 * A {@linkcode Destination} that hands mail on to the next hop.
 *
 * @category A whole listener
 */
export interface Relay extends Destination {
  /**
   * Finds out whether the next hop can be reached and takes our login, without
   * any mail.
   *
   * @param signal Gives up when aborted.
   * @throws {Error} If not; its message says why.
   */
  readonly check: (signal?: AbortSignal) => Promise<void>;
  /** Closes idle connections; from then on none is kept for another message. */
  readonly close: () => void;
}

/**
 * Makes a relay. It opens its first connection with the first message.
 *
 * What the next hop answers to MAIL, to each RCPT and to the message is what
 * the client reads, its text cleaned. What is not the message's fault is
 * temporary: a next hop out of reach or without good TLS is `451 4.4.1`, one
 * that does not take our credentials `451 4.7.0`, one that does not answer
 * within the times of RFC 5321 section 4.5.3.2 `451 4.4.2`. If the reply to a
 * whole message is lost, the client sends it again: a duplicate is better than
 * a loss.
 *
 * @param options The next hop, and who we are there.
 * @returns What takes mail; hand it to `serveSmtp`.
 * @throws {TypeError} If options do not fit together, or the URL is not that of a
 * next hop.
 * @throws {RangeError} If a number is out of its range.
 *
 * @example A login in front of a smarthost
 * ```ts
 * import { newRelay, newStaticAuthProvider, serveSmtp } from "@meowmail/smtpauth";
 *
 * const relay = newRelay({
 *   url: "starttls://smtp.example.com",
 *   username: "relay@example.com",
 *   password: "secret",
 * });
 * const provider = newStaticAuthProvider({ printer: "toner" });
 * const server = serveSmtp({ port: 0, provider }, relay);
 * await server.shutdown();
 * relay.close();
 * ```
 * @category A whole listener
 */
export function newRelay(options: RelayOptions): Relay {
  const settings = checkedRelayOptions(options);
  return newRelayIn(settings, {
    dialler: new TcpDialler(settings.hop, settings.ca),
    deadlines: newDeadlines(TICK_MS),
  });
}

/** Makes a relay in surroundings of the caller's. */
export function newRelayIn(
  settings: RelaySettings,
  around: Pick<UpstreamContext, "dialler" | "deadlines">,
): Relay {
  const tokens = settings.token && new TokenSource(settings.token);
  const context = newContext(settings, tokens, around);
  const pool = new UpstreamPool(context, settings.maxConnections);
  const hop = hostPort(settings.hop.hostname, settings.hop.port);

  /** Tells the log what has gone wrong, once, and the client its reply. */
  function newFailed({ id }: Mail): (error: unknown) => SmtpReply {
    let told: unknown;
    return (error) => {
      if (!(error instanceof RelayError)) throw error;
      const { reason, detail } = error;
      if (error !== told) {
        told = error;
        settings.report({ kind: "relay", reason, detail, hop, id });
        if (reason === "relay-credentials") tokens?.refused();
      }
      return FAILURE_REPLIES[reason];
    };
  }

  async function begin(
    mail: Mail,
    signal: AbortSignal,
  ): Promise<Transfer | SmtpReply> {
    const failed = newFailed(mail);
    try {
      const { upstream, reply } = await beginAtNextHop(pool, mail, signal);
      if (upstream === undefined) return reply;
      const { serverName } = settings;
      const { id } = mail;
      const give = (each: Upstream) => pool.give(each);
      const around = { serverName, id, give, failed };
      return new RelayTransfer(upstream, reply, around);
    } catch (error) {
      // Giving up for a client that has gone is no failure.
      return signal.aborted ? FAILURE_REPLIES["relay-closed"] : failed(error);
    }
  }

  return {
    begin,
    check: async (signal = new AbortController().signal) => {
      const { upstream } = await pool.take(signal);
      pool.give(upstream);
    },
    close: () => pool.close(),
  };
}

/** What MAIL has led to: the next hop's reply, and where it is a yes, from whom. */
interface BegunAtNextHop {
  readonly upstream?: Upstream;
  readonly reply: SmtpReply;
}

/** Says MAIL on a connection that was used before, or on a new one. */
async function beginAtNextHop(
  pool: UpstreamPool,
  mail: Mail,
  signal: AbortSignal,
): Promise<BegunAtNextHop> {
  for (;;) {
    const { upstream, isUsed } = await pool.take(signal);
    // The next hop may hang, and others wait for the place.
    const giveUp = () => upstream.close();
    signal.addEventListener("abort", giveUp);
    try {
      const reply = mailRefusal(mail, upstream.extensions) ??
        await upstream.mail(mail, isUsed);
      if (reply.code < 400) return { upstream, reply };
      pool.give(upstream);
      return { reply: handedOn(reply) };
    } catch (error) {
      pool.give(upstream);
      // One that was used before may have died meanwhile, and others with it.
      if (!isUsed || signal.aborted) throw error;
      pool.clear();
    } finally {
      signal.removeEventListener("abort", giveUp);
    }
  }
}

function newContext(
  { hop, login, serverName }: RelaySettings,
  tokens: TokenSource | undefined,
  around: Pick<UpstreamContext, "dialler" | "deadlines">,
): UpstreamContext {
  return {
    ...around,
    rules: () => ({
      serverName,
      tlsRequired: hop.security === "starttls",
      login: login(),
    }),
    implicitTls: hop.security === "tls",
    token: async () => await tokens?.get() ?? "",
  };
}
