/**
 * One client's session as a state machine: octets go in, octets and questions
 * come out. It neither reads nor writes, and it never waits.
 *
 * @module
 */

import type { SmtpReply } from "../../auth/replies.ts";
import type { AuthResult } from "../../auth/types.ts";
import type {
  AuthOutcome,
  ReceivedMessage,
  SessionAction,
  SessionPeer,
  SessionRules,
} from "./actions.ts";
import { CommandDialogue } from "./command_dialogue.ts";
import { Dialogue } from "./dialogue.ts";
import type { Ending } from "./endings.ts";
import { greeting } from "./hello.ts";
import * as replies from "./replies.ts";
import { type RefusedCommands, Tally } from "./tally.ts";

/** One client's session. */
export class Session {
  readonly #dialogue: Dialogue;
  readonly #commands: CommandDialogue;

  /**
   * @param rules What holds for all sessions of the listener.
   * @param peer What is known about this connection.
   * @param tally Only for `afterTls`: what was counted before.
   */
  constructor(
    rules: SessionRules,
    peer: SessionPeer,
    tally: Tally = new Tally(),
  ) {
    this.#dialogue = new Dialogue(rules, peer, tally);
    this.#commands = new CommandDialogue(this.#dialogue);
  }

  // What the client sends.

  /**
   * Room for what a read brings. It stays lent until {@linkcode filled} says
   * how much of it was used.
   */
  space(): Uint8Array<ArrayBuffer> {
    return this.#dialogue.input.space();
  }

  /** Says how many octets were read into the space, 0 for none. */
  filled(octets: number): void {
    this.#dialogue.input.filled(octets);
  }

  /** Copies octets into the input, for those who do not read into it. */
  receive(octets: Uint8Array): void {
    for (let at = 0; at < octets.length;) {
      const space = this.space();
      const piece = octets.subarray(at, at + space.length);
      space.set(piece);
      this.filled(piece.length);
      at += piece.length;
    }
  }

  /** How many octets wait that nobody has looked at. */
  get waiting(): number {
    return this.#dialogue.input.length;
  }

  /** Whether there is room for a read: always, unless far too much waits. */
  get hasRoom(): boolean {
    return this.#dialogue.input.hasRoom;
  }

  /** Whether the last read has filled its space: there may be more to read. */
  get isFilled(): boolean {
    return this.#dialogue.input.isFull;
  }

  /** Whether much is to come, so that reads should have much room. */
  expectMuch(much: boolean): void {
    if (much) this.#dialogue.input.grow();
    else this.#dialogue.input.shrink();
  }

  /** Nothing is read any more: memory may serve other sessions. */
  release(): void {
    this.#dialogue.input.release();
  }

  // What it reads.

  /** Puts the greeting into the output. A session after STARTTLS has none. */
  greet(): void {
    this.#dialogue.reply(greeting(this.#dialogue.rules));
  }

  /** Whether there is something to write. */
  get hasOutput(): boolean {
    return this.#dialogue.hasOutput;
  }

  /** Takes the output: all replies since the last time, in one piece. */
  takeOutput(): Uint8Array {
    return this.#dialogue.takeOutput();
  }

  // Where it stands.

  /** Whether a mail transaction is under way. */
  get inTransaction(): boolean {
    return this.#commands.inTransaction;
  }

  /** Whether a login is required, and there was none yet. */
  get lacksLogin(): boolean {
    return this.#dialogue.lacksLogin;
  }

  /** Whether the body of a message is what comes next. */
  get readingData(): boolean {
    return this.#dialogue.state === "data";
  }

  /** What is known about the message that comes, until `delivered`. */
  get received(): ReceivedMessage {
    return this.#commands.mail.received;
  }

  /** Takes the commands that were refused so far, over STARTTLS too. */
  takeRefused(): readonly RefusedCommands[] {
    return this.#dialogue.tally.takeRefused();
  }

  // How it ends.

  /** The listener stops: what is under way, or sent already, may end. */
  stop(): void {
    this.#commands.isStopping = true;
  }

  /** Ends the session from the outside, unless it has ended. */
  end(ending: Ending): void {
    if (this.#dialogue.state !== "closed") this.#dialogue.end(ending);
  }

  /** The connection is over: how an AUTH ended that was under way. */
  abandoned(): AuthOutcome | undefined {
    this.#commands.abandonAuth();
    const action = this.#dialogue.takeAction();
    return action?.kind === "authEnded" ? action.outcome : undefined;
  }

  // Questions, and their answers.

  /** Goes on as far as possible and says what it needs then. */
  next(): SessionAction {
    for (;;) {
      const action = this.#dialogue.takeAction() ?? this.#step();
      if (action !== undefined) return action;
    }
  }

  /** Answers `authenticate`. */
  decided(result: AuthResult): void {
    this.#commands.auth.decided(result);
  }

  /** Answers `sender`; nothing is our own 250. */
  senderAnswered(reply: SmtpReply = replies.senderOk): void {
    this.#commands.mail.senderAnswered(reply);
  }

  /** Answers `recipient`; nothing is our own 250. */
  recipientAnswered(reply: SmtpReply = replies.recipientOk): void {
    this.#commands.mail.recipientAnswered(reply);
  }

  /**
   * Answers `endOfMessage`: what the client is to read about its message.
   *
   * @returns What it will read, which is another reply if the message itself
   * was at fault.
   */
  delivered(reply: SmtpReply): SmtpReply {
    return this.#commands.mail.delivered(reply);
  }

  /** Before anything was said: the same with a peer who is known better now. */
  onPeer(peer: SessionPeer): Session {
    const { rules, tally } = this.#dialogue;
    const session = new Session(rules, peer, tally);
    if (this.#commands.isStopping) session.stop();
    return session;
  }

  /**
   * Answers `startTls`: the session that goes on over TLS. It knows nothing of
   * this one but how often it failed. Octets that came in plain text stay
   * behind in this one's input, which nobody reads any more: an attacker may
   * have put them there (RFC 3207 section 5, CVE-2011-0411).
   */
  afterTls(): Session {
    this.#dialogue.answered("upgrading", "afterTls");
    return this.onPeer({ ...this.#dialogue.peer, tls: true });
  }

  #step(): SessionAction | undefined {
    const { state } = this.#dialogue;
    switch (state) {
      case "commands":
        return this.#commands.readCommand();
      case "sasl":
        return this.#commands.readResponse();
      case "data":
        return this.#commands.mail.read();
      case "closed":
        return this.#dialogue.closing;
      case "deciding":
      case "upgrading":
      case "beginning":
      case "naming":
      case "delivering":
        throw new Error(`Session.next() before its question: ${state}`);
      default:
        return state satisfies never;
    }
  }
}
