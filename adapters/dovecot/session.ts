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
import { userOf } from "../ask.ts";
import { plainIp } from "../../lib/addresses.ts";

/** How many exchanges of one connection may be open. */
const MAX_OPEN = 1_000;

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

/** One client's conversation. */
export interface DovecotSession {
  /** What to do when the client has connected. */
  open(): readonly DovecotAction[];
  /**
   * What to do about octets that have arrived.
   *
   * @param now Milliseconds of a clock that never goes back.
   */
  receive(octets: Uint8Array, now: number): readonly DovecotAction[];
  /** What to do about a result; nothing if nobody waits for it any more. */
  decided(id: number, result: AuthResult): readonly DovecotAction[];
}

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

/**
 * Makes a session for a client that has just connected.
 *
 * @param identity Who we are, to the client.
 * @param mechanisms What is on offer.
 */
export function newDovecotSession(
  identity: ServerIdentity,
  mechanisms: readonly Mechanism[] = DEFAULT_OFFER,
): DovecotSession {
  const readLines = newLineReader();
  const exchanges = new Map<number, Exchange>();
  const names = mechanisms.map(({ name }) => name);
  let actions: DovecotAction[] = [];
  let minor: number | undefined;
  let closed = false;
  let now = 0;

  function take(): readonly DovecotAction[] {
    const taken = actions;
    actions = [];
    return taken;
  }

  function send(text: string): void {
    actions.push({ kind: "send", text });
  }

  function close(why?: string): void {
    closed = true;
    actions.push({ kind: "close", ...(why === undefined ? {} : { why }) });
  }

  function ended(
    { mechanism, username, remoteIp }: Who,
    outcome: AuthEvent["outcome"],
    reason: AuthEvent["reason"],
  ): void {
    actions.push({
      kind: "ended",
      event: {
        kind: "auth",
        via: "dovecot",
        outcome,
        reason,
        mechanism,
        ...(username === "" ? {} : { username }),
        remoteIp,
        milliseconds: 0,
      },
    });
  }

  /**
   * Says that nobody could tell. Postfix and Exim take every FAIL for a wrong
   * password: only a connection that closes is a temporary failure to them.
   * Where several users share the connection it must stay, and those clients
   * know the code.
   */
  function temporary(id: number, { username, takesTemporary }: Who): void {
    if (!takesTemporary && !isShared()) return close();
    send(formatFail(id, username, "code=temp_fail", "temp"));
  }

  /** Whether somebody else would be hurt if the connection were closed. */
  function isShared(): boolean {
    if (minor !== undefined && minor >= 2) return true;
    // A version 1.0 client asks one question at a time; what else is open was
    // cancelled without a word.
    for (const { kind } of exchanges.values()) {
      if (kind === "asking" || minor !== 0) return true;
    }
    return false;
  }

  function refuse(id: number, who: Who, error: SaslError): void {
    if (!isTold(who)) {
      ended(who, error.code === 535 ? "invalid" : "error", error.reason);
    }
    // Explained or not, a failure is no wrong password.
    if (error.code === 454) return temporary(id, who);
    const code = error.reason === "bad-base64" ? ["code=invalid_base64"] : [];
    send(formatFail(id, who.username, `reason=${error.text}`, ...code));
  }

  /** Goes on with an exchange. */
  function proceed(id: number, who: Who, step: SaslStep): void {
    switch (step.kind) {
      case "challenge": {
        const known = whoOf(who, step.mechanism, step.username);
        const waiting = {
          kind: "waiting",
          challenge: step,
          since: now,
        } as const;
        exchanges.set(id, { ...known, ...waiting });
        return send(formatCont(id, step.challenge));
      }
      case "credentials": {
        const { mechanism, username, password } = step;
        const { remoteIp } = who;
        const known = whoOf(who, mechanism, username);
        exchanges.set(id, { ...known, kind: "asking", step });
        // The protocol has no field for the client's EHLO.
        const request = {
          username,
          password,
          mechanism,
          remoteIp,
          heloName: "",
        };
        actions.push({ kind: "ask", id, request });
        return;
      }
      case "error":
        return refuse(id, who, step);
      default:
        step satisfies never;
    }
  }

  function begin(command: DovecotCommand & { kind: "auth" }): void {
    const { id, mechanism, fields, response } = command;
    const who: Who = {
      mechanism: findMechanism(mechanism, mechanisms)?.name ?? "",
      username: "",
      remoteIp: plainIp(fields.get("rip")),
      takesTemporary: fields.has("final-resp-ok"),
    };
    if (!makeRoom()) {
      ended(who, "failure", "provider-failure");
      return temporary(id, who);
    }
    // Exim sends the field whether or not there is an initial response.
    const absent = response === "" && (minor ?? 0) < 2;
    const initial = response === "" ? "=" : response;
    const first = absent ? undefined : initial;
    proceed(id, who, startSasl(mechanism, first, { mechanisms }));
  }

  /** Drops what has waited too long, or longest if there is too much of it. */
  function makeRoom(): boolean {
    for (const [id, exchange] of exchanges) {
      const late = exchange.kind === "waiting" &&
        exchange.since + WAIT_MS < now;
      if (late) forget(id, exchange);
    }
    if (exchanges.size < MAX_OPEN) return true;
    for (const [id, exchange] of exchanges) {
      if (exchange.kind === "asking") continue;
      forget(id, exchange);
      return true;
    }
    return false;
  }

  function forget(id: number, exchange: Exchange): void {
    exchanges.delete(id);
    if (!isTold(exchange)) ended(exchange, "error", "cancelled");
    // To the others it was cancelled long ago.
    if (minor !== 0) temporary(id, exchange);
  }

  function proceedWith(id: number, response: string): void {
    const exchange = exchanges.get(id);
    if (exchange?.kind === "asking") {
      return close("CONT for a request that is being decided");
    }
    exchanges.delete(id);
    // Forgotten here, so it is no fault of the user's.
    if (exchange === undefined) return temporary(id, NOBODY);
    proceed(
      id,
      exchange,
      continueSasl(exchange.challenge, response, { mechanisms }),
    );
  }

  function badRequest(id: number, tooLong: boolean): void {
    const exchange = exchanges.get(id);
    exchanges.delete(id);
    if (exchange?.kind === "asking") actions.push({ kind: "drop", id });
    const { lineTooLong, malformed } = SASL_ERRORS;
    refuse(id, exchange ?? NOBODY, tooLong ? lineTooLong : malformed);
  }

  function cancel(id: number): void {
    const exchange = exchanges.get(id);
    if (exchange === undefined) return;
    exchanges.delete(id);
    if (exchange.kind === "asking") actions.push({ kind: "drop", id });
    else if (!isTold(exchange)) ended(exchange, "error", "cancelled");
  }

  function obey(command: DovecotCommand): void {
    if (command.kind !== "version" && command.kind !== "bad") {
      if (minor === undefined) return close("no VERSION");
    }
    switch (command.kind) {
      case "version":
        if (command.major !== 1) return close("another major version");
        minor = command.minor;
        return;
      case "cpid":
        return;
      case "auth":
        if (exchanges.has(command.id)) return close("an id in use");
        return begin(command);
      case "cont":
        return proceedWith(command.id, command.response);
      case "cancel":
        return cancel(command.id);
      case "badRequest":
        return badRequest(command.id, command.tooLong);
      case "bad":
        return close(command.why);
      default:
        command satisfies never;
    }
  }

  return {
    open() {
      send(formatServerHandshake(names, identity));
      return take();
    },
    receive(octets, at) {
      now = at;
      for (const line of readLines(octets)) {
        if (closed) break;
        obey(readCommand(line));
      }
      return take();
    },
    decided(id, result) {
      const exchange = exchanges.get(id);
      if (closed || exchange?.kind !== "asking") return [];
      exchanges.delete(id);
      const { username, step } = exchange;
      const last = finishSasl(step, result, { mechanisms });
      if (last.kind === "challenge") {
        proceed(id, exchange, last);
        return take();
      }
      switch (result.decision) {
        case "authOk":
          send(formatOk(id, userOf(result, username)));
          break;
        case "authInvalid":
          // Ours are the same words for a user who does not exist.
          send(formatFail(id, username, `reason=${last.reply.text}`));
          break;
        case "authFailure":
          temporary(id, exchange);
          break;
        default:
          result satisfies never;
      }
      return take();
    },
  };
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
