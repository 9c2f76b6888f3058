/**
 * The beginning of a session with the next hop: greeting, EHLO, STARTTLS, EHLO
 * again, AUTH. Each reply leads to one next step.
 *
 * @module
 */

import type { SmtpReply } from "../../smtp/protocol/replies.ts";
import { type Extensions, parseExtensions } from "./extensions.ts";
import { type Failure, type RelayReason, shown } from "./failures.ts";
import {
  type Dialogue,
  type Login,
  passwordDialogues,
  tokenDialogue,
} from "./login.ts";

/** What holds for all sessions with a next hop. */
export interface RelayRules {
  /** Our name, behind EHLO. */
  readonly serverName: string;
  /** Whether TLS must be there before anything else is said. */
  readonly tlsRequired: boolean;
  /** Who we are there; absent if the next hop wants no login. */
  readonly login: Login | undefined;
}

/** How safe a connection is. */
export interface RelayPeer {
  /** Whether it is encrypted. */
  readonly tls: boolean;
  /** Whether it can be. */
  readonly encryptable: boolean;
  /** Whether it never leaves the machine, so that it need not be. */
  readonly loopback: boolean;
}

/** What to do next. */
export type OpeningStep =
  /** Say a line; its reply leads on. */
  | { readonly kind: "say"; readonly line: string }
  /** Encrypt, then go on with `afterTls()`. */
  | { readonly kind: "startTls" }
  /** Begin again on a connection that can be encrypted. */
  | { readonly kind: "redial" }
  /** Get a token, then go on with `useToken`. */
  | { readonly kind: "getToken" }
  /** Done. */
  | { readonly kind: "opened" }
  | { readonly kind: "failed"; readonly failure: Failure };

/**
 * Codes that say nothing about our password: the mechanism is not known, not
 * implemented, or too weak for that server (RFC 4954 section 6), though some
 * offer it all the same.
 */
const NO_SUCH_MECHANISM: ReadonlySet<number> = new Set([500, 502, 504, 534]);

/** Which reply comes next. Only this file changes it. */
type State =
  | { readonly kind: "greeting" }
  | { readonly kind: "hello"; readonly verb: "EHLO" | "HELO" }
  | { readonly kind: "startTls" }
  | { readonly kind: "token"; readonly username: string }
  | {
    readonly kind: "login";
    readonly answers: readonly string[];
    /** What else there is to say if the next hop can't do this. */
    readonly others: readonly Dialogue[];
  }
  | { readonly kind: "opened" };

/** The beginning of one session. */
export class Opening {
  readonly #rules: RelayRules;
  readonly #peer: RelayPeer;
  #state: State = { kind: "greeting" };
  #extensions: Extensions = new Map();

  /**
   * @param rules What holds for all sessions with this next hop.
   * @param peer What is known about this connection.
   */
  constructor(rules: RelayRules, peer: RelayPeer) {
    this.#rules = rules;
    this.#peer = peer;
  }

  /** What the next hop can do. */
  get extensions(): Extensions {
    return this.#extensions;
  }

  /** Whether it ends with a login. */
  get hasLogin(): boolean {
    return this.#rules.login !== undefined;
  }

  /** Goes on with the reply to the last step; the first one is the greeting. */
  hear(reply: SmtpReply): OpeningStep {
    const state = this.#state;
    switch (state.kind) {
      case "greeting":
        return reply.code === 220 ? this.hello() : refused(reply);
      case "hello":
        return this.#greeted(reply, state.verb);
      case "startTls":
        return reply.code === 220
          ? { kind: "startTls" }
          : failed("relay-tls", shown(reply));
      case "login":
        return this.#challenged(reply, state);
      case "token":
      case "opened":
        return failed("relay-protocol", `unasked: ${shown(reply)}`);
      default:
        return state satisfies never;
    }
  }

  /** The beginning after STARTTLS: nothing of this one is known any more. */
  afterTls(): Opening {
    return new Opening(this.#rules, { ...this.#peer, tls: true });
  }

  /** Says who we are. */
  hello(verb: "EHLO" | "HELO" = "EHLO"): OpeningStep {
    this.#state = { kind: "hello", verb };
    return { kind: "say", line: `${verb} ${this.#rules.serverName}` };
  }

  /** Goes on with the token that was asked for. */
  useToken(token: string): OpeningStep {
    if (this.#state.kind !== "token") {
      throw new Error("Opening.useToken() answers no question");
    }
    return this.#logIn([tokenDialogue(this.#state.username, token)]);
  }

  #greeted(reply: SmtpReply, verb: "EHLO" | "HELO"): OpeningStep {
    if (reply.code !== 250) {
      // RFC 5321 section 3.2: a server that is older than EHLO.
      const isOld = verb === "EHLO" && reply.code >= 500;
      return isOld ? this.hello("HELO") : refused(reply);
    }
    if (verb === "EHLO") this.#extensions = parseExtensions(reply.text);
    if (this.#peer.tls) return this.#beginLogin();
    if (this.#extensions.has("STARTTLS")) {
      if (!this.#peer.encryptable) return { kind: "redial" };
      this.#state = { kind: "startTls" };
      return { kind: "say", line: "STARTTLS" };
    }
    return this.#rules.tlsRequired
      ? failed("relay-tls", "the next hop does not offer STARTTLS")
      : this.#beginLogin();
  }

  #beginLogin(): OpeningStep {
    const { login } = this.#rules;
    if (login === undefined) return this.#open();
    if (!this.#peer.tls && !this.#peer.loopback) {
      return failed("relay-tls", "credentials are not sent without TLS");
    }
    const offered = new Set(this.#extensions.get("AUTH"));
    if (login.kind === "token" && offered.has("XOAUTH2")) {
      this.#state = { kind: "token", username: login.username };
      return { kind: "getToken" };
    }
    const dialogues = login.kind === "password"
      ? passwordDialogues(login, offered)
      : [];
    if (dialogues.length > 0) return this.#logIn(dialogues);
    const mechanisms = [...offered].join(" ") || "no mechanism";
    return failed("relay-credentials", `the next hop offers ${mechanisms}`);
  }

  #logIn([dialogue, ...others]: readonly Dialogue[]): OpeningStep {
    if (dialogue === undefined) throw new Error("Opening has nothing to say");
    this.#state = { kind: "login", answers: dialogue.answers, others };
    return { kind: "say", line: dialogue.command };
  }

  #challenged(
    { code, enhanced = "" }: SmtpReply,
    { answers: [answer, ...answers], others }: State & { kind: "login" },
  ): OpeningStep {
    if (code === 235) return this.#open();
    if (code === 334 && answer !== undefined) {
      this.#state = { kind: "login", answers, others };
      return { kind: "say", line: answer };
    }
    if (NO_SUCH_MECHANISM.has(code) && others.length > 0) {
      return this.#logIn(others);
    }
    // Not its text: a server may repeat there what it was told.
    return failed("relay-credentials", shown({ code, text: enhanced }));
  }

  #open(): OpeningStep {
    this.#state = { kind: "opened" };
    return { kind: "opened" };
  }
}

function refused(reply: SmtpReply): OpeningStep {
  return failed("relay-unreachable", shown(reply));
}

function failed(reason: RelayReason, detail: string): OpeningStep {
  return { kind: "failed", failure: { reason, detail } };
}
