/**
 * What others are asked while a client waits: the provider about its login,
 * hooks and destination about its mail.
 *
 * @module
 */

import { askProvider } from "../auth/ask_provider.ts";
import { INTERRUPTED } from "../auth/reasons.ts";
import type { AuthRequest, AuthResult } from "../auth/types.ts";
import { writeAll } from "../net/conn.ts";
import type { ConnectionParts } from "./connection_context.ts";
import type { Deliver } from "./delivery.ts";
import { MailTransaction } from "./mail_transaction.ts";
import type { Envelope } from "./protocol/envelope.ts";
import type { Asking } from "./transport.ts";

/**
 * How long a provider may take, in milliseconds. Providers have limits of
 * their own; this one is for those that forgot.
 */
const PROVIDER_MS = 300_000;

/**
 * How long hooks and destination may take for one answer, in milliseconds: a
 * next hop has five minutes for its own (RFC 5321 section 4.5.3.2), and what
 * comes before them is another few.
 */
const STEP_MS = 600_000;

/**
 * How often to look whether a client is still there whose octets are not read
 * meanwhile, in milliseconds.
 */
const PROBE_MS = 1_000;

/**
 * How many turns of the microtask queue an answer has until it is waited for:
 * many need no waiting at all, and neither clock nor client must be watched
 * for them.
 */
const TURNS = 8;

/** A question that has no answer yet. Its signal is handed to who is asked. */
class OpenQuestion extends AbortController implements Asking {
  open = true;
}

/** The questions of one connection, one at a time. */
export class Questions {
  readonly #parts: ConnectionParts;
  /** The one that is open. */
  #asking: OpenQuestion | undefined;
  /** The transaction, where somebody is asked about it. */
  #transaction: MailTransaction | undefined;
  /** We have ended the question, and not the client. */
  #isAborted = false;

  /** @param parts The connection's. */
  constructor(parts: ConnectionParts) {
    this.#parts = parts;
  }

  /** Asks the provider. */
  async aboutLogin(request: AuthRequest): Promise<AuthResult> {
    const { context, log } = this.#parts;
    return await this.#wait(async (signal) => {
      const began = log.now;
      const result = await askProvider(context.provider, request, signal);
      log.asked(log.now - began);
      const isOurs = this.#isAborted && result.reason === "client-gone";
      return isOurs ? INTERRUPTED : result;
    }, PROVIDER_MS);
  }

  /** Asks hooks and destination about a sender, and tells the session. */
  async aboutSender(mail: Omit<Envelope, "recipients">): Promise<void> {
    const { context: { to }, transport, log } = this.#parts;
    if (typeof to === "function") return transport.session.senderAnswered();
    const { id } = log.peer;
    const transaction = new MailTransaction(to, { ...mail, id });
    this.#transaction = transaction;
    const { reply, error } = await this.#wait(
      (signal) => transaction.begin(signal),
      STEP_MS,
    );
    log.step("sender", error);
    transport.session.senderAnswered(reply);
  }

  /** Asks them about a recipient, and tells the session. */
  async aboutRecipient(mailbox: string): Promise<void> {
    const { transport, log } = this.#parts;
    const transaction = this.#transaction;
    if (transaction === undefined) {
      return transport.session.recipientAnswered();
    }
    const { reply, error } = await this.#wait(
      (signal) => transaction.recipient(mailbox, signal),
      STEP_MS,
    );
    log.step("recipient", error);
    transport.session.recipientAnswered(reply);
  }

  /** Who takes the message that comes. */
  get deliver(): Deliver {
    const { to } = this.#parts.context;
    if (typeof to === "function") return to;
    return (message) => {
      if (this.#transaction === undefined) throw new Error("nothing was begun");
      return this.#transaction.deliver(message);
    };
  }

  /** The transaction has ended, if there was one: without a message, or with. */
  abandonTransaction(): void {
    this.#transaction?.abandon();
  }

  /** Ends the question that is open. */
  abort(): void {
    this.#isAborted = true;
    this.#asking?.abort();
  }

  /**
   * Waits for an answer that somebody else gives, and watches meanwhile whether
   * the client is there: the signal is aborted when it has gone, and when the
   * time is up.
   */
  async #wait<T>(
    ask: (signal: AbortSignal) => Promise<T>,
    limitMs: number,
  ): Promise<T> {
    const asking = new OpenQuestion();
    this.#asking = asking;
    const answer = ask(asking.signal);
    const close = () => asking.open = false;
    answer.then(close, close);
    for (let turn = 0; turn < TURNS && asking.open; turn++) await null;
    if (asking.open) await this.#watch(asking, limitMs);
    const result = await answer;
    this.#asking = undefined;
    return result;
  }

  /** The client reads what there is to read, and is watched from then on. */
  async #watch(asking: OpenQuestion, limitMs: number): Promise<void> {
    const { transport, timer } = this.#parts;
    const { session } = transport;
    if (session.hasOutput) {
      timer.beginWrite(session.lacksLogin);
      await writeAll(transport.conn, session.takeOutput())
        .catch(() => asking.abort());
    }
    const lateAt = timer.now + limitMs;
    const look = () => {
      if (!asking.open) return;
      if (timer.now >= lateAt) {
        return asking.abort(new DOMException("Late", "TimeoutError"));
      }
      transport.probe(asking);
      timer.begin("question", PROBE_MS, look);
    };
    timer.begin("question", limitMs, look);
    // Once nothing more of it is read, a reset shows only to who writes.
    transport.watch(asking).then(() => {
      if (asking.open) timer.begin("question", PROBE_MS, look);
    });
  }
}
