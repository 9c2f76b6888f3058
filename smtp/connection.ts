/**
 * One client: moves octets between a socket and a session, and does what the
 * session asks for.
 *
 * @module
 */

import type { AuthRequest } from "../auth/types.ts";
import { nextTurn } from "../lib/next_turn.ts";
import { type Conn, writeAll } from "../net/conn.ts";
import type {
  ConnectionContext,
  ConnectionParts,
} from "./connection_context.ts";
import { closeAtOnce, closeGracefully, interrupt } from "./connection_ends.ts";
import { ConnectionLog } from "./connection_log.ts";
import { ConnectionTimer, type Phase } from "./connection_timer.ts";
import { IncomingMessage } from "./incoming_message.ts";
import { open, type PreambleStep, runPreamble, tlsStep } from "./preamble.ts";
import type { SessionAction, SessionPeer } from "./protocol/actions.ts";
import * as endings from "./protocol/endings.ts";
import type { Ending } from "./protocol/endings.ts";
import { Session } from "./protocol/session.ts";
import { Questions } from "./questions.ts";
import { Transport } from "./transport.ts";

/** Phases that only the socket can fail in. */
const SOCKET_PHASES: ReadonlySet<Phase> = new Set(["client", "write", "end"]);

/** What is not done before the client has been answered. */
const WRITTEN_BEFORE: ReadonlySet<SessionAction["kind"]> = new Set([
  "needData",
  "flush",
  "startTls",
]);

/** One client's connection. */
export class Connection implements ConnectionParts {
  /** What is the same for all. */
  readonly context: ConnectionContext;
  /** The socket and the session. */
  readonly transport: Transport;
  /** How long is waited for what. */
  readonly timer: ConnectionTimer;
  /** Who the client is, and what the log is told. */
  readonly log: ConnectionLog;
  readonly #questions: Questions;
  /** The message that comes. */
  #message: IncomingMessage | undefined;
  #isAborted = false;
  /** Our last reply on its way, where it interrupts a read. */
  #lastReply: Promise<void> | undefined;

  /**
   * @param conn The socket.
   * @param peer What is known about it.
   * @param context What is the same for all.
   */
  constructor(conn: Conn, peer: SessionPeer, context: ConnectionContext) {
    this.context = context;
    this.transport = new Transport(conn, new Session(context.rules, peer));
    this.timer = new ConnectionTimer(context, this);
    this.log = new ConnectionLog(peer, context.report);
    this.#questions = new Questions(this);
  }

  /**
   * Serves the client until the connection is closed. Never rejects.
   *
   * @param steps What must be done before the greeting.
   * @param refusal How to end instead of serving the client.
   * @returns Itself.
   */
  async run(steps: readonly PreambleStep[], refusal?: Ending): Promise<this> {
    const { transport, timer, log } = this;
    try {
      if (await runPreamble(steps, this, refusal)) {
        await this.#serve();
      }
    } catch (error) {
      // A socket that breaks is nobody's fault; anything else is one of ours.
      if (!SOCKET_PHASES.has(timer.phase)) log.closed("error", error);
    } finally {
      timer.stop();
      transport.close();
      await this.#endUnfinished();
      log.closed("client-gone");
      transport.session.release();
    }
    return this;
  }

  /** Begins nothing new; what is under way may end. */
  drain(): void {
    const { transport: { session }, timer: { phase } } = this;
    session.stop();
    if (phase === "preamble" || phase === "silence") {
      closeAtOnce("shutdown", this);
    }
    if (phase !== "client" || session.inTransaction) return;
    this.#interrupt(endings.shutdown);
  }

  /** Ends at once, whatever is under way. */
  abort(): void {
    const { phase } = this.timer;
    this.#isAborted = true;
    this.#questions.abort();
    this.#message?.giveUp();
    switch (phase) {
      case "client":
        return this.#interrupt(endings.shutdown);
      // Nobody waits for these any more: the session says its last words.
      case "question":
      case "delivery":
        return;
      default:
        closeAtOnce("shutdown", this);
    }
  }

  /** Does what the session asks for until it or the client wants no more. */
  async #serve(): Promise<void> {
    const { transport, timer, log } = this;
    for (;;) {
      const { session } = transport;
      if (this.#isAborted) session.end(endings.shutdown);
      const action = session.next();
      // Replies go out in one piece, as late as they can.
      if (session.hasOutput && WRITTEN_BEFORE.has(action.kind)) {
        timer.beginWrite(session.lacksLogin);
        const octets = session.takeOutput();
        const written = await transport.conn.write(octets);
        // Nearly never: replies are small.
        if (written < octets.length) {
          await writeAll(transport.conn, octets.subarray(written));
        }
        timer.written(session.lacksLogin);
        // It may have been stopped meanwhile.
        if (action.kind === "needData") continue;
      }
      switch (action.kind) {
        case "needData": {
          if (this.#message?.needsSlot) {
            await this.#message.takeSlot();
            // It may have been aborted meanwhile, or more may have come.
            if (this.#isAborted || session.waiting > 0) break;
          }
          timer.beginRead();
          const octets = await transport.read();
          if (!this.#received(octets)) return await this.#afterLastRead(octets);
          break;
        }
        case "startTls":
          if (!await this.#startTls()) return;
          break;
        case "close":
          this.#questions.abandonTransaction();
          log.closed(action.reason);
          return await closeGracefully(action.linger, this);
        default: {
          const done = this.#act(action);
          if (done !== undefined) await done;
        }
      }
    }
  }

  /** Does one thing that the session asks for; what to wait for, if anything. */
  #act(
    action: Exclude<SessionAction, { kind: "needData" | "startTls" | "close" }>,
  ): Promise<void> | undefined {
    const questions = this.#questions;
    switch (action.kind) {
      case "flush":
        // A write may end at once.
        return nextTurn();
      case "authenticate":
        return this.#authenticate(action.request);
      case "authEnded":
        return void this.log.auth(action.outcome);
      case "sender":
        return questions.aboutSender(action.mail);
      case "recipient":
        return questions.aboutRecipient(action.mailbox);
      case "abandoned":
        return void questions.abandonTransaction();
      case "message":
        this.#message = new IncomingMessage(
          this,
          questions.deliver,
          action.envelope,
        );
        return undefined;
      case "body":
        return this.#message?.push(action.octets);
      case "badBody":
        return void this.#message?.refuse(action.fault);
      case "endOfMessage":
        return this.#endMessage();
      default:
        return action satisfies never;
    }
  }

  /** Takes in what a read has brought; false if the session ends with it. */
  #received(octets: number | null): boolean {
    const { transport: { session }, timer } = this;
    session.filled(octets ?? 0);
    if (octets === null || this.#lastReply !== undefined) return false;
    timer.read(session.readingData ? octets : 0);
    return true;
  }

  async #authenticate(request: AuthRequest): Promise<void> {
    const { transport: { session }, timer } = this;
    session.decided(await this.#questions.aboutLogin(request));
    // A slow provider is no way around the limit.
    if (timer.isLoginLate && session.lacksLogin) {
      session.end(endings.noLoginInTime);
    }
  }

  /** Goes on over TLS; false if that has failed. */
  async #startTls(): Promise<boolean> {
    const { context, transport, timer, log } = this;
    const early = transport.takePending();
    const step = tlsStep(
      (conn) => context.encrypt(conn, early),
      context.idleTimeoutMs,
    );
    if (await open(step, this) === undefined) return false;
    log.secured();
    // A login is forgotten with all else; who had one begins anew.
    if (!transport.session.lacksLogin) timer.restartLogin();
    transport.session = transport.session.afterTls();
    timer.renewForClient(transport.session.lacksLogin);
    return true;
  }

  async #endMessage(): Promise<void> {
    await this.#message?.end();
    this.#message = undefined;
  }

  /** The time is up. */
  late(): void {
    const { phase, lateFor } = this.timer;
    switch (phase) {
      case "client":
        return this.#interrupt(
          lateFor === "idle" ? endings.idle : endings.noLoginInTime,
        );
      case "write":
        return closeAtOnce(lateFor, this);
      case "preamble":
        return closeAtOnce("idle", this);
      case "end":
        return this.transport.close();
      case "delivery":
        return this.#message?.watchClient();
      // These two have their own way.
      case "silence":
      case "question":
      // In this the clock stands still.
      case "session":
        return;
      default:
        phase satisfies never;
    }
  }

  /** Says a last reply under a read; `#afterLastRead` sees to the rest. */
  #interrupt(ending: Ending): void {
    this.#lastReply = interrupt(ending, this);
  }

  /** The last read is done: the client has ended, or was interrupted. */
  async #afterLastRead(octets: number | null): Promise<void> {
    if (this.#lastReply === undefined) {
      return await closeGracefully(false, this);
    }
    await this.#lastReply;
    if (octets !== null) await this.transport.drain();
  }

  /** Tells everybody of what the client has left unfinished. */
  async #endUnfinished(): Promise<void> {
    const { transport: { session }, log } = this;
    this.#questions.abandonTransaction();
    const outcome = session.abandoned();
    if (outcome !== undefined) log.auth(outcome);
    await this.#message?.abandon();
    log.refused(session.takeRefused());
  }
}
