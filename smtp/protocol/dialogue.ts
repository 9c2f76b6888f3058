/**
 * What the parts of a session share: what the client has sent, the replies on
 * their way, what comes next, and how it ends.
 *
 * @module
 */

import type { SmtpReply } from "../../auth/replies.ts";
import type { SessionAction, SessionPeer, SessionRules } from "./actions.ts";
import type { Verb } from "./commands.ts";
import * as endings from "./endings.ts";
import type { Ending } from "./endings.ts";
import { Input } from "./input.ts";
import type { Login } from "./login.ts";
import { Output } from "./output.ts";
import type { Refusal } from "./refusals.ts";
import type { Tally } from "./tally.ts";

/**
 * How much output may wait while more commands are there, in octets. Thousands
 * of pipelined EHLOs must not keep other clients waiting.
 */
const MAX_OUTPUT_OCTETS = 16_384;

/** What there is to do where there is nothing to say. */
const GONE: SessionAction = {
  kind: "close",
  linger: false,
  reason: "client-gone",
};

/** The states in which a question to the connection is open. */
export type Question =
  /** The provider is asked about a login. */
  | "deciding"
  /** TLS begins. */
  | "upgrading"
  /** Somebody is asked about a sender. */
  | "beginning"
  /** Somebody is asked about a recipient. */
  | "naming"
  /** A message has come to its end. */
  | "delivering";

/** What comes next. Only this file changes it. */
export type SessionState =
  /** A command. */
  | "commands"
  /** The response to a challenge. */
  | "sasl"
  /** The body of a message. */
  | "data"
  /** The answer to a question. */
  | Question
  /** Nothing. */
  | "closed";

/** What client and server say on one connection. */
export class Dialogue {
  /** What holds for all sessions of the listener. */
  readonly rules: SessionRules;
  /** What is known about this connection. */
  readonly peer: SessionPeer;
  /** What is counted over the whole connection. */
  readonly tally: Tally;
  /** What the client has sent and nobody has looked at. */
  readonly input: Input = new Input();
  /** What the client has said at EHLO or HELO. */
  hello: { readonly name: string; readonly esmtp: boolean } | undefined;
  /** Who has logged in. */
  login: Login | undefined;
  readonly #output: Output = new Output();
  /** An action that comes before whatever the state wants next. */
  #pending: SessionAction | undefined;
  #state: SessionState = "commands";
  /** What the connection is to do once the session has ended. */
  #closing: SessionAction = GONE;

  /**
   * @param rules What holds for all sessions of the listener.
   * @param peer What is known about this connection.
   * @param tally What was counted on it so far.
   */
  constructor(rules: SessionRules, peer: SessionPeer, tally: Tally) {
    this.rules = rules;
    this.peer = peer;
    this.tally = tally;
  }

  /** What comes next. */
  get state(): SessionState {
    return this.#state;
  }

  /** Whether nothing may be sent on this connection without a login. */
  get needsLogin(): boolean {
    return this.rules.authRequired && !this.peer.trusted;
  }

  /** Whether a login is required, and there was none yet. */
  get lacksLogin(): boolean {
    return this.needsLogin && this.login === undefined;
  }

  /** Whether so much is to be written that it must be, before anything else. */
  get isFull(): boolean {
    return this.#output.length >= MAX_OUTPUT_OCTETS;
  }

  /** Whether there is something to write. */
  get hasOutput(): boolean {
    return this.#output.length > 0;
  }

  /** Takes all replies since the last time, in one piece. */
  takeOutput(): Uint8Array {
    return this.#output.take();
  }

  /** Says something; too many errors are the last thing that is said. */
  reply(reply: SmtpReply): void {
    this.#output.add(reply);
    if (reply.code >= 500 && reply.code <= 504) this.countError();
  }

  /** Refuses a command, and notes it for the log. */
  refuse(verb: Verb | "", refusal: Refusal): void {
    this.tally.refused(verb, refusal, this.login?.user);
    this.reply(refusal);
  }

  /** Counts a command that has failed, and ends with one too many. */
  countError(): void {
    if (this.tally.error()) this.end(endings.tooManyErrors);
  }

  /** Ends, with a last reply or without. */
  end({ reply, reason, lingers }: Ending): void {
    if (reply !== undefined) this.#output.add(reply);
    // Whoever has sent more than was read may not have read its last reply.
    const linger = lingers || (reply !== undefined && this.input.length > 0);
    this.#state = "closed";
    this.#closing = { kind: "close", linger, reason };
  }

  /** What the connection is to do once the session has ended. */
  get closing(): SessionAction {
    return this.#closing;
  }

  /** What the client sends next is a command, a response, or a message. */
  expect(next: "commands" | "sasl" | "data"): void {
    this.#state = next;
  }

  /** Asks the connection something; nothing is read before the answer. */
  ask(question: Question, action: SessionAction): void {
    this.#state = question;
    this.#pending = action;
  }

  /** A question has its answer, if it is the one that is open. */
  answered(question: Question, method: string): void {
    if (this.#state !== question) {
      throw new Error(
        `Session.${method}() answers a question that is not open`,
      );
    }
    this.#state = "commands";
  }

  /** Tells the connection something before whatever comes next. */
  tell(action: SessionAction): void {
    this.#pending = action;
  }

  /** Takes what is to be asked or told. */
  takeAction(): SessionAction | undefined {
    const action = this.#pending;
    this.#pending = undefined;
    return action;
  }
}
