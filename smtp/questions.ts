/**
 * What others are asked while a client waits: the provider about its login,
 * hooks and destination about its mail.
 *
 * @module
 */

import { askProvider } from "../auth/ask_provider.ts";
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

/** The questions of one connection, one at a time. */
export class Questions {
  readonly #parts: ConnectionParts;
  /** The one that is open. */
  #asking: Asking | undefined;
  /** The transaction, where somebody is asked about it. */
  #transaction: MailTransaction | undefined;

  /** @param parts The connection's. */
  constructor(parts: ConnectionParts) {
    this.#parts = parts;
  }

  /** Asks the provider. */
  async aboutLogin(request: AuthRequest): Promise<AuthResult> {
    const { context, log } = this.#parts;
    const began = performance.now();
    const result = await this.#wait(
      (signal) =>
        askProvider(context.provider, request, signal)
          .finally(() => log.asked(performance.now() - began)),
      PROVIDER_MS,
    );
    return result;
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
    const { transport, timer } = this.#parts;
    const { session } = transport;
    const abort = new AbortController();
    const answer = ask(abort.signal);
    const asking: Asking = {
      open: true,
      abort: (reason) => abort.abort(reason),
    };
    this.#asking = asking;
    if (session.hasOutput) {
      timer.beginWrite(session.lacksLogin);
      await writeAll(transport.conn, session.takeOutput()).catch(asking.abort);
    }
    timer.begin("question", limitMs, () => {
      if (asking.open) asking.abort(new DOMException("Late", "TimeoutError"));
    });
    transport.watch(asking);
    const result = await answer;
    asking.open = false;
    this.#asking = undefined;
    return result;
  }
}
