/**
 * One client of the Dovecot authentication protocol: octets in, actions out.
 * It neither reads nor writes.
 *
 * @module
 */

import { findMechanism, type Mechanism } from "../../auth/sasl/mechanism.ts";
import { DEFAULT_OFFER } from "../../auth/sasl/offer.ts";
import { continueSasl, finishSasl, startSasl } from "../../auth/sasl/sasl.ts";
import {
  SASL_ERRORS,
  type SaslChallenge,
  type SaslCredentials,
  type SaslError,
  type SaslStep,
} from "../../auth/sasl/steps.ts";
import type { AuthRequest, AuthResult } from "../../auth/types.ts";
import { newLineReader } from "./lines.ts";
import {
  type DovecotCommand,
  formatCont,
  formatFail,
  formatOk,
  formatServerHandshake,
  readCommand,
  type ServerIdentity,
} from "./protocol.ts";
import type { AuthEvent } from "../../auth/events.ts";
import { type Unasked, unaskedEvent, userOf } from "../ask.ts";
import { plainIp } from "../../lib/addresses.ts";

/** How many exchanges of one connection may be open. */
const MAX_OPEN = 1_000;

/**
 * How many characters may be in the user names of all that wait: enough for a
 * thousand users, where a stranger may have one of 9,000 kept with each AUTH.
 */
const MAX_NAMES_LENGTH = 131_072;

/**
 * How long an exchange may wait for its client, in milliseconds. Postfix does
 * not say when its client has cancelled, so that such exchanges stay.
 */
const WAIT_MS = 300_000;

/** What a session wants done, in this order. */
export type DovecotAction =
  | { readonly kind: "send"; readonly text: string }
  /** Ask the provider, then call `decided`. */
  | {
    readonly kind: "ask";
    readonly id: number;
    readonly request: AuthRequest;
  }
  /** Stop asking: nobody waits for the answer. */
  | { readonly kind: "drop"; readonly id: number }
  /** For the log: an exchange that ended before a provider was asked. */
  | { readonly kind: "ended"; readonly event: Omit<AuthEvent, "id"> }
  /**
   * Close the connection: for what is the client's fault, or because that is
   * how it understands that nobody could tell.
   */
  | { readonly kind: "close"; readonly why?: string };

/** Who an exchange is about, as far as it is known. */
interface Who {
  readonly mechanism: string;
  readonly username: string;
  readonly remoteIp: string;
  /** The client can take a temporary failure as an answer. */
  readonly takesTemporary: boolean;
}

type Exchange =
  & Who
  & (
    | {
      readonly kind: "waiting";
      readonly challenge: SaslChallenge;
      readonly since: number;
    }
    | { readonly kind: "asking"; readonly step: SaslCredentials }
  );

/** One client's conversation. */
export class DovecotSession {
  readonly #identity: ServerIdentity;
  readonly #offer: { readonly mechanisms: readonly Mechanism[] };
  readonly #readLines = newLineReader();
  readonly #exchanges = new Map<number, Exchange>();
  /** What is to be done that was not handed out yet. */
  #actions: DovecotAction[] = [];
  /** The client's minor version, once it has said it. */
  #minor: number | undefined;
  #closed = false;
  #now = 0;

  /**
   * A session for a client that has just connected.
   *
   * @param identity Who we are, to the client.
   * @param mechanisms What is on offer.
   */
  constructor(
    identity: ServerIdentity,
    mechanisms: readonly Mechanism[] = DEFAULT_OFFER,
  ) {
    this.#identity = identity;
    this.#offer = { mechanisms };
  }

  /** What to do when the client has connected. */
  open(): readonly DovecotAction[] {
    const names = this.#offer.mechanisms.map(({ name }) => name);
    this.#send(formatServerHandshake(names, this.#identity));
    return this.#take();
  }

  /**
   * What to do about octets that have arrived.
   *
   * @param now Milliseconds of a clock that never goes back.
   */
  receive(octets: Uint8Array, now: number): readonly DovecotAction[] {
    this.#now = now;
    for (const line of this.#readLines(octets)) {
      if (this.#closed) break;
      this.#obey(readCommand(line));
    }
    return this.#take();
  }

  /** What to do about a result; nothing if nobody waits for it any more. */
  decided(id: number, result: AuthResult): readonly DovecotAction[] {
    const exchange = this.#exchanges.get(id);
    if (this.#closed || exchange?.kind !== "asking") return [];
    this.#exchanges.delete(id);
    const { username, step } = exchange;
    const last = finishSasl(step, result, this.#offer);
    if (last.kind === "challenge") {
      this.#proceed(id, exchange, last);
      return this.#take();
    }
    switch (result.decision) {
      case "authOk":
        this.#send(formatOk(id, userOf(result, username)));
        break;
      case "authInvalid":
        // Ours are the same words for a user who does not exist.
        this.#send(formatFail(id, username, `reason=${last.reply.text}`));
        break;
      case "authFailure":
        this.#temporary(id, exchange);
        break;
      default:
        result satisfies never;
    }
    return this.#take();
  }

  #take(): readonly DovecotAction[] {
    const taken = this.#actions;
    this.#actions = [];
    return taken;
  }

  #send(text: string): void {
    this.#actions.push({ kind: "send", text });
  }

  #close(why?: string): void {
    this.#closed = true;
    this.#actions.push({
      kind: "close",
      ...(why === undefined ? {} : { why }),
    });
  }

  #ended(who: Who, why: Unasked): void {
    const event = unaskedEvent("dovecot", why, who);
    this.#actions.push({ kind: "ended", event });
  }

  /**
   * Says that nobody could tell. Postfix and Exim take every FAIL for a wrong
   * password: only a connection that closes is a temporary failure to them.
   * Where several users share the connection it must stay, and those clients
   * know the code.
   */
  #temporary(id: number, { username, takesTemporary }: Who): void {
    if (!takesTemporary && !this.#isShared()) return this.#close();
    this.#send(formatFail(id, username, "code=temp_fail", "temp"));
  }

  /** Whether somebody else would be hurt if the connection were closed. */
  #isShared(): boolean {
    if (this.#minor !== undefined && this.#minor >= 2) return true;
    // A version 1.0 client asks one question at a time; what else is open was
    // cancelled without a word.
    for (const { kind } of this.#exchanges.values()) {
      if (kind === "asking" || this.#minor !== 0) return true;
    }
    return false;
  }

  #refuse(id: number, who: Who, error: SaslError): void {
    if (!isTold(who)) this.#ended(who, error);
    // Explained or not, a failure is no wrong password.
    if (error.code === 454) return this.#temporary(id, who);
    const code = error.reason === "bad-base64" ? ["code=invalid_base64"] : [];
    this.#send(formatFail(id, who.username, `reason=${error.text}`, ...code));
  }

  /** Goes on with an exchange. */
  #proceed(id: number, who: Who, step: SaslStep): void {
    switch (step.kind) {
      case "challenge": {
        const known = whoOf(who, step.mechanism, step.username);
        const waiting = {
          kind: "waiting",
          challenge: step,
          since: this.#now,
        } as const;
        this.#exchanges.set(id, { ...known, ...waiting });
        return this.#send(formatCont(id, step.challenge));
      }
      case "credentials": {
        const { mechanism, username, password } = step;
        const { remoteIp } = who;
        const known = whoOf(who, mechanism, username);
        this.#exchanges.set(id, { ...known, kind: "asking", step });
        // The protocol has no field for the client's EHLO.
        const request = {
          username,
          password,
          mechanism,
          remoteIp,
          heloName: "",
        };
        this.#actions.push({ kind: "ask", id, request });
        return;
      }
      case "error":
        return this.#refuse(id, who, step);
      default:
        step satisfies never;
    }
  }

  #begin(command: DovecotCommand & { kind: "auth" }): void {
    const { id, mechanism, fields, response } = command;
    const who: Who = {
      mechanism: findMechanism(mechanism, this.#offer.mechanisms)?.name ?? "",
      username: "",
      remoteIp: plainIp(fields.get("rip")),
      takesTemporary: fields.has("final-resp-ok"),
    };
    if (!this.#makeRoom()) {
      this.#ended(who, { code: 454, reason: "provider-failure" });
      return this.#temporary(id, who);
    }
    // Exim sends the field whether or not there is an initial response.
    const absent = response === "" && (this.#minor ?? 0) < 2;
    const initial = response === "" ? "=" : response;
    const first = absent ? undefined : initial;
    this.#proceed(id, who, startSasl(mechanism, first, this.#offer));
  }

  /** Drops what has waited too long, or longest if there is too much of it. */
  #makeRoom(): boolean {
    let length = 0;
    for (const [id, exchange] of this.#exchanges) {
      if (exchange.kind === "asking") continue;
      const isLate = exchange.since + WAIT_MS < this.#now;
      if (isLate) this.#forget(id, exchange);
      else length += exchange.username.length;
    }
    for (const [id, exchange] of this.#exchanges) {
      const hasRoom = this.#exchanges.size < MAX_OPEN &&
        length < MAX_NAMES_LENGTH;
      if (hasRoom) break;
      if (exchange.kind === "asking") continue;
      length -= exchange.username.length;
      this.#forget(id, exchange);
    }
    return this.#exchanges.size < MAX_OPEN;
  }

  #forget(id: number, exchange: Exchange): void {
    this.#exchanges.delete(id);
    if (!isTold(exchange)) this.#ended(exchange, SASL_ERRORS.cancelled);
    // To the others it was cancelled long ago.
    if (this.#minor !== 0) this.#temporary(id, exchange);
  }

  #proceedWith(id: number, response: string): void {
    const exchange = this.#exchanges.get(id);
    if (exchange?.kind === "asking") {
      return this.#close("CONT for a request that is being decided");
    }
    this.#exchanges.delete(id);
    // Forgotten here, so it is no fault of the user's.
    if (exchange === undefined) return this.#temporary(id, NOBODY);
    const next = continueSasl(exchange.challenge, response, this.#offer);
    this.#proceed(id, exchange, next);
  }

  #badRequest(id: number, tooLong: boolean): void {
    const exchange = this.#exchanges.get(id);
    this.#exchanges.delete(id);
    if (exchange?.kind === "asking") this.#actions.push({ kind: "drop", id });
    const { lineTooLong, malformed } = SASL_ERRORS;
    this.#refuse(id, exchange ?? NOBODY, tooLong ? lineTooLong : malformed);
  }

  #cancel(id: number): void {
    const exchange = this.#exchanges.get(id);
    if (exchange === undefined) return;
    this.#exchanges.delete(id);
    if (exchange.kind === "asking") this.#actions.push({ kind: "drop", id });
    else if (!isTold(exchange)) this.#ended(exchange, SASL_ERRORS.cancelled);
  }

  #obey(command: DovecotCommand): void {
    if (command.kind !== "version" && command.kind !== "bad") {
      if (this.#minor === undefined) return this.#close("no VERSION");
    }
    switch (command.kind) {
      case "version":
        if (command.major !== 1) return this.#close("another major version");
        this.#minor = command.minor;
        return;
      case "cpid":
        return;
      case "auth":
        if (this.#exchanges.has(command.id)) return this.#close("an id in use");
        return this.#begin(command);
      case "cont":
        return this.#proceedWith(command.id, command.response);
      case "cancel":
        return this.#cancel(command.id);
      case "badRequest":
        return this.#badRequest(command.id, command.tooLong);
      case "bad":
        return this.#close(command.why);
      default:
        command satisfies never;
    }
  }
}

/** Who it is, with what the exchange has brought, and nothing else of it. */
function whoOf(
  { remoteIp, takesTemporary }: Who,
  mechanism: string,
  username = "",
): Who {
  return { mechanism, username, remoteIp, takesTemporary };
}

/** Whether the decision was told already, and only its reply is to come. */
function isTold(exchange: Who | Exchange): boolean {
  return "kind" in exchange && exchange.kind === "waiting" &&
    exchange.challenge.refusal !== undefined;
}

const NOBODY: Who = {
  mechanism: "",
  username: "",
  remoteIp: "",
  takesTemporary: false,
};
