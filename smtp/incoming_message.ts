/**
 * A message on its way in: from DATA to whoever takes it, and what becomes of
 * it.
 *
 * @module
 */

import type { ConnectionParts } from "./connection_context.ts";
import { type Deliver, type Delivery, startDelivery } from "./delivery.ts";
import type { DataFault } from "./protocol/data.ts";
import type { Envelope } from "./protocol/envelope.ts";
import type { TransferTurn } from "./transfer_slots.ts";

/**
 * How much of a message is read without a turn, in octets: most messages have
 * no more, and need none.
 */
const SMALL_MESSAGE_OCTETS = 65_536;

/** One message. */
export class IncomingMessage {
  readonly #parts: ConnectionParts;
  readonly #delivery: Delivery;
  /** The turn at reading a large message. */
  #turn: TransferTurn | undefined;

  /**
   * Begins to deliver a message whose body is still to come.
   *
   * @param parts The connection's.
   * @param deliver Who takes it.
   * @param envelope Who sends it to whom.
   */
  constructor(parts: ConnectionParts, deliver: Deliver, envelope: Envelope) {
    this.#parts = parts;
    this.#delivery = startDelivery(deliver, envelope);
  }

  /** Whether it is a large one, and not its turn to be read. */
  get needsTurn(): boolean {
    if (this.#delivery.body.octets < SMALL_MESSAGE_OCTETS) return false;
    // Who has all that has come so far can let others have their turn.
    if (!this.#parts.transport.session.isFilled) this.#turn?.yield();
    return this.#turn?.isOn() !== true;
  }

  /**
   * Waits for a turn at reading with a large buffer, while nothing of the
   * message is in memory. Were all to read at once, hundreds of pieces would
   * wait for the disk.
   */
  async takeTurn(): Promise<void> {
    const { context, transport } = this.#parts;
    this.endTurn();
    const turn = this.#turn = context.transfers.begin();
    if (turn.come !== undefined) await this.#wait(turn.come);
    transport.session.expectMuch(true);
  }

  /** Lets others have their turn, or ends the waiting for one. */
  endTurn(): void {
    this.#turn?.end();
    this.#turn = undefined;
    this.#parts.transport.session.expectMuch(false);
  }

  /** Octets have come; what to wait for before more are read, if anything. */
  push(octets: Uint8Array<ArrayBuffer>): Promise<void> | undefined {
    const stored = this.#delivery.body.push(octets);
    return stored === undefined ? undefined : this.#wait(stored);
  }

  /** It will be refused; nothing more of its body follows. */
  refuse(fault: DataFault): void {
    this.#delivery.body.fail(new Error(`The message is refused: ${fault}`));
  }

  /** It is whole: finds out what becomes of it, and tells session and log. */
  async end(): Promise<void> {
    const { transport: { session }, timer, log } = this.#parts;
    const { received } = session;
    const { envelope, body, result } = this.#delivery;
    this.endTurn();
    timer.pause();
    body.end();
    const { reply, error } = await result;
    const last = session.delivered(reply);
    // Where the message was at fault, what deliver threw is a consequence.
    log.message(envelope, received, last, last === reply ? error : undefined);
  }

  /** The client has left before its end. */
  async abandon(): Promise<void> {
    const { transport: { session }, log } = this.#parts;
    const { envelope, body, result } = this.#delivery;
    this.endTurn();
    body.fail(new Error("The client has left before the end"));
    await result;
    log.message(envelope, session.received);
  }

  /** The disk's time is not the client's: its clock stands still. */
  async #wait(event: Promise<void>): Promise<void> {
    const { timer } = this.#parts;
    timer.pause();
    await event;
    timer.resume();
  }
}
