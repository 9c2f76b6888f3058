/**
 * One client's session as a state machine: octets go in, octets and questions
 * come out. It neither reads nor writes, and it never waits.
 *
 * @module
 */

import { type AuthReason, isThrottled, reasonOf } from "../../auth/reasons.ts";
import { decisionReply, type SmtpReply } from "../../auth/replies.ts";
import {
  continueSasl,
  finishSasl,
  MAX_RESPONSE_OCTETS,
  startSasl,
} from "../../auth/sasl/sasl.ts";
import {
  SASL_ERRORS,
  type SaslChallenge,
  type SaslCredentials,
  type SaslStep,
} from "../../auth/sasl/steps.ts";
import { hasControls } from "../../lib/text.ts";
import { newSenderRule, type SenderRule } from "../../auth/rights/senders.ts";
import type { Accepted, AuthRequest, AuthResult } from "../../auth/types.ts";
import type {
  AuthOutcome,
  CloseReason,
  ReceivedMessage,
  SessionAction,
  SessionPeer,
  SessionRules,
} from "./actions.ts";
import {
  type Command,
  lineText,
  parseCommand,
  type Verb,
  words,
} from "./commands.ts";
import { type DataFault, DataReader } from "./data.ts";
import type { Envelope } from "./envelope.ts";
import { greeting, helloReply } from "./hello.ts";
import { Input, TOO_LONG } from "./input.ts";
import { completeLineEnds } from "./newlines.ts";
import { knownMechanism, outcomeOf, refusalReason } from "./outcomes.ts";
import { Output } from "./output.ts";
import * as refusals from "./refusals.ts";
import type { Refusal } from "./refusals.ts";
import { encodeReply, REPLIES, START_INPUT } from "./replies.ts";
import { outOfPlace, type SessionStanding } from "./sequence.ts";
import { type RefusedCommands, Tally } from "./tally.ts";
import {
  beginTransaction,
  notYourAddress,
  readRecipient,
  type Transaction,
} from "./transaction.ts";

/**
 * The longest command line but AUTH in octets, without its CRLF. RFC 5321
 * section 4.5.3.1.4 wants 512; parameters and long paths add to that.
 */
const MAX_COMMAND_OCTETS = 4096;

/**
 * How much output may wait while more commands are there, in octets. Thousands
 * of pipelined EHLOs must not keep other clients waiting.
 */
const MAX_OUTPUT_OCTETS = 16_384;

const NEED_DATA: SessionAction = { kind: "needData" };
const FLUSH: SessionAction = { kind: "flush" };
const START_TLS: SessionAction = { kind: "startTls" };
const UNEXPECTED = refusals.unexpectedArgument;

/** What the session is at. Only this file changes it. */
type State =
  | { readonly kind: "commands" }
  | { readonly kind: "sasl"; readonly step: SaslChallenge }
  | { readonly kind: "deciding"; readonly step: SaslCredentials }
  | { readonly kind: "upgrading" }
  /** Somebody is asked about a sender, or a recipient. */
  | { readonly kind: "beginning"; readonly transaction: Transaction }
  | { readonly kind: "naming"; readonly mailbox: string }
  | { readonly kind: "data"; readonly reader: DataReader; faulted: boolean }
  | { readonly kind: "delivering"; readonly fault: DataFault | undefined }
  | {
    readonly kind: "closed";
    readonly linger: boolean;
    readonly reason: CloseReason | undefined;
  };

/** Whom an AUTH is about, as far as that is known. */
type AuthWho =
  & Pick<SaslChallenge, "mechanism" | "refusal">
  & { readonly username?: string | undefined };

/** Why an AUTH ends. */
type AuthWhy = Pick<AuthOutcome, "reason" | "detail">;

const COMMANDS: State = { kind: "commands" };

/** Who has authenticated, and what that user may do. */
interface Login {
  readonly user: string;
  readonly maySend: SenderRule;
  readonly context: unknown;
}

function newLogin(
  { user, senders, context }: Accepted,
  username: string,
): Login {
  return { user: user ?? username, maySend: newSenderRule(senders), context };
}

/** One client's session. */
export class Session {
  /** What the client has sent. The connection reads into it. */
  readonly input: Input = new Input();

  readonly #rules: SessionRules;
  readonly #peer: SessionPeer;
  readonly #tally: Tally;
  readonly #output: Output = new Output();
  /** An action that comes before whatever the state wants next. */
  #pending: SessionAction | undefined;
  #state: State = COMMANDS;
  #hello: { readonly name: string; readonly esmtp: boolean } | undefined;
  #login: Login | undefined;
  #transaction: Transaction | undefined;
  /** The message that is read, or was last. */
  #reader: DataReader | undefined;
  #stopping = false;
  /** The challenge that we did not wait for an answer to. */
  #interrupted: SaslChallenge | undefined;

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
    this.#rules = rules;
    this.#peer = peer;
    this.#tally = tally;
  }

  /** Puts the greeting into the output. A session after STARTTLS has none. */
  greet(): void {
    this.#reply(greeting(this.#rules));
  }

  /** Whether there is something to write. */
  get hasOutput(): boolean {
    return this.#output.length > 0;
  }

  /** Whether a mail transaction is under way. */
  get inTransaction(): boolean {
    return this.#transaction !== undefined;
  }

  /** Whether a login is required, and there was none yet. */
  get lacksLogin(): boolean {
    return this.#rules.authRequired && this.#login === undefined;
  }

  /** Takes the output: all replies since the last time, in one piece. */
  takeOutput(): Uint8Array {
    return this.#output.take();
  }

  /** Copies octets into the input, for those who do not read into it. */
  receive(octets: Uint8Array): void {
    for (let at = 0; at < octets.length;) {
      const space = this.input.space();
      const piece = octets.subarray(at, at + space.length);
      space.set(piece);
      this.input.filled(piece.length);
      at += piece.length;
    }
  }

  /** The listener stops: what is under way, or sent already, may end. */
  stop(): void {
    this.#stopping = true;
  }

  /** Ends the session with a last reply, from the outside, unless it has ended. */
  end(reply: SmtpReply, reason?: CloseReason): void {
    if (this.#state.kind !== "closed") this.#close(reply, reason);
  }

  /** Whether the body of a message is what comes next. */
  get readingData(): boolean {
    return this.#state.kind === "data";
  }

  /** What is known about the message that comes, until `delivered`. */
  get received(): ReceivedMessage {
    return {
      refusedRecipients: this.#transaction?.refusedRecipients ?? 0,
      octets: this.#reader?.octets ?? 0,
      fault: this.#reader?.fault,
    };
  }

  /** The connection is over: how an AUTH ended that was under way. */
  abandoned(): AuthOutcome | undefined {
    const interrupted = this.#interrupted;
    this.#interrupted = undefined;
    if (interrupted !== undefined && interrupted.refusal === undefined) {
      return outcomeOf({ code: 421, reason: "interrupted" }, interrupted);
    }
    if (this.#state.kind !== "sasl") return undefined;
    const { step } = this.#state;
    this.#state = { kind: "closed", linger: false, reason: undefined };
    if (step.refusal !== undefined) return undefined;
    return outcomeOf({ reason: "client-gone" }, step);
  }

  /** Takes the commands that were refused so far, over STARTTLS too. */
  takeRefused(): readonly RefusedCommands[] {
    return this.#tally.takeRefused();
  }

  /** Goes on as far as possible and says what it needs then. */
  next(): SessionAction {
    for (;;) {
      const pending = this.#pending;
      this.#pending = undefined;
      const action = pending ?? this.#step(this.#state);
      if (action !== undefined) return action;
    }
  }

  /** Answers `authenticate`. */
  decided(result: AuthResult): void {
    if (this.#state.kind !== "deciding") throw unasked("decided");
    const { step } = this.#state;
    const { mechanism, username } = step;
    const who = { mechanism, username };
    if (result.decision === "authOk") {
      this.#login = newLogin(result, username);
      who.username = this.#login.user;
      this.#tally.loggedIn();
    }
    const last = finishSasl(step, result, this.#rules);
    const { detail } = result;
    const reason = reasonOf(result);
    const why = detail === undefined ? { reason } : { reason, detail };
    if (last.kind === "done") return this.#endAuth(last.reply, why, who);
    // It is decided, whether or not the client stays to hear it.
    this.#tellAuth(decisionReply(result), why, who);
    this.#challenge(last);
  }

  /** Answers `sender`; nothing is our own 250. */
  senderAnswered(reply: SmtpReply = REPLIES.senderOk): void {
    if (this.#state.kind !== "beginning") throw unasked("senderAnswered");
    const { transaction } = this.#state;
    this.#state = COMMANDS;
    if (reply.code < 400) this.#transaction = transaction;
    this.#answer("MAIL", reply);
  }

  /** Answers `recipient`; nothing is our own 250. */
  recipientAnswered(reply: SmtpReply = REPLIES.recipientOk): void {
    if (this.#state.kind !== "naming") throw unasked("recipientAnswered");
    const { mailbox } = this.#state;
    this.#state = COMMANDS;
    if (this.#transaction === undefined) throw unasked("recipientAnswered");
    if (reply.code < 400) this.#transaction.recipients.push(mailbox);
    else this.#transaction.refusedRecipients++;
    this.#answer("RCPT", reply);
  }

  /**
   * Answers `endOfMessage`: what the client is to read about its message.
   *
   * @returns What it will read, which is another reply if the message itself
   * was at fault.
   */
  delivered(reply: SmtpReply): SmtpReply {
    if (this.#state.kind !== "delivering") throw unasked("delivered");
    const { fault } = this.#state;
    this.#transaction = undefined;
    this.#state = COMMANDS;
    const last = fault === undefined ? reply : faultReply(fault);
    this.#reply(last);
    return last;
  }

  /** Before anything was said: the same with a peer who is known better now. */
  onPeer(peer: SessionPeer): Session {
    const session = new Session(this.#rules, peer, this.#tally);
    if (this.#stopping) session.stop();
    return session;
  }

  /**
   * Answers `startTls`: the session that goes on over TLS. It knows nothing of
   * this one but how often it failed. Octets that came in plain text stay
   * behind in this one's input, which nobody reads any more: an attacker may
   * have put them there (RFC 3207 section 5, CVE-2011-0411).
   */
  afterTls(): Session {
    if (this.#state.kind !== "upgrading") throw unasked("afterTls");
    return this.onPeer({ ...this.#peer, tls: true });
  }

  #step(state: State): SessionAction | undefined {
    switch (state.kind) {
      case "commands":
      case "sasl":
        return this.#readLine(state);
      case "data":
        return this.#readData(state);
      case "deciding":
      case "upgrading":
      case "beginning":
      case "naming":
      case "delivering":
        throw new Error(`Session.next() before its question: ${state.kind}`);
      case "closed":
        return { kind: "close", linger: state.linger, reason: state.reason };
      default:
        return state satisfies never;
    }
  }

  #readLine(
    state: State & { kind: "commands" | "sasl" },
  ): SessionAction | undefined {
    if (this.#output.length >= MAX_OUTPUT_OCTETS) return FLUSH;
    if (!this.input.atLine()) return this.#idle();
    const inAuth = state.kind === "sasl" || this.input.startsWith("AUTH");
    const line = this.input.readLine(
      inAuth ? MAX_RESPONSE_OCTETS : MAX_COMMAND_OCTETS,
    );
    if (line === undefined) return this.#idle();
    const isCommand = state.kind === "commands";
    if (isCommand && this.lacksLogin && this.#tally.command()) {
      this.#close(REPLIES.tooManyCommands, "no-login");
    } else if (state.kind === "sasl") {
      this.#saslStep(
        line === TOO_LONG
          ? SASL_ERRORS.lineTooLong
          : continueSasl(state.step, lineText(line), this.#rules),
        state.step,
      );
    } else if (line !== TOO_LONG) {
      this.#command(parseCommand(line), inAuth);
    } else if (inAuth) {
      this.#saslStep(SASL_ERRORS.lineTooLong, { mechanism: "" });
    } else {
      this.#refuse("", refusals.lineTooLong);
    }
    return undefined;
  }

  /** Nothing to do before more is read; no reason to, once the listener stops. */
  #idle(): SessionAction | undefined {
    if (!this.#stopping || this.inTransaction) return NEED_DATA;
    this.#close(REPLIES.shuttingDown, "shutdown");
    return undefined;
  }

  #command(command: Command, inAuth: boolean): void {
    switch (command.kind) {
      case "command": {
        const { verb, args } = command;
        const refusal = outOfPlace(verb, this.#standing());
        if (refusal === undefined) this.#obey(verb, args);
        else if (verb === "AUTH") this.#refuseAuth(refusal, args);
        else this.#refuse(verb, refusal);
        return;
      }
      case "unknown":
        return this.#refuse("", refusals.unknownCommand);
      case "malformed":
        if (inAuth) return this.#refuseAuth(refusals.malformedLine, "");
        return this.#refuse("", refusals.malformedLine);
      case "http":
        this.#state = { kind: "closed", linger: false, reason: "http" };
        return;
      default:
        command satisfies never;
    }
  }

  #standing(): SessionStanding {
    const { tls, plainTextAuth } = this.#peer;
    return {
      greeted: this.#hello !== undefined,
      tls,
      authAllowed: tls || plainTextAuth,
      authRequired: this.#rules.authRequired,
      authenticated: this.#login !== undefined,
      inTransaction: this.inTransaction,
      recipients: this.#transaction?.recipients.length ?? 0,
    };
  }

  /** Does what a command in its place asks for. */
  #obey(verb: Verb, args: string): void {
    switch (verb) {
      case "EHLO":
      case "HELO":
        return this.#greeted(verb, args);
      case "AUTH":
        return this.#auth(args);
      case "STARTTLS":
        return this.#startTls(args);
      case "MAIL":
        return this.#mail(args);
      case "RCPT":
        return this.#rcpt(args);
      case "DATA":
        return this.#data(args);
      case "RSET":
        return this.#reset(args);
      case "QUIT":
        return this.#quit(args);
      case "NOOP":
        return this.#reply(REPLIES.done);
      case "VRFY":
        return this.#reply(REPLIES.cannotVerify);
      case "HELP":
        return this.#reply(REPLIES.help);
      case "EXPN":
        return this.#refuse(verb, refusals.notImplemented);
      default:
        verb satisfies never;
    }
  }

  #greeted(verb: "EHLO" | "HELO", name: string): void {
    if (name === "" || hasControls(name)) {
      return this.#refuse(verb, refusals.missingName);
    }
    this.#hello = { name, esmtp: verb === "EHLO" };
    this.#abandon();
    this.#reply(helloReply(verb, this.#rules, this.#standing()));
  }

  #auth(args: string): void {
    const said = words(args);
    const mechanism = said[0];
    if (mechanism === undefined || said.length > 2) {
      return this.#refuseAuth(refusals.authSyntax, args);
    }
    const { mechanisms } = this.#rules;
    const step = startSasl(mechanism, said[1], this.#rules);
    // Only an error does not say by itself which mechanism it is about.
    const who = step.kind === "error"
      ? { mechanism: knownMechanism(mechanism, mechanisms) }
      : step;
    this.#saslStep(step, who);
  }

  /** @param before What the client has answered, or as much of it as is known. */
  #saslStep(step: SaslStep, before: AuthWho): void {
    switch (step.kind) {
      case "challenge":
        return this.#challenge(step);
      case "credentials":
        return this.#ask(step);
      case "error":
        return before.refusal === undefined
          ? this.#endAuth(step, step, before)
          : this.#replyToAuth(step, step.reason);
      default:
        step satisfies never;
    }
  }

  #challenge(step: SaslChallenge): void {
    this.#state = { kind: "sasl", step };
    this.#reply({ code: 334, text: step.challenge });
  }

  #ask(step: SaslCredentials): void {
    const { username, password, mechanism } = step;
    const request: AuthRequest = {
      username,
      password,
      mechanism,
      remoteIp: this.#peer.remoteIp,
      heloName: this.#hello?.name ?? "",
    };
    this.#state = { kind: "deciding", step };
    this.#pending = { kind: "authenticate", request };
  }

  #refuseAuth(refusal: Refusal, args: string): void {
    const mechanism = knownMechanism(args, this.#rules.mechanisms);
    this.#endAuth(refusal, { reason: refusalReason(refusal) }, { mechanism });
  }

  /** Every AUTH ends here, but one whose decision was told before its reply. */
  #endAuth(reply: SmtpReply, why: AuthWhy, who: AuthWho): void {
    this.#tellAuth(reply, why, who);
    this.#replyToAuth(reply, why.reason);
  }

  /** Once for each AUTH. */
  #tellAuth(
    { code }: SmtpReply,
    { reason, detail }: AuthWhy,
    who: AuthWho,
  ): void {
    const end = { code, reason };
    const outcome = outcomeOf(
      detail === undefined ? end : { ...end, detail },
      who,
    );
    this.#pending = { kind: "authEnded", outcome };
  }

  #replyToAuth(reply: SmtpReply, reason: AuthReason): void {
    this.#state = COMMANDS;
    this.#reply(reply);
    // Otherwise it would cost nothing to go on guessing.
    if (isThrottled(reason)) this.#countError();
    const { maxAuthFailures } = this.#rules;
    if (reply.code === 535 && this.#tally.authFailure(maxAuthFailures)) {
      this.#close(REPLIES.tooManyFailures, "too-many-failures");
    }
  }

  #startTls(args: string): void {
    if (args !== "") return this.#refuse("STARTTLS", UNEXPECTED);
    if (!this.#rules.startTls) {
      return this.#refuse("STARTTLS", refusals.noCertificate);
    }
    this.#reply(REPLIES.ready);
    this.#state = { kind: "upgrading" };
    this.#pending = START_TLS;
  }

  #mail(args: string): void {
    const begun = beginTransaction(args, this.#rules.maxMessageOctets);
    if (begun.kind === "error") return this.#refuse("MAIL", begun.reply);
    const { sender } = begun.transaction;
    if (this.#login?.maySend(sender) === false) {
      return this.#refuse("MAIL", notYourAddress(sender));
    }
    this.#state = { kind: "beginning", transaction: begun.transaction };
    if (!this.#rules.asksAboutMail) return this.senderAnswered();
    const mail = this.#mailOf(begun.transaction);
    this.#pending = { kind: "sender", mail };
  }

  #rcpt(args: string): void {
    const transaction = this.#transaction;
    if (transaction === undefined) {
      return this.#refuse("RCPT", refusals.mailFirst);
    }
    const { maxRecipients, asksAboutMail } = this.#rules;
    const named = readRecipient(transaction, args, maxRecipients);
    if (named.kind === "error") {
      transaction.refusedRecipients++;
      return this.#refuse("RCPT", named.reply);
    }
    const { mailbox } = named;
    this.#state = { kind: "naming", mailbox };
    if (!asksAboutMail) return this.recipientAnswered();
    this.#pending = { kind: "recipient", mailbox };
  }

  /** A transaction ends without a message. */
  #abandon(): void {
    if (this.#transaction === undefined) return;
    this.#transaction = undefined;
    if (this.#rules.asksAboutMail) this.#pending = { kind: "abandoned" };
  }

  #data(args: string): void {
    const transaction = this.#transaction;
    if (transaction === undefined) {
      return this.#refuse("DATA", refusals.mailFirst);
    }
    if (args !== "") return this.#refuse("DATA", UNEXPECTED);
    const { maxMessageOctets, normalizeNewlines } = this.#rules;
    const reader = new DataReader(maxMessageOctets, normalizeNewlines);
    this.#reader = reader;
    this.#state = { kind: "data", reader, faulted: false };
    this.#reply(START_INPUT);
    const { recipients } = transaction;
    const envelope = { ...this.#mailOf(transaction), recipients };
    this.#pending = { kind: "message", envelope };
  }

  #mailOf(
    { sender, parameters }: Transaction,
  ): Omit<Envelope, "recipients"> {
    const mail: Omit<Envelope, "recipients"> = {
      sender,
      parameters,
      remoteIp: this.#peer.remoteIp,
      heloName: this.#hello?.name ?? "",
      esmtp: this.#hello?.esmtp ?? false,
      tls: this.#peer.tls,
    };
    const login = this.#login;
    if (login === undefined) return mail;
    const { user, context } = login;
    return context === undefined
      ? { ...mail, user }
      : { ...mail, user, context };
  }

  #readData(state: State & { kind: "data" }): SessionAction | undefined {
    const { reader } = state;
    const waiting = this.input.peek();
    if (waiting.length === 0) return NEED_DATA;
    const { length, used, ended, ...read } = reader.read(waiting);
    this.input.take(used);
    const { fault } = reader;
    if (ended) {
      this.#state = { kind: "delivering", fault };
      this.#pending = { kind: "endOfMessage", octets: reader.octets };
    }
    if (fault === undefined) {
      if (length === 0) return undefined;
      const piece = waiting.subarray(0, length);
      const octets = read.bareLineEnd
        ? completeLineEnds(piece, read.crBefore)
        : this.input.own(piece);
      return { kind: "body", octets };
    }
    if (state.faulted) return undefined;
    state.faulted = true;
    return { kind: "badBody", fault };
  }

  #reset(args: string): void {
    if (args !== "") return this.#refuse("RSET", UNEXPECTED);
    this.#abandon();
    this.#reply(REPLIES.done);
  }

  #quit(args: string): void {
    if (args !== "") return this.#refuse("QUIT", UNEXPECTED);
    this.#close(REPLIES.bye, "quit");
  }

  #close(reply: SmtpReply, reason?: CloseReason): void {
    this.#output.add(encodeReply(reply));
    // A client that says QUIT has nothing to add, unless it has already.
    const linger = reply !== REPLIES.bye || this.input.length > 0;
    if (this.#state.kind === "sasl") this.#interrupted = this.#state.step;
    this.#state = { kind: "closed", linger, reason };
  }

  /** Somebody else's answer to MAIL or RCPT; its 421 ends the connection. */
  #answer(verb: "MAIL" | "RCPT", reply: SmtpReply): void {
    if (reply.code === 421) return this.#close(reply, "not-taken");
    // That nobody could tell is no refusal: it has an event of its own.
    const isRefusal = reply.code >= 400 && reply !== REPLIES.stepFailed;
    if (!isRefusal) return this.#reply(reply);
    this.#refuse(verb, { ...reply, reason: "not-taken" });
  }

  #refuse(verb: Verb | "", refusal: Refusal): void {
    this.#tally.refused(verb, refusal, this.#login?.user);
    this.#reply(refusal);
  }

  #reply(reply: SmtpReply): void {
    this.#output.add(encodeReply(reply));
    if (reply.code >= 500 && reply.code <= 504) this.#countError();
  }

  #countError(): void {
    if (!this.#tally.error()) return;
    this.#close(REPLIES.tooManyErrors, "too-many-errors");
  }
}

function faultReply(fault: DataFault): SmtpReply {
  return fault === "too-large" ? refusals.messageTooLarge : REPLIES.bareLineEnd;
}

function unasked(method: string): Error {
  return new Error(`Session.${method}() answers a question that is not open`);
}
