/**
 * A client of a Session: it feeds octets, answers the session's questions as a
 * connection would, and keeps what came out.
 *
 * @module
 */

import type { SmtpReply } from "../../auth/replies.ts";
import type {
  AuthOutcome,
  SessionAction,
  SessionPeer,
  SessionRules,
} from "../../smtp/protocol/actions.ts";
import { DEFAULT_OFFER } from "../../auth/sasl/offer.ts";
import type { Envelope } from "../../smtp/protocol/envelope.ts";
import * as replies from "../../smtp/protocol/replies.ts";
import { Session } from "../../smtp/protocol/session.ts";
import { decide } from "./decide.ts";

/** The rules of tests, where a test does not say otherwise. */
export const RULES: SessionRules = {
  serverName: "mail.example.org",
  maxMessageOctets: 26_214_400,
  authRequired: true,
  asksAboutMail: false,
  mechanisms: DEFAULT_OFFER,
  normalizeNewlines: false,
  maxRecipients: 100,
  maxAuthFailures: 3,
  startTls: false,
};

/** The connection of tests: in plain text, on a loopback address. */
export const PEER: SessionPeer = {
  id: "client1",
  remoteIp: "192.0.2.7",
  tls: false,
  plainTextAuth: true,
  trusted: false,
};

/** What differs from the rules and the connection of most tests. */
export interface ClientOptions {
  /** Default: {@linkcode RULES}. */
  readonly rules?: Partial<SessionRules>;
  /** Default: {@linkcode PEER}. */
  readonly peer?: Partial<SessionPeer>;
  /** What becomes of messages. Default: accepted. */
  readonly deliver?: SmtpReply;
  /** Who decides about logins. Default: {@linkcode decide}. */
  readonly decide?: typeof decide;
}

/** A message as the actions told of it. */
export interface SeenMessage {
  readonly envelope: Envelope;
  /** The body, one character per octet. */
  readonly body: string;
  /** Whether the session said that the message will be refused. */
  readonly bad: boolean;
}

/** A new session with the rules and the connection of tests. */
export function newSession(options: ClientOptions = {}): Session {
  return new Session(
    { ...RULES, ...options.rules },
    { ...PEER, ...options.peer },
  );
}

/** One connection to a session, from the client's side. */
export class SessionClient {
  /** The session; another one after STARTTLS. */
  session: Session;
  /** Every action but needData, in order. */
  readonly actions: SessionAction[] = [];
  /** Everything the server has said, one character per octet. */
  output = "";
  /** Whether the server has closed. */
  closed = false;
  /** How many octets each message had at its end. */
  readonly octets: number[] = [];
  /** How often TLS was begun. */
  upgrades = 0;
  /** The most octets that waited when the session asked for more. */
  mostWaiting = 0;
  readonly #deliver: SmtpReply;
  readonly #decide: typeof decide;

  constructor(options: ClientOptions = {}) {
    this.#decide = options.decide ?? decide;
    this.session = newSession(options);
    this.#deliver = options.deliver ?? replies.accepted;
  }

  /** Connects; returns the greeting. */
  connect(): string {
    this.session.greet();
    return this.run();
  }

  /**
   * Sends octets (or characters, one octet each) in pieces of a size and
   * returns what the server says to them. What stands behind a STARTTLS came
   * in plain text and ends with it.
   */
  send(octets: Uint8Array | string, pieceSize: number = Infinity): string {
    const whole = typeof octets === "string" ? latin1(octets) : octets;
    const { upgrades } = this;
    let output = "";
    for (let at = 0; at < whole.length;) {
      const end = Math.min(at + pieceSize, whole.length);
      this.session.receive(whole.subarray(at, end));
      output += this.run();
      if (this.closed || this.upgrades > upgrades) break;
      at = end;
    }
    return output;
  }

  /** Lets the session go on as far as it can; returns what it says. */
  run(): string {
    const said = this.output.length;
    while (!this.closed) {
      const action = this.session.next();
      if (action.kind === "needData") break;
      if (action.kind === "flush") {
        this.output += textOf(this.session.takeOutput());
        continue;
      }
      this.actions.push(action);
      this.#answer(action);
    }
    this.mostWaiting = Math.max(this.mostWaiting, this.session.waiting);
    this.output += textOf(this.session.takeOutput());
    return this.output.slice(said);
  }

  /** The outcomes of all AUTH commands. */
  outcomes(): AuthOutcome[] {
    return this.actions.flatMap((action) =>
      action.kind === "authEnded" ? [action.outcome] : []
    );
  }

  /** The messages, their bodies in one piece. */
  messages(): SeenMessage[] {
    const messages: SeenMessage[] = [];
    for (const action of this.actions) {
      if (action.kind === "message") {
        messages.push({ envelope: action.envelope, body: "", bad: false });
        continue;
      }
      const last = messages.pop();
      if (last !== undefined) messages.push(extended(last, action));
    }
    return messages;
  }

  #answer(action: SessionAction): void {
    const { session } = this;
    switch (action.kind) {
      case "authenticate":
        return session.decided(this.#decide(action.request));
      case "endOfMessage":
        this.octets.push(session.received.octets);
        session.delivered(this.#deliver);
        return;
      case "close":
        this.closed = true;
        return;
      case "startTls":
        this.output += textOf(session.takeOutput());
        this.upgrades++;
        this.session = session.afterTls();
        return;
    }
  }
}

function extended(message: SeenMessage, action: SessionAction): SeenMessage {
  switch (action.kind) {
    case "body":
      return { ...message, body: message.body + textOf(action.octets) };
    case "badBody":
      return { ...message, bad: true };
    default:
      return message;
  }
}

/** Octets as a text with one character each. */
export function textOf(octets: Uint8Array): string {
  let text = "";
  for (let at = 0; at < octets.length; at += 4096) {
    text += String.fromCharCode(...octets.subarray(at, at + 4096));
  }
  return text;
}

/** A text as octets, one for each character. */
export function latin1(text: string): Uint8Array<ArrayBuffer> {
  const octets = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) octets[at] = text.charCodeAt(at);
  return octets;
}
