/**
 * One client: moves octets between a socket and a session, asks the provider,
 * feeds `deliver`, and keeps the time limits.
 *
 * @module
 */

import { askProvider } from "../auth/ask_provider.ts";
import type { ClosedReason } from "../auth/events.ts";
import type { SmtpReply } from "../auth/replies.ts";
import type { AuthProvider, AuthRequest, AuthResult } from "../auth/types.ts";
import type {
  AuthOutcome,
  SessionAction,
  SessionPeer,
  SessionRules,
} from "./protocol/actions.ts";
import type { Deadline, Deadlines } from "../net/deadlines.ts";
import { type Deliver, type Delivery, startDelivery } from "./delivery.ts";
import {
  type MailHandlers,
  MailTransaction,
  type StepResult,
} from "./mail_transaction.ts";
import {
  authEvent,
  closedEvent,
  messageEvent,
  peerEvent,
  refusedEvent,
  type SmtpEvent,
  type SmtpStepEvent,
  stepEvent,
} from "./events.ts";
import type { Envelope } from "./protocol/envelope.ts";
import { type Opening, tlsOpening } from "./preamble.ts";
import { type Asking, Reads } from "./reads.ts";
import { REPLIES } from "./protocol/replies.ts";
import { Session } from "./protocol/session.ts";
import type { TransferTurn, TransferTurns } from "./transfer_slots.ts";
import {
  type Encrypt,
  endWith,
  isGone,
  type Wire,
  writeAll,
} from "../net/conn.ts";

/** How long to wait for a client to close after our last word, in milliseconds. */
const LINGER_MS = 2_000;

/**
 * How long a provider may take, in milliseconds. Providers have limits of
 * their own; this one is for those that forgot.
 */
const PROVIDER_MS = 300_000;

/**
 * How long a client may take for the login that is required, in milliseconds,
 * whatever it says meanwhile: nobody keeps a place from others for ever. RFC
 * 5321 section 4.5.3.2.7 wants five minutes for a command.
 */
const LOGIN_MS = 300_000;

/**
 * How much of a message must arrive within the idle timeout, in octets: less
 * is a client that keeps a connection busy without sending mail.
 */
const PROGRESS_OCTETS = 1_024;

/**
 * How much of a message is read without a turn, in octets: most messages have
 * no more, and need none.
 */
const SMALL_MESSAGE_OCTETS = 65_536;

/**
 * How long hooks and destination may take for one answer, in milliseconds: a
 * next hop has five minutes for its own (RFC 5321 section 4.5.3.2), and what
 * comes before them is another few.
 */
const STEP_MS = 600_000;

/** What is the same for all connections of a listener. */
export interface ConnectionContext {
  /** The rules of its sessions. */
  readonly rules: SessionRules;
  /** Who decides about logins. */
  readonly provider: AuthProvider;
  /** Who takes messages; or who is asked about senders and recipients too. */
  readonly to: Deliver | MailHandlers;
  /** How long a client may be silent, in milliseconds. */
  readonly idleTimeoutMs: number;
  /** The clock. */
  readonly deadlines: Deadlines;
  /** Encrypts a connection. */
  readonly encrypt: Encrypt;
  /** How long a client must be silent before it is greeted, in milliseconds. */
  readonly greetingDelayMs: number;
  /** Turns at reading large messages. */
  readonly transfers: TransferTurns;
  /** The log. */
  readonly report: ((event: SmtpEvent) => void) | undefined;
}

/**
 * What a connection waits for; `"session"` for nothing. It decides what to do
 * when the time is up: a client that is waited for can be told, one that does
 * not read can not.
 */
type Phase =
  | "session"
  | "opening"
  | "silence"
  | "client"
  | "write"
  | "question"
  | "delivery"
  | "end";

/** Phases that only the socket can fail in. */
const WIRE_PHASES: ReadonlySet<Phase> = new Set(["client", "write", "end"]);

/** What is not done before the client has been answered. */
const WRITTEN_BEFORE: ReadonlySet<SessionAction["kind"]> = new Set([
  "needData",
  "flush",
  "startTls",
]);

/** One client's connection. */
export class Connection {
  readonly #context: ConnectionContext;
  readonly #deadline: Deadline;
  /** When the login must have come that is required, by the context's clock. */
  #loginBy: number;
  /** Whether the client's time is up for want of a login, and not of a word. */
  #needsLogin = false;
  #wire: Wire;
  #peer: SessionPeer;
  #session: Session;
  #phase: Phase = "opening";
  readonly #reads: Reads = new Reads();
  /** Our last reply on its way, where it interrupts a read. */
  #lastWords: Promise<void> | undefined;
  /** Why the client is not served. */
  #refusal: SmtpReply | undefined;
  /** Whether the log knows that the connection ends, and why. */
  #isEndTold = false;
  /** The transaction, where somebody is asked about it. */
  #transaction: MailTransaction | undefined;
  #delivery: Delivery | undefined;
  /** The turn at reading a large message. */
  #turn: TransferTurn | undefined;
  /** Octets of the message since the deadline was renewed. */
  #progress = 0;
  #asking: Asking | undefined;
  #endSilence: (() => void) | undefined;
  /** How long the provider took for the last decision, in milliseconds. */
  #askedMs = 0;

  /**
   * @param wire The socket.
   * @param peer What is known about it.
   * @param context What is the same for all.
   */
  constructor(wire: Wire, peer: SessionPeer, context: ConnectionContext) {
    this.#wire = wire;
    this.#peer = peer;
    this.#context = context;
    this.#session = new Session(context.rules, peer);
    this.#deadline = context.deadlines.watch(() => this.#expire());
    this.#loginBy = context.deadlines.now() + LOGIN_MS;
  }

  /**
   * Serves the client until the connection is closed. Never rejects.
   *
   * @param openings What must be done before the greeting.
   * @param refusal Says this instead of serving the client.
   */
  async run(openings: readonly Opening[], refusal?: SmtpReply): Promise<void> {
    try {
      this.#refusal = refusal;
      this.#isEndTold = refusal !== undefined;
      for (const opening of openings) {
        if (!await this.#open(opening)) return;
      }
      if (openings.length > 0) {
        this.#session = this.#session.onPeer(this.#peer);
      }
      const waits = this.#refusal === undefined &&
        this.#context.greetingDelayMs > 0;
      if (waits && !await this.#isSilent()) {
        this.#refusal = REPLIES.earlyTalker;
        this.#reportClosed("early-talker");
      }
      if (this.#refusal === undefined) this.#session.greet();
      else this.#session.end(this.#refusal);
      await this.#serve();
    } catch (error) {
      // A socket that breaks is nobody's fault; anything else is one of ours.
      if (!WIRE_PHASES.has(this.#phase)) this.#reportClosed("error", error);
    } finally {
      this.#deadline.stop();
      close(this.#wire);
      await this.#abandon();
      this.#reportRefused();
      this.#reportClosed("client-gone");
    }
  }

  /** Begins nothing new; what is under way may end. */
  stop(): void {
    this.#session.stop();
    if (this.#phase === "opening" || this.#phase === "silence") {
      this.#reportClosed("shutdown");
      close(this.#wire);
    }
    if (this.#phase !== "client" || this.#session.inTransaction) return;
    this.#farewell(REPLIES.shuttingDown, "shutdown");
  }

  /** Ends at once, whatever is under way. */
  cut(): void {
    this.#asking?.abort();
    this.#turn?.end();
    if (this.#phase === "client") {
      return this.#farewell(REPLIES.shuttingDown, "shutdown");
    }
    this.#reportClosed("shutdown");
    close(this.#wire);
  }

  /** Does one thing before the session; false if there will be none. */
  async #open({ limitMs, work }: Opening): Promise<boolean> {
    this.#phase = "opening";
    this.#renew(limitMs);
    try {
      const opened = await work(this.#wire, this.#peer);
      if ("reason" in opened) {
        if (opened.reason === undefined) this.#isEndTold = true;
        else this.#reportClosed(opened.reason);
        return false;
      }
      this.#wire = opened.wire;
      this.#peer = opened.peer;
      this.#refusal ??= opened.refusal;
      this.#isEndTold ||= opened.refusal !== undefined;
      return true;
    } catch (error) {
      // Scanners and health checks that only connect are nobody's fault.
      if (!isGone(error)) this.#reportClosed("tls-failed", error);
      return false;
    }
  }

  /**
   * Whether the client waits to be greeted, as RFC 5321 section 3.1 wants.
   * Programs that send spam often can't wait.
   */
  async #isSilent(): Promise<boolean> {
    const { greetingDelayMs } = this.#context;
    const talk = this.#reads.begin(this.#wire, this.#session);
    const { promise: silence, resolve } = Promise.withResolvers<null>();
    this.#endSilence = () => resolve(null);
    this.#phase = "silence";
    this.#renew(greetingDelayMs);
    // A client that has gone has not talked; writing to it will tell.
    return await Promise.race([talk.catch(() => null), silence]) === null;
  }

  /** Does what the session asks for until it or the client wants no more. */
  async #serve(): Promise<void> {
    for (;;) {
      const action = this.#session.next();
      // Replies go out in one piece, as late as they can.
      if (this.#session.hasOutput && WRITTEN_BEFORE.has(action.kind)) {
        const octets = this.#output();
        const written = await this.#wire.write(octets);
        // Nearly never: replies are small.
        if (written < octets.length) {
          await writeAll(this.#wire, octets.subarray(written));
        }
        this.#answered();
        // It may have been stopped meanwhile.
        if (action.kind === "needData") continue;
      }
      switch (action.kind) {
        case "needData": {
          if (this.#needsTurn()) await this.#takeTurn();
          this.#phase = "client";
          const octets = await this.#reads.next(
            this.#wire,
            this.#session,
          );
          if (!this.#received(octets)) return await this.#depart(octets);
          break;
        }
        case "flush":
          await nextTurn();
          break;
        case "authenticate":
          this.#session.decided(await this.#ask(action.request));
          this.#endIfLate();
          break;
        case "authEnded":
          this.#reportAuth(action.outcome);
          break;
        case "startTls":
          if (!await this.#startTls()) return;
          break;
        case "sender":
          await this.#askAboutSender(action.mail);
          break;
        case "recipient":
          await this.#askAboutRecipient(action.mailbox);
          break;
        case "abandoned":
          this.#transaction?.abandon();
          break;
        case "message":
          this.#delivery = startDelivery(this.#deliver(), action.envelope);
          break;
        case "body": {
          const stored = this.#delivery?.body.push(action.octets);
          if (stored !== undefined) await this.#waitForDelivery(stored);
          break;
        }
        case "badBody":
          this.#delivery?.body.fail(
            new Error(`The message is refused: ${action.fault}`),
          );
          break;
        case "endOfMessage":
          await this.#endMessage();
          break;
        case "close":
          this.#transaction?.abandon();
          if (action.reason !== undefined) this.#reportClosed(action.reason);
          return await this.#leave(action.linger);
        default:
          return action satisfies never;
      }
    }
  }

  /** All replies since the last time, about to be written. */
  #output(): Uint8Array {
    this.#phase = "write";
    this.#renewForClient();
    return this.#session.takeOutput();
  }

  /** The replies are written: the client's turn, and its time begins anew. */
  #answered(): void {
    this.#phase = "session";
    this.#renewForClient();
  }

  /** Takes in what a read has brought; false if the session ends with it. */
  #received(octets: number | null): boolean {
    this.#session.filled(octets ?? 0);
    if (octets === null || this.#lastWords !== undefined) return false;
    this.#phase = "session";
    if (!this.#session.readingData) return true;
    this.#progress += octets;
    if (this.#progress >= PROGRESS_OCTETS) {
      this.#renew(this.#context.idleTimeoutMs);
    }
    return true;
  }

  /** The last read is done: the client has ended, or we have. */
  async #depart(octets: number | null): Promise<void> {
    if (this.#lastWords === undefined) return await this.#leave(false);
    await this.#lastWords;
    if (octets !== null) await this.#reads.drain(this.#wire);
  }

  /** Asks the provider. */
  async #ask(request: AuthRequest): Promise<AuthResult> {
    const began = performance.now();
    const { provider } = this.#context;
    return await this.#wait(
      (signal) =>
        askProvider(provider, request, signal)
          .finally(() => this.#askedMs = performance.now() - began),
      PROVIDER_MS,
    );
  }

  async #askAboutSender(mail: Omit<Envelope, "recipients">): Promise<void> {
    const { to } = this.#context;
    if (typeof to === "function") return this.#session.senderAnswered();
    const { id } = this.#peer;
    const transaction = new MailTransaction(to, { ...mail, id });
    this.#transaction = transaction;
    const begun = await this.#wait(
      (signal) => transaction.begin(signal),
      STEP_MS,
    );
    this.#reportStep("sender", begun);
    this.#session.senderAnswered(begun.reply);
  }

  async #askAboutRecipient(mailbox: string): Promise<void> {
    const transaction = this.#transaction;
    if (transaction === undefined) return this.#session.recipientAnswered();
    const named = await this.#wait(
      (signal) => transaction.recipient(mailbox, signal),
      STEP_MS,
    );
    this.#reportStep("recipient", named);
    this.#session.recipientAnswered(named.reply);
  }

  #deliver(): Deliver {
    const { to } = this.#context;
    if (typeof to === "function") return to;
    return (message) => {
      if (this.#transaction === undefined) throw new Error("nothing was begun");
      return this.#transaction.deliver(message);
    };
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
    const abort = new AbortController();
    const answer = ask(abort.signal);
    const asking: Asking = {
      open: true,
      abort: (reason) => abort.abort(reason),
    };
    this.#asking = asking;
    if (this.#session.hasOutput) {
      await writeAll(this.#wire, this.#output()).catch(asking.abort);
    }
    this.#phase = "question";
    this.#renew(limitMs);
    this.#reads.watch(this.#wire, this.#session, asking);
    const result = await answer;
    asking.open = false;
    this.#asking = undefined;
    return result;
  }

  /** A slow provider is no way around the limit. */
  #endIfLate(): void {
    const late = this.#context.deadlines.now() >= this.#loginBy;
    if (!late || !this.#session.lacksLogin) return;
    this.#session.end(REPLIES.noLoginInTime, "no-login");
  }

  async #startTls(): Promise<boolean> {
    const early = this.#reads.takePending();
    const encrypted = await this.#open(
      tlsOpening(
        (wire) => this.#context.encrypt(wire, early),
        this.#context.idleTimeoutMs,
      ),
    );
    if (!encrypted) return false;
    this.#context.report?.(peerEvent("secured", this.#peer));
    // A login is forgotten with all else; who had one begins anew.
    if (!this.#session.lacksLogin) {
      this.#loginBy = this.#context.deadlines.now() + LOGIN_MS;
    }
    this.#session = this.#session.afterTls();
    this.#renewForClient();
    return true;
  }

  /** The disk's time is not the client's: its clock stands still. */
  async #waitForDelivery(event: Promise<void>): Promise<void> {
    this.#phase = "delivery";
    this.#deadline.pause();
    await event;
    this.#deadline.resume();
  }

  /** Whether more of a large message is to be read, and it is not our turn. */
  #needsTurn(): boolean {
    const body = this.#delivery?.body;
    if (body === undefined || body.octets < SMALL_MESSAGE_OCTETS) return false;
    // Who has all that has come so far can let others have their turn.
    if (!this.#session.isFilled) this.#turn?.yield();
    return this.#turn?.isOn() !== true;
  }

  /**
   * Waits for a turn at reading with a large buffer, while nothing of the
   * message is in memory. Were all to read at once, hundreds of pieces would
   * wait for the disk.
   */
  async #takeTurn(): Promise<void> {
    this.#endTurn();
    const turn = this.#turn = this.#context.transfers.begin();
    if (turn.come !== undefined) await this.#waitForDelivery(turn.come);
    this.#session.expectMuch(true);
  }

  #endTurn(): void {
    this.#turn?.end();
    this.#turn = undefined;
    this.#session.expectMuch(false);
  }

  async #endMessage(): Promise<void> {
    const delivery = this.#delivery;
    const { received } = this.#session;
    if (delivery === undefined) return;
    this.#endTurn();
    this.#phase = "delivery";
    this.#deadline.pause();
    delivery.body.end();
    const { reply, error } = await delivery.result;
    this.#delivery = undefined;
    const last = this.#session.delivered(reply);
    // Where the message was at fault, what deliver threw is a consequence.
    const cause = last === reply ? error : undefined;
    this.#context.report?.(
      messageEvent(delivery.envelope, received, this.#peer, last, cause),
    );
  }

  /** Interrupts a read with a last reply; `#depart` sees to the rest. */
  #farewell(reply: SmtpReply, reason: ClosedReason): void {
    this.#reportClosed(reason);
    this.#beginEnd();
    this.#session.end(reply);
    this.#lastWords = endWith(this.#wire, this.#session.takeOutput())
      .catch(() => close(this.#wire));
  }

  /** From here on the client has little time. */
  #beginEnd(): void {
    this.#phase = "end";
    this.#renew(LINGER_MS);
  }

  /** Closes our side, and gives the client time to close its own. */
  async #leave(linger: boolean): Promise<void> {
    const last = this.#output();
    if (last.length === 0) this.#beginEnd();
    try {
      // On TLS this is the close_notify that clients wait for.
      if (linger || this.#peer.tls) await endWith(this.#wire, last);
      else if (last.length > 0) await writeAll(this.#wire, last);
    } catch {
      return;
    }
    this.#beginEnd();
    if (linger) await this.#reads.drain(this.#wire);
  }

  /** The time is up. */
  #expire(): void {
    switch (this.#phase) {
      case "client":
        return this.#needsLogin
          ? this.#farewell(REPLIES.noLoginInTime, "no-login")
          : this.#farewell(REPLIES.idle, "idle");
      case "question":
        return this.#asking?.abort(new DOMException("Late", "TimeoutError"));
      case "write":
        this.#reportClosed(this.#needsLogin ? "no-login" : "idle");
        return close(this.#wire);
      case "silence":
        return this.#endSilence?.();
      case "opening":
        this.#reportClosed("idle");
        return close(this.#wire);
      case "delivery":
      case "end":
        return close(this.#wire);
      case "session":
        return;
      default:
        this.#phase satisfies never;
    }
  }

  /** The client may be silent for a while, unless a login is due before. */
  #renewForClient(): void {
    const { idleTimeoutMs, deadlines } = this.#context;
    const left = this.#session.lacksLogin
      ? Math.max(0, this.#loginBy - deadlines.now())
      : Infinity;
    this.#needsLogin = left < idleTimeoutMs;
    this.#renew(Math.min(left, idleTimeoutMs));
  }

  #renew(milliseconds: number): void {
    this.#progress = 0;
    this.#deadline.renew(milliseconds);
  }

  /** Ends what the client has left unfinished. */
  async #abandon(): Promise<void> {
    this.#endTurn();
    this.#transaction?.abandon();
    const outcome = this.#session.abandoned();
    if (outcome !== undefined) this.#reportAuth(outcome);
    const delivery = this.#delivery;
    if (delivery === undefined) return;
    delivery.body.fail(new Error("The client has left before the end"));
    await delivery.result;
    this.#context.report?.(
      messageEvent(delivery.envelope, this.#session.received, this.#peer),
    );
  }

  #reportRefused(): void {
    for (const refused of this.#session.takeRefused()) {
      this.#context.report?.(refusedEvent(refused, this.#peer));
    }
  }

  /** Tells the log of a hook or a destination that has failed. */
  #reportStep(step: SmtpStepEvent["step"], { error }: StepResult): void {
    if (error === undefined) return;
    this.#context.report?.(stepEvent(step, this.#peer, error));
  }

  #reportAuth(outcome: AuthOutcome): void {
    this.#context.report?.(authEvent(outcome, this.#peer, this.#askedMs));
    this.#askedMs = 0;
  }

  /** Tells the log once: what follows is a consequence. */
  #reportClosed(reason: ClosedReason, error?: unknown): void {
    if (this.#isEndTold) return;
    this.#isEndTold = true;
    this.#context.report?.(closedEvent(reason, this.#peer, error));
  }
}

/** Lets everything else that waits have its turn: a write may end at once. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** Closes a socket that may be closed already. */
function close(wire: Wire): void {
  try {
    wire.close();
  } catch {
    // It was.
  }
}
