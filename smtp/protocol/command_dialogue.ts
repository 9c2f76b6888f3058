/**
 * Commands in a session (RFC 5321 section 4.1): a line is read, found to be a
 * command in its place or not, and obeyed.
 *
 * @module
 */

import { MAX_RESPONSE_OCTETS } from "../../auth/sasl/sasl.ts";
import { hasControls } from "../../lib/text.ts";
import { NEED_DATA, type SessionAction } from "./actions.ts";
import * as authRefusals from "./auth_refusals.ts";
import { AuthDialogue } from "./auth_dialogue.ts";
import { type Command, lineText, parseCommand, type Verb } from "./commands.ts";
import type { Dialogue } from "./dialogue.ts";
import * as endings from "./endings.ts";
import { helloReply } from "./hello.ts";
import { TOO_LONG } from "./input.ts";
import { MailDialogue } from "./mail_dialogue.ts";
import * as refusals from "./refusals.ts";
import * as replies from "./replies.ts";
import { outOfPlace, type SessionStanding } from "./sequence.ts";

/**
 * The longest command line but AUTH in octets, without its CRLF. RFC 5321
 * section 4.5.3.1.4 wants 512; parameters and long paths add to that.
 */
const MAX_COMMAND_OCTETS = 4096;

const FLUSH: SessionAction = { kind: "flush" };
const START_TLS: SessionAction = { kind: "startTls" };

/** The commands of a session, and what they lead to. */
export class CommandDialogue {
  /** Whether the listener stops: then nothing more is waited for. */
  isStopping = false;
  readonly #dialogue: Dialogue;
  /** Made when they are needed: most connections that wait have neither. */
  #auth: AuthDialogue | undefined;
  #mail: MailDialogue | undefined;

  /** @param dialogue What is said on the connection. */
  constructor(dialogue: Dialogue) {
    this.#dialogue = dialogue;
  }

  /** The AUTH commands. */
  get auth(): AuthDialogue {
    return this.#auth ??= new AuthDialogue(this.#dialogue);
  }

  /** The mail transactions. */
  get mail(): MailDialogue {
    return this.#mail ??= new MailDialogue(this.#dialogue);
  }

  /** Whether a mail transaction is under way. */
  get inTransaction(): boolean {
    return this.#mail?.transaction !== undefined;
  }

  /** The connection is over: tells of an AUTH that was under way. */
  abandonAuth(): void {
    this.#auth?.abandon();
  }

  /** Reads a command and obeys it; what is needed if there is none yet. */
  readCommand(): SessionAction | undefined {
    const { input, tally } = this.#dialogue;
    // Whatever exchange there was is over.
    this.#auth = undefined;
    if (this.#dialogue.isFull) return FLUSH;
    if (!input.atLine()) return this.#idle();
    const isAuth = input.startsWith("AUTH");
    const line = input.readLine(
      isAuth ? MAX_RESPONSE_OCTETS : MAX_COMMAND_OCTETS,
    );
    if (line === undefined) return this.#idle();
    if (this.#dialogue.lacksLogin && tally.command()) {
      this.#dialogue.end(endings.tooManyCommands);
    } else if (line !== TOO_LONG) {
      this.#command(parseCommand(line), isAuth);
    } else if (isAuth) {
      this.auth.refuseLongLine();
    } else {
      this.#dialogue.refuse("", refusals.lineTooLong);
    }
    return undefined;
  }

  /** Reads the response to a challenge. */
  readResponse(): SessionAction | undefined {
    const { input } = this.#dialogue;
    if (this.#dialogue.isFull) return FLUSH;
    const line = input.atLine()
      ? input.readLine(MAX_RESPONSE_OCTETS)
      : undefined;
    if (line === undefined) return this.#idle();
    this.auth.respond(line === TOO_LONG ? undefined : lineText(line));
    return undefined;
  }

  /** Nothing to do before more is read; no reason to, once the listener stops. */
  #idle(): SessionAction | undefined {
    if (!this.isStopping || this.inTransaction) return NEED_DATA;
    this.#dialogue.end(endings.shutdown);
    return undefined;
  }

  #command(command: Command, inAuth: boolean): void {
    switch (command.kind) {
      case "command": {
        const { verb, args } = command;
        if (verb === "AUTH") return this.auth.begin(args, this.#standing());
        const refusal = outOfPlace(verb, this.#standing());
        if (refusal === undefined) return this.#obey(verb, args);
        return this.#dialogue.refuse(verb, refusal);
      }
      case "unknown":
        return this.#dialogue.refuse("", refusals.unknownCommand);
      case "malformed":
        if (inAuth) return this.auth.refuse(authRefusals.malformedLine, "");
        return this.#dialogue.refuse("", refusals.malformedLine);
      case "http":
        return this.#dialogue.end(endings.http);
      default:
        command satisfies never;
    }
  }

  #standing(): SessionStanding {
    const { peer, needsLogin, hello, login } = this.#dialogue;
    const transaction = this.#mail?.transaction;
    return {
      greeted: hello !== undefined,
      tls: peer.tls,
      authAllowed: peer.tls || peer.plainTextAuth,
      authRequired: needsLogin,
      authenticated: login !== undefined,
      inTransaction: transaction !== undefined,
      recipients: transaction?.recipients.length ?? 0,
    };
  }

  /** Does what a command in its place asks for. */
  #obey(verb: Exclude<Verb, "AUTH">, args: string): void {
    switch (verb) {
      case "EHLO":
      case "HELO":
        return this.#greeted(verb, args);
      case "STARTTLS":
        return this.#startTls(args);
      case "MAIL":
        return this.mail.mail(args);
      case "RCPT":
        return this.mail.rcpt(args);
      case "DATA":
        return this.mail.data(args);
      case "RSET":
        return this.#reset(args);
      case "QUIT":
        return this.#quit(args);
      case "NOOP":
        return this.#dialogue.reply(replies.done);
      case "VRFY":
        return this.#dialogue.reply(replies.cannotVerify);
      case "HELP":
        return this.#dialogue.reply(replies.help);
      case "EXPN":
        return this.#dialogue.refuse(verb, refusals.notImplemented);
      default:
        verb satisfies never;
    }
  }

  #greeted(verb: "EHLO" | "HELO", name: string): void {
    if (name === "" || hasControls(name)) {
      return this.#dialogue.refuse(verb, refusals.missingName);
    }
    this.#dialogue.hello = { name, esmtp: verb === "EHLO" };
    this.#mail?.abandon();
    const { rules } = this.#dialogue;
    this.#dialogue.reply(helloReply(verb, rules, this.#standing()));
  }

  #startTls(args: string): void {
    if (args !== "") {
      return this.#dialogue.refuse("STARTTLS", refusals.unexpectedArgument);
    }
    if (!this.#dialogue.rules.startTls) {
      return this.#dialogue.refuse("STARTTLS", refusals.noCertificate);
    }
    this.#dialogue.reply(replies.ready);
    this.#dialogue.ask("upgrading", START_TLS);
  }

  #reset(args: string): void {
    if (args !== "") {
      return this.#dialogue.refuse("RSET", refusals.unexpectedArgument);
    }
    this.#mail?.abandon();
    this.#dialogue.reply(replies.done);
  }

  #quit(args: string): void {
    if (args !== "") {
      return this.#dialogue.refuse("QUIT", refusals.unexpectedArgument);
    }
    this.#dialogue.end(endings.quit);
  }
}
