/**
 * Our side of a session with the next hop as a state machine: its octets go in,
 * ours and questions come out. It neither reads nor writes, and it never waits.
 *
 * @module
 */

import type { Mail } from "../../smtp/destination.ts";
import type { SmtpReply } from "../../smtp/protocol/replies.ts";
import type { RelayAction, RelayCommand } from "./actions.ts";
import { DotStuffer } from "./dot_stuffer.ts";
import { type Extensions, mailCommand } from "./extensions.ts";
import { type Failure, type RelayReason, shown } from "./failures.ts";
import type { Opening, OpeningStep } from "./opening.ts";
import { ReplyReader } from "./reply_reader.ts";

/** How long to wait for a reply, in milliseconds. RFC 5321 section 4.5.3.2. */
const REPLY_MS = 300_000;
const DATA_MS = 120_000;
const DOT_MS = 600_000;

/** How long to wait for the reply to RSET and QUIT, which need no work. */
const QUICK_MS = 10_000;

/** What the next hop says about our login, which only AUTH may be about. */
const LOGIN_CODES: ReadonlySet<number> = new Set([530, 534, 535, 538]);

/**
 * What servers say to a parameter of MAIL that they do not know, though some
 * offer its extension. RFC 5321 sections 4.1.1.11 and 4.2.4.
 */
const NO_SUCH_PARAMETER: ReadonlySet<number> = new Set([501, 504, 555]);

const NEED_DATA: RelayAction = { kind: "needData" };

/** What the session is at. Only this file changes it. */
type State =
  | { readonly kind: "opening" }
  /** The opening has asked for TLS, another connection or a token. */
  | { readonly kind: "asking" }
  | { readonly kind: "open" }
  /** The next hop waits for a message. */
  | { readonly kind: "body"; readonly stuffer: DotStuffer }
  | { readonly kind: "failed"; readonly failure: Failure };

/** A command that is not on its way yet. */
interface Unsent {
  readonly command: RelayCommand;
  readonly line: string;
}

const NOTHING: Uint8Array = new Uint8Array();

const encoder = new TextEncoder();

/** One session with the next hop. */
export class RelaySession {
  readonly #opening: Opening;
  readonly #replies = new ReplyReader();
  /** Lines that wait to be written, with their CRLFs. */
  #output = "";
  #state: State = { kind: "opening" };
  /** An action that comes before whatever the state wants next. */
  #action: RelayAction | undefined;
  /** Commands that have had no reply yet, in order. */
  readonly #pending: RelayCommand[] = [];
  /** Commands that must wait for the replies to those. */
  readonly #unsent: Unsent[] = [];
  /** What MAIL was said about last. */
  #mail: Mail | undefined;
  /** Whether MAIL has AUTH=<>, behind a login. */
  #saysAuth = true;

  /** @param opening The beginning, of which nothing has happened yet. */
  constructor(opening: Opening) {
    this.#opening = opening;
  }

  /** What the next hop can do. */
  get extensions(): Extensions {
    return this.#opening.extensions;
  }

  /** Why it is over; `undefined` as long as it is not. */
  get failure(): Failure | undefined {
    return this.#state.kind === "failed" ? this.#state.failure : undefined;
  }

  /**
   * How long to wait for what must come next, in milliseconds; `undefined`
   * where nothing need come: the next hop waits for us.
   */
  get waitMs(): number | undefined {
    const { kind } = this.#state;
    if (kind === "open") return waitMsOf(this.#pending[0]);
    return kind === "opening" ? REPLY_MS : undefined;
  }

  /** Takes in what the next hop has said. */
  receive(octets: Uint8Array): void {
    this.#replies.receive(octets);
  }

  /** Takes all that is to be written, in one piece. */
  takeOutput(): Uint8Array {
    const lines = this.#output;
    if (lines === "") return NOTHING;
    this.#output = "";
    return encoder.encode(lines);
  }

  /** Goes on as far as possible and says what it needs then. */
  next(): RelayAction {
    for (;;) {
      const waiting = this.#action;
      this.#action = undefined;
      const action = waiting ?? this.#step();
      if (action !== undefined) return action;
    }
  }

  /**
   * Answers `startTls`: the session that goes on over TLS. It knows nothing of
   * this one. What came in plain text behind the reply to STARTTLS stays behind
   * in this one's reader, which nobody reads any more: an attacker may have put
   * it there (RFC 3207 section 4.2, CVE-2021-38371).
   */
  afterTls(): RelaySession {
    if (this.#state.kind !== "asking") throw misused("afterTls");
    const opening = this.#opening.afterTls();
    const session = new RelaySession(opening);
    session.#open(opening.hello());
    return session;
  }

  /** Answers `getToken`. */
  useToken(token: string): void {
    if (this.#state.kind !== "asking") throw misused("useToken");
    this.#open(this.#opening.useToken(token));
  }

  /** Begins a transaction. */
  mail(mail: Mail): void {
    this.#mail = mail;
    this.#command("mail", this.#mailCommand(mail));
  }

  /** Adds a recipient. */
  rcpt(mailbox: string): void {
    this.#command("rcpt", `RCPT TO:<${mailbox}>`);
  }

  /** Asks for leave to send the message. */
  data(): void {
    this.#command("data", "DATA");
  }

  /** Ends a transaction. */
  rset(): void {
    this.#command("rset", "RSET");
  }

  /** Ends the session. */
  quit(): void {
    this.#command("quit", "QUIT");
  }

  /** A piece of the message as it is to be written. */
  body(octets: Uint8Array): Uint8Array {
    if (this.#state.kind !== "body") throw misused("body");
    return this.#state.stuffer.stuff(octets);
  }

  /** The message is whole: the octets that say so. */
  endOfBody(): Uint8Array {
    if (this.#state.kind !== "body") throw misused("endOfBody");
    const end = this.#state.stuffer.end();
    this.#state = { kind: "open" };
    this.#pending.push("dot");
    return end;
  }

  /** The next hop has closed the connection, or it has broken. */
  ended(detail: string): Failure {
    const { kind } = this.#state;
    const begun = kind === "open" || kind === "body";
    return this.#lose(begun ? "relay-closed" : "relay-unreachable", detail);
  }

  /** What must have come has not come in time. */
  timedOut(): Failure {
    return this.#lose("relay-timeout", "no reply in time");
  }

  #step(): RelayAction | undefined {
    const state = this.#state;
    if (state.kind === "failed") return state;
    if (state.kind === "asking") throw misused("next");
    const reply = this.#replies.next();
    if (reply === undefined) return NEED_DATA;
    if (reply === "malformed") this.#lose("relay-protocol", "this is no reply");
    else if (reply.code === 421) this.#fail("relay-unreachable", shown(reply));
    else this.#hear(reply, state.kind);
    return undefined;
  }

  #hear(reply: SmtpReply, state: "opening" | "open" | "body"): void {
    switch (state) {
      case "opening":
        return this.#open(this.#opening.hear(reply));
      case "open":
        return this.#replied(reply);
      case "body":
        return this.#interrupted(reply);
      default:
        state satisfies never;
    }
  }

  #open(step: OpeningStep): void {
    switch (step.kind) {
      case "say":
        this.#state = { kind: "opening" };
        return this.#say(step.line);
      case "startTls":
      case "redial":
      case "getToken":
        this.#state = { kind: "asking" };
        this.#action = step;
        return;
      case "opened":
        this.#state = { kind: "open" };
        this.#action = step;
        return;
      case "failed":
        this.#state = step;
        return;
      default:
        step satisfies never;
    }
  }

  #replied(reply: SmtpReply): void {
    const [command] = this.#pending;
    if (command === undefined) return this.#early(reply);
    if (LOGIN_CODES.has(reply.code)) {
      return void this.#fail("relay-credentials", shown(reply));
    }
    const isGood = command === "data" ? reply.code === 354 : reply.code < 300;
    if (!isGood && reply.code < 400) {
      return void this.#lose("relay-protocol", `${command}: ${shown(reply)}`);
    }
    if (command === "mail" && this.#saysMailAgain(reply.code)) return;
    this.#pending.shift();
    this.#action = { kind: "reply", command, reply };
    if (reply.code === 354) {
      this.#state = { kind: "body", stuffer: new DotStuffer() };
    } else this.#sendNext();
  }

  #mailCommand(mail: Mail): string {
    const { extensions, hasLogin } = this.#opening;
    return mailCommand(mail, extensions, hasLogin && this.#saysAuth);
  }

  /** Says MAIL again without AUTH=<>, if it may have been refused for that. */
  #saysMailAgain(code: number): boolean {
    const mail = this.#mail;
    const isAlone = this.#pending.length + this.#unsent.length === 1;
    const hadAuth = this.#opening.hasLogin && this.#saysAuth;
    if (!NO_SUCH_PARAMETER.has(code) || !hadAuth || !isAlone || !mail) {
      return false;
    }
    this.#saysAuth = false;
    this.#say(this.#mailCommand(mail));
    return true;
  }

  /** The next hop refuses a message that it has not read to its end. */
  #interrupted(reply: SmtpReply): void {
    this.#early(reply);
    if (reply.code < 400) return;
    this.#action = { kind: "reply", command: "dot", reply };
  }

  #early(reply: SmtpReply): void {
    this.#fail("relay-protocol", `unasked: ${shown(reply)}`);
  }

  #command(command: RelayCommand, line: string): void {
    // The command before may have found that nothing more can be said.
    if (this.#state.kind === "failed") return;
    // Nothing that has come through a parser of ours has any of these in it.
    // deno-lint-ignore no-control-regex -- they are what would end the line
    if (this.#state.kind !== "open" || /[\0-\x1f\x7f]/.test(line)) {
      throw misused(command);
    }
    this.#unsent.push({ command, line });
    this.#sendNext();
  }

  /** Sends as many commands as may be on their way at once (RFC 2920). */
  #sendNext(): void {
    while (this.#unsent.length > 0) {
      const isFirst = this.#pending.length === 0;
      if (!isFirst && !this.extensions.has("PIPELINING")) return;
      const next = this.#unsent.shift();
      if (next === undefined) return;
      this.#pending.push(next.command);
      if (isFirst) this.#say(next.line);
      else this.#output += `${next.line}\r\n`;
    }
  }

  /**
   * Says a line that a reply will come to. One that is here already was not
   * made for it.
   */
  #say(line: string): void {
    if (this.#replies.isEmpty) this.#output += `${line}\r\n`;
    else this.#fail("relay-protocol", "a reply has come before its command");
  }

  /** No more replies will come. With a dot on its way nobody knows its fate. */
  #lose(reason: RelayReason, detail: string): Failure {
    const isDot = this.#pending[0] === "dot";
    return this.#fail(isDot ? "relay-unknown" : reason, detail);
  }

  /** The session is over; the first reason stays. */
  #fail(reason: RelayReason, detail: string): Failure {
    if (this.#state.kind !== "failed") {
      this.#state = { kind: "failed", failure: { reason, detail } };
    }
    return this.#state.failure;
  }
}

function waitMsOf(command: RelayCommand | undefined): number | undefined {
  switch (command) {
    case undefined:
      return undefined;
    case "data":
      return DATA_MS;
    case "dot":
      return DOT_MS;
    case "rset":
    case "quit":
      return QUICK_MS;
    default:
      return REPLY_MS;
  }
}

function misused(method: string): Error {
  return new Error(`RelaySession.${method}() has no place here`);
}
