/**
 * One mail transaction on its way through hooks and destination, whatever they
 * do.
 *
 * @module
 */

import type { SmtpReply } from "../auth/replies.ts";
import { errorText } from "../lib/error_text.ts";
import { harmless } from "../lib/hook.ts";
import { isTimedOut, race } from "../lib/race.ts";
import { type Deliver, isReply } from "./delivery.ts";
import {
  type Destination,
  isTransfer,
  type Mail,
  type MailAnswer,
  type OnRecipient,
  type OnSender,
  type Transfer,
} from "./destination.ts";
import * as replies from "./protocol/replies.ts";

/** Who has a say about mail, and who takes it. */
export interface MailHandlers {
  readonly destination: Destination;
  readonly onSender: OnSender | undefined;
  readonly onRecipient: OnRecipient | undefined;
}

/** What came of a step. */
export interface StepResult {
  /** What the client reads; absent for our own 250. */
  readonly reply?: SmtpReply;
  /** What went wrong, for the log. */
  readonly error?: string;
}

const ACCEPTED: StepResult = {};

/** One transaction. */
export class MailTransaction {
  readonly #handlers: MailHandlers;
  readonly #mail: Mail;
  #transfer: Transfer | undefined;
  #isOver = false;

  /**
   * @param handlers Who has a say.
   * @param mail What MAIL has told.
   */
  constructor(handlers: MailHandlers, mail: Mail) {
    this.#handlers = handlers;
    this.#mail = mail;
  }

  /**
   * Asks whether the sender is taken. Never rejects.
   *
   * @param signal Aborted when the client has gone, or the time is up.
   */
  async begin(signal: AbortSignal): Promise<StepResult> {
    const { destination, onSender } = this.#handlers;
    const mail = this.#mail;
    if (onSender !== undefined) {
      const hooked = await answerOf(() => onSender(mail, signal), signal);
      if (isRefusal(hooked)) return hooked;
    }
    const begun = async () => await destination.begin(mail, signal);
    const beginning = begun();
    const raced = await race(() => beginning, { signal });
    // Who answers too late is told that nothing follows.
    if (raced.kind === "gone") beginning.then(abandon, () => {});
    if (raced.kind !== "done") return failed(raced, signal);
    return looked(raced.value, (value) => {
      if (!isTransfer(value)) return asRefusal(value);
      this.#transfer = value;
      const { reply } = value;
      return isReply(reply) && reply.code < 400 ? { reply } : ACCEPTED;
    });
  }

  /**
   * Asks whether a recipient is taken. Never rejects.
   *
   * @param signal Aborted when the client has gone, or the time is up.
   */
  async recipient(mailbox: string, signal: AbortSignal): Promise<StepResult> {
    const { onRecipient } = this.#handlers;
    const mail = this.#mail;
    if (onRecipient !== undefined) {
      const hooked = await answerOf(
        () => onRecipient(mail, mailbox, signal),
        signal,
      );
      if (isRefusal(hooked)) return hooked;
    }
    return await answerOf(() => this.#transfer?.recipient?.(mailbox), signal);
  }

  /** Takes the message: from then on nothing is abandoned. */
  readonly deliver: Deliver = (message) => {
    this.#isOver = true;
    if (this.#transfer === undefined) throw new Error("nothing was begun");
    return this.#transfer.message(message);
  };

  /** The transaction has ended without a message. Told at most once. */
  abandon(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    abandon(this.#transfer);
  }
}

/** What a step is answered with, whatever it does. */
async function answerOf(
  step: () => MailAnswer,
  signal: AbortSignal,
): Promise<StepResult> {
  const raced = await race<unknown>(step, { signal });
  if (raced.kind !== "done") return failed(raced, signal);
  return looked(raced.value, asAnswer);
}

/** Looking at somebody else's object can throw as well. */
function looked(
  value: unknown,
  look: (value: unknown) => StepResult,
): StepResult {
  try {
    return look(value);
  } catch (error) {
    return { reply: replies.stepFailed, error: errorText(error) };
  }
}

function asAnswer(value: unknown): StepResult {
  if (value === undefined || value === null) return ACCEPTED;
  return isReply(value) ? { reply: value } : nonsense();
}

function asRefusal(value: unknown): StepResult {
  return isReply(value) && value.code >= 400 ? { reply: value } : nonsense();
}

function isRefusal({ reply }: StepResult): boolean {
  return reply !== undefined && reply.code >= 400;
}

function failed(
  raced: { kind: "broken"; error: unknown } | { kind: "late" | "gone" },
  signal: AbortSignal,
): StepResult {
  const reply = replies.stepFailed;
  if (raced.kind === "broken") return { reply, error: errorText(raced.error) };
  // A client that has gone is no failure.
  return isTimedOut(signal) ? { reply, error: "no answer in time" } : { reply };
}

function nonsense(): StepResult {
  const error = "TypeError: the answer must be nothing or an SmtpReply";
  return { reply: replies.stepFailed, error };
}

/** Tells a transfer that nothing follows; what it throws harms nobody. */
const abandon = harmless((transfer: unknown) =>
  isTransfer(transfer) ? transfer.abandon?.() : undefined
);
