/**
 * AUTH in a session (RFC 4954): from the command over challenges and decision
 * to the one end that the log reads.
 *
 * @module
 */

import { type AuthReason, isThrottled, reasonOf } from "../../auth/reasons.ts";
import { decisionReply, type SmtpReply } from "../../auth/replies.ts";
import { findMechanism } from "../../auth/sasl/mechanism.ts";
import { continueSasl, finishSasl, startSasl } from "../../auth/sasl/sasl.ts";
import {
  SASL_ERRORS,
  type SaslChallenge,
  type SaslCredentials,
  type SaslStep,
} from "../../auth/sasl/steps.ts";
import type { AuthRequest, AuthResult } from "../../auth/types.ts";
import type { AuthRefusal } from "./auth_refusals.ts";
import { words } from "./commands.ts";
import type { Dialogue } from "./dialogue.ts";
import * as endings from "./endings.ts";
import { newLogin } from "./login.ts";
import { authOutOfPlace, type SessionStanding } from "./sequence.ts";

/** Whom an AUTH is about, as far as that is known. */
type AuthWho =
  & Pick<SaslChallenge, "mechanism" | "refusal">
  & { readonly username?: string | undefined };

/** Why an AUTH ends. */
interface AuthWhy {
  readonly reason: AuthReason;
  readonly detail?: string | undefined;
}

/** The AUTH commands of a session. */
export class AuthDialogue {
  readonly #dialogue: Dialogue;
  /** What the client is to respond to, or what is being decided. */
  #step: SaslChallenge | SaslCredentials | undefined;

  /** @param dialogue What is said on the connection. */
  constructor(dialogue: Dialogue) {
    this.#dialogue = dialogue;
  }

  /** The client has said AUTH. */
  begin(args: string, now: SessionStanding): void {
    const refusal = authOutOfPlace(now);
    if (refusal !== undefined) return this.refuse(refusal, args);
    const { rules } = this.#dialogue;
    const [mechanism, response, more] = words(args);
    const step = more === undefined
      ? startSasl(mechanism, response, rules)
      : SASL_ERRORS.noMechanism;
    // Only an error does not say by itself which mechanism it is about.
    const who = step.kind === "error"
      ? { mechanism: this.#mechanismIn(args) }
      : step;
    this.#advance(step, who);
  }

  /** The client has said AUTH out of its place, or so that it means nothing. */
  refuse(refusal: AuthRefusal, args: string): void {
    this.#end(refusal, refusal, { mechanism: this.#mechanismIn(args) });
  }

  /** The client has sent a line that begins with AUTH, and is far too long. */
  refuseLongLine(): void {
    this.#advance(SASL_ERRORS.lineTooLong, { mechanism: "" });
  }

  /**
   * The client has responded to the challenge.
   *
   * @param response The line; `undefined` if it was too long.
   */
  respond(response: string | undefined): void {
    const step = this.#step;
    if (step?.kind !== "challenge") throw new Error("There is no challenge");
    const next = response === undefined
      ? SASL_ERRORS.lineTooLong
      : continueSasl(step, response, this.#dialogue.rules);
    this.#advance(next, step);
  }

  /** The provider has decided. */
  decided(result: AuthResult): void {
    this.#dialogue.answered("deciding", "decided");
    const step = this.#step;
    if (step?.kind !== "credentials") throw new Error("Nothing was asked");
    const { mechanism, username } = step;
    const who = { mechanism, username };
    if (result.decision === "authOk") {
      const login = this.#dialogue.login = newLogin(result, username);
      who.username = login.user;
      this.#dialogue.tally.loggedIn();
    }
    const last = finishSasl(step, result, this.#dialogue.rules);
    const { detail } = result;
    const reason = reasonOf(result);
    const why = { reason, detail };
    if (last.kind === "done") return this.#end(last.reply, why, who);
    // It is decided, whether or not the client stays to hear it.
    this.#tell(decisionReply(result).code, why, who);
    this.#challenge(last);
  }

  /** The connection is over: tells of an AUTH that waited for a response. */
  abandon(): void {
    const step = this.#step;
    this.#step = undefined;
    // With a refusal in it, it has been told already.
    if (step?.kind !== "challenge" || step.refusal !== undefined) return;
    if (this.#dialogue.state === "closed") {
      // We did not wait.
      return this.#tell(421, { reason: "interrupted" }, step);
    }
    this.#tell(undefined, { reason: "client-gone" }, step);
    this.#dialogue.end(endings.clientGone);
  }

  /**
   * The mechanism that AUTH names, if it is one of ours. Anything else may be a
   * response gone astray, and is not for the log.
   */
  #mechanismIn(args: string): string {
    const [word = ""] = words(args);
    return findMechanism(word, this.#dialogue.rules.mechanisms)?.name ?? "";
  }

  /** @param before What the client has answered, or as much of it as is known. */
  #advance(step: SaslStep, before: AuthWho): void {
    switch (step.kind) {
      case "challenge":
        return this.#challenge(step);
      case "credentials":
        return this.#ask(step);
      case "error":
        return before.refusal === undefined
          ? this.#end(step, step, before)
          : this.#answer(step, step.reason);
      default:
        step satisfies never;
    }
  }

  #challenge(step: SaslChallenge): void {
    this.#step = step;
    this.#dialogue.expect("sasl");
    this.#dialogue.reply({ code: 334, text: step.challenge });
  }

  #ask(step: SaslCredentials): void {
    const { username, password, mechanism } = step;
    const { peer, hello } = this.#dialogue;
    const request: AuthRequest = {
      username,
      password,
      mechanism,
      remoteIp: peer.remoteIp,
      heloName: hello?.name ?? "",
    };
    this.#step = step;
    this.#dialogue.ask("deciding", { kind: "authenticate", request });
  }

  /** An AUTH ends with a reply. */
  #end(reply: SmtpReply, why: AuthWhy, who: AuthWho): void {
    this.#tell(reply.code, why, who);
    this.#answer(reply, why.reason);
  }

  /** Every AUTH is told of here, once. */
  #tell(
    code: number | undefined,
    { reason, detail }: AuthWhy,
    { mechanism, username }: AuthWho,
  ): void {
    const outcome = {
      ...(code === undefined ? {} : { code }),
      reason,
      ...(detail === undefined ? {} : { detail }),
      mechanism,
      // A token may come without a name.
      ...(username === undefined || username === "" ? {} : { username }),
    };
    this.#dialogue.tell({ kind: "authEnded", outcome });
  }

  /** The client reads how its AUTH ended, and perhaps that it may go. */
  #answer(reply: SmtpReply, reason: AuthReason): void {
    this.#step = undefined;
    const { rules, tally } = this.#dialogue;
    this.#dialogue.expect("commands");
    this.#dialogue.reply(reply);
    // Otherwise it would cost nothing to go on guessing.
    if (isThrottled(reason)) this.#dialogue.countError();
    if (reply.code === 535 && tally.authFailure(rules.maxAuthFailures)) {
      this.#dialogue.end(endings.tooManyFailures);
    }
  }
}
