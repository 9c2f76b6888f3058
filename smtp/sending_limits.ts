/**
 * How much each user may send, whatever takes the mail.
 *
 * @module
 */

import type { SmtpReply } from "../auth/replies.ts";
import type { LimitReachedEvent } from "../auth/events.ts";
import { type Charge, Quota } from "../auth/rights/quota.ts";
import { metersOf } from "../auth/rights/sending_limits.ts";
import { newMemoryStore } from "../auth/state/memory_store.ts";
import {
  MAX_STORE_TIMEOUT_MS,
  type Store,
  STORE_TIMEOUT_MS,
} from "../auth/state/store.ts";
import type { SendingLimits } from "../auth/types.ts";
import { harmless } from "../lib/hook.ts";
import {
  aFunction,
  anObject,
  checkOptions,
  checkValue,
  integer,
  limitMs,
  type Rules,
} from "../lib/options.ts";
import { type Deliver, isReply } from "./delivery.ts";
import {
  aDestination,
  type Destination,
  isTransfer,
  type Mail,
  type Transfer,
} from "./destination.ts";
import type { Envelope, SmtpMessage } from "./protocol/envelope.ts";

/**
 * What {@linkcode withSendingLimits} allows.
 *
 * @category A whole listener
 */
export interface SendingLimitsOptions extends SendingLimits {
  /**
   * Recipients in 24 hours, summed over messages, for users whose login's
   * answer has no `limits` of its own; 0 for no limit. Default: 0.
   */
  readonly recipientsPerDay?: number;
  /** Likewise messages in a minute. Default: 0. */
  readonly messagesPerMinute?: number;
  /**
   * Where the counts are. Default: a `newMemoryStore()`, for this process
   * alone.
   */
  readonly store?: Store;
  /**
   * Milliseconds that the store may take. After that everything passes, for 5
   * s. At most 1000. Default: 250.
   */
  readonly storeTimeoutMs?: number;
  /**
   * Told of each user who comes to a limit, once a window. What it throws is
   * ignored.
   */
  readonly onEvent?: (event: LimitReachedEvent) => void;
  /** The time in milliseconds since 1970, for tests. Default: `Date.now`. */
  readonly now?: () => number;
}

const RULES: Rules<SendingLimitsOptions> = {
  recipientsPerDay: integer(0),
  messagesPerMinute: integer(0),
  store: anObject,
  storeTimeoutMs: limitMs(MAX_STORE_TIMEOUT_MS),
  onEvent: aFunction,
  now: aFunction,
};

const ACTION = "limit sending";

/**
 * Limits how much each user sends, around any destination: this is how a stolen
 * password is noticed.
 *
 * Counts drain at an even pace (GCRA): of 500 recipients a day one is forgiven
 * every 173 s, and none waits for midnight. A recipient that does not fit is
 * refused at RCPT, so that the message goes to those that do; what is counted is
 * counted once, at the end of the message, and given back if that is refused.
 * The refusal is `451 4.7.1` with the limit and when to try again: the message
 * stays in the outbox.
 *
 * - The `limits` of a login's answer win over the options; 0 is no limit.
 * - Mail without a login is counted by the client's address.
 * - Spellings of a name that some back end may take for the same user share one
 *   count, unless the answer's `user` says which user it is.
 * - Where the store fails or is slow, everything passes.
 *
 * @param to Who takes the mail.
 * @param options Limits, and where to count.
 * @returns A destination for `serveSmtp`.
 * @throws {RangeError} If a limit is not a whole number from 0.
 * @throws {TypeError} If `to` cannot take mail.
 *
 * @example At most 500 recipients a day
 * ```ts
 * import {
 *   newStaticAuthProvider,
 *   serveSmtp,
 *   withSendingLimits,
 * } from "@meowmail/smtpauth";
 *
 * const to = withSendingLimits(async ({ body }) => {
 *   await new Response(body).arrayBuffer();
 * }, { recipientsPerDay: 500, messagesPerMinute: 30 });
 * const provider = newStaticAuthProvider({ ann: "secret" });
 * await using server = serveSmtp({ port: 0, provider }, to);
 * console.log("listening on port", server.addrs[0]?.port);
 * ```
 * @category A whole listener
 */
export function withSendingLimits(
  to: Deliver | Destination,
  options: SendingLimitsOptions = {},
): Destination {
  checkValue(ACTION, "to", aDestination, to);
  checkOptions(ACTION, options, RULES);
  const { recipientsPerDay = 0, messagesPerMinute = 0 } = options;
  const limits = { recipientsPerDay, messagesPerMinute };
  const quota = new Quota({
    limits,
    store: options.store ?? newMemoryStore(),
    storeTimeoutMs: options.storeTimeoutMs ?? STORE_TIMEOUT_MS,
    now: options.now ?? Date.now,
    report: harmless(options.onEvent),
  });
  const inner: Destination = typeof to === "function"
    ? { begin: () => ({ message: to }) }
    : to;
  return {
    async begin(mail, signal) {
      const begun = await inner.begin(mail, signal);
      const isFree = metersOf(mail, limits).length === 0;
      if (isFree || !isTransfer(begun)) return begun;
      return new LimitedTransfer(begun, mail, quota);
    },
  };
}

/** A transaction of a sender who has limits. */
class LimitedTransfer implements Required<Transfer> {
  readonly #inner: Transfer;
  readonly #mail: Mail;
  readonly #quota: Quota;
  /** How many were taken so far. */
  #recipients = 0;

  constructor(inner: Transfer, mail: Mail, quota: Quota) {
    this.#inner = inner;
    this.#mail = mail;
    this.#quota = quota;
  }

  get reply(): SmtpReply | undefined {
    return this.#inner.reply;
  }

  async recipient(mailbox: string): Promise<void | SmtpReply> {
    const excess = await this.#quota.ask(this.#mail, this.#recipients + 1);
    if (excess !== undefined) return excess;
    const answer = await this.#inner.recipient?.(mailbox);
    if (isSuccess(answer)) this.#recipients++;
    return answer;
  }

  async message(message: SmtpMessage): Promise<void | SmtpReply> {
    const { recipients } = message.envelope;
    const counted = new CountedMessage(
      message,
      () => this.#quota.charge(this.#mail, recipients.length),
    );
    try {
      const answer = await this.#inner.message(counted);
      if (isSuccess(answer)) return await counted.taken() ?? answer;
      return await counted.refused() ?? answer;
    } catch (error) {
      const excess = await counted.refused();
      if (excess !== undefined) return excess;
      throw error;
    }
  }

  abandon(): void {
    // It may be async: what it rejects with is for who calls this.
    return this.#inner.abandon?.();
  }
}

/** A message that is counted as its end comes, before anybody can have taken it. */
class CountedMessage implements SmtpMessage {
  readonly envelope: Envelope;
  readonly #message: SmtpMessage;
  readonly #charge: () => Promise<SmtpReply | Charge>;
  #body: SmtpMessage["body"] | undefined;
  /** What came of counting it; absent before that begins. */
  #outcome: Promise<SmtpReply | Charge> | undefined;

  constructor(
    message: SmtpMessage,
    charge: () => Promise<SmtpReply | Charge>,
  ) {
    this.envelope = message.envelope;
    this.#message = message;
    this.#charge = charge;
  }

  get body(): SmtpMessage["body"] {
    return this.#body ??= this.#countedBody();
  }

  /** It was taken: why it is refused all the same, if it is. */
  async taken(): Promise<SmtpReply | undefined> {
    // Not everybody reads to the end.
    const outcome = await this.#counted();
    return isReply(outcome) ? outcome : undefined;
  }

  /** It was not taken: whether that was for the limit. */
  async refused(): Promise<SmtpReply | undefined> {
    const outcome = await this.#outcome;
    if (isReply(outcome)) return outcome;
    await outcome?.refund();
    return undefined;
  }

  /** Counts it, once: whoever asks may do so while that is under way. */
  #counted(): Promise<SmtpReply | Charge> {
    return this.#outcome ??= this.#charge();
  }

  /** The same octets at the same pace. It breaks where the message is too much. */
  #countedBody(): SmtpMessage["body"] {
    const reader = this.#message.body.getReader();
    return new ReadableStream({
      // Whoever waits for something else must learn that the client has gone.
      start: (controller) =>
        void reader.closed.catch((error) => controller.error(error)),
      pull: async (controller) => {
        const { done, value } = await reader.read();
        if (!done) return controller.enqueue(value);
        const outcome = await this.#counted();
        if (isReply(outcome)) throw new Error(outcome.text);
        controller.close();
      },
      cancel: (reason) => reader.cancel(reason),
    }, { highWaterMark: 0 });
  }
}

/** Whether an answer, which may be nonsense, is none that refuses. */
function isSuccess(answer: unknown): boolean {
  return answer === undefined || answer === null ||
    isReply(answer) && answer.code < 400;
}
