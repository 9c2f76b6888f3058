/**
 * A relay in front of a next hop of the tests, and what a listener would do
 * with it.
 *
 * @module
 */

import { TcpDialler } from "../../delivery/relay/dialler.ts";
import {
  checkedRelayOptions,
  type RelayEvent,
  type RelayOptions,
} from "../../delivery/relay/options.ts";
import { newRelayIn, type Relay } from "../../delivery/relay/relay.ts";
import type { Watching } from "../../delivery/relay/connect.ts";
import type { Destination, Mail, Transfer } from "../../smtp/destination.ts";
import type { SmtpReply } from "../../smtp/protocol/replies.ts";
import { newManualDeadlines } from "./manual_deadlines.ts";
import { MAIL } from "./relay_session.ts";

/** A relay and what it tells its log. */
export interface TestRelay extends Relay, Disposable {
  readonly events: RelayEvent[];
}

/** Makes a relay whose time limits are over when a test says so. */
export function newTestRelay(
  options: RelayOptions,
  deadlines: Watching = newManualDeadlines(),
): TestRelay {
  const events: RelayEvent[] = [];
  const settings = checkedRelayOptions({
    serverName: "relay.example.net",
    onEvent: (event) => events.push(event),
    ...options,
  });
  const dialler = new TcpDialler(settings.hop, settings.ca);
  const relay = newRelayIn(settings, { dialler, deadlines });
  return { ...relay, events, [Symbol.dispose]: relay.close };
}

/** What a client does with one message. */
export interface Sending {
  readonly mail?: Partial<Mail>;
  readonly recipients?: readonly string[];
  /** The message, in pieces. */
  readonly body?: Iterable<string> | AsyncIterable<string>;
  readonly signal?: AbortSignal;
}

/**
 * Sends a message as a listener would.
 *
 * @returns The code and enhanced code of each reply: to MAIL (unless it is the
 * listener's own), to each RCPT, to the message.
 */
export async function send(
  destination: Destination,
  { mail, recipients = ["bob@example.net"], body = ["hello\r\n"], signal }:
    Sending = {},
): Promise<string[]> {
  const replies: string[] = [];
  const transfer = await begin(destination, mail, signal);
  if ("code" in transfer) return [status(transfer)];
  const accepted: string[] = [];
  for (const recipient of recipients) {
    const reply = await transfer.recipient?.(recipient) ?? undefined;
    replies.push(status(reply));
    if ((reply?.code ?? 250) < 400) accepted.push(recipient);
  }
  if (accepted.length === 0) transfer.abandon?.();
  else {
    const envelope = { ...MAIL, ...mail, recipients: accepted };
    const reply = await transfer.message({ envelope, body: streamOf(body) });
    replies.push(status(reply ?? undefined));
  }
  return replies;
}

/** Begins a transaction. */
export async function begin(
  destination: Destination,
  mail: Partial<Mail> = {},
  signal: AbortSignal = new AbortController().signal,
): Promise<Transfer | SmtpReply> {
  return await destination.begin({ ...MAIL, ...mail }, signal);
}

/** Begins a transaction that is not refused. */
export async function begun(
  destination: Destination,
  mail?: Partial<Mail>,
): Promise<Transfer> {
  const transfer = await begin(destination, mail);
  if ("code" in transfer) throw new Error(`Refused: ${status(transfer)}`);
  return transfer;
}

/** The code and enhanced code of a reply; nothing is the listener's 250. */
export function status(reply: SmtpReply | undefined): string {
  if (reply === undefined) return "250";
  return `${reply.code} ${reply.enhanced ?? ""}`.trimEnd();
}

/** A body that comes in pieces, as fast as it is read. */
export function streamOf(
  pieces: Iterable<string> | AsyncIterable<string>,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const encoder = new TextEncoder();
  async function* octets(): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    for await (const piece of pieces) yield encoder.encode(piece);
  }
  return ReadableStream.from(octets());
}
