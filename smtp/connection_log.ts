/**
 * What one connection tells the log, and who its client is.
 *
 * @module
 */

import type { ClosedReason } from "../auth/events.ts";
import type { SmtpReply } from "../auth/replies.ts";
import {
  authEvent,
  closedEvent,
  messageEvent,
  peerEvent,
  refusedEvent,
  type SmtpEvent,
  type SmtpStepEvent,
  stepEvent,
} from "./events.ts";
import type {
  AuthOutcome,
  ReceivedMessage,
  SessionPeer,
} from "./protocol/actions.ts";
import type { Envelope } from "./protocol/envelope.ts";
import type { RefusedCommands } from "./protocol/tally.ts";

/** The log of one connection. */
export class ConnectionLog {
  /** Who the client is, as far as it is known by now. */
  peer: SessionPeer;
  readonly #report: ((event: SmtpEvent) => void) | undefined;
  #isEndTold = false;
  /** How long the provider took for the last decision, in milliseconds. */
  #askedMs = 0;

  /**
   * @param peer Who the client is.
   * @param report Who is told; nobody if it is absent.
   */
  constructor(
    peer: SessionPeer,
    report: ((event: SmtpEvent) => void) | undefined,
  ) {
    this.peer = peer;
    this.#report = report;
  }

  /** The time, in milliseconds, where somebody wants to be told of any. */
  get now(): number {
    return this.#report === undefined ? 0 : performance.now();
  }

  /** The provider has taken its time, in milliseconds. */
  asked(milliseconds: number): void {
    this.#askedMs = milliseconds;
  }

  /** An AUTH has ended. */
  auth(outcome: AuthOutcome): void {
    this.#report?.(authEvent(outcome, this.peer, this.#askedMs));
    this.#askedMs = 0;
  }

  /** STARTTLS has come to its end. */
  secured(): void {
    this.#report?.(peerEvent("secured", this.peer));
  }

  /** A hook or a destination has been asked, and may have failed. */
  step(step: SmtpStepEvent["step"], error: string | undefined): void {
    if (error === undefined) return;
    this.#report?.(stepEvent(step, this.peer, error));
  }

  /** A message has ended: with a reply, or without its client. */
  message(
    envelope: Envelope,
    received: ReceivedMessage,
    reply?: SmtpReply,
    error?: string,
  ): void {
    this.#report?.(messageEvent(envelope, received, this.peer, reply, error));
  }

  /** Commands were refused. */
  refused(commands: readonly RefusedCommands[]): void {
    for (const each of commands) this.#report?.(refusedEvent(each, this.peer));
  }

  /** The connection ends. It is told once: what follows is a consequence. */
  closed(reason: ClosedReason, error?: unknown): void {
    if (this.#isEndTold) return;
    this.#isEndTold = true;
    this.#report?.(closedEvent(reason, this.peer, error));
  }

  /** Somebody else has told of the end. */
  closedElsewhere(): void {
    this.#isEndTold = true;
  }
}
