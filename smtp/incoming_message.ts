/**
 * A message on its way in: from DATA to whoever takes it, and what becomes of
 * it.
 *
 * @module
 */

import type { ConnectionParts } from "./connection_context.ts";
import {
  type Deliver,
  type Delivered,
  type Delivery,
  startDelivery,
} from "./delivery.ts";
import type { DataFault } from "./protocol/data.ts";
import type { Envelope } from "./protocol/envelope.ts";
import { shuttingDown } from "./protocol/replies.ts";
import type { TransferSlot } from "./transfer_slots.ts";
import type { Asking } from "./transport.ts";

/**
 * How much of a message is read without a slot, in octets: most messages have
 * no more, and need none.
 */
const SMALL_MESSAGE_OCTETS = 65_536;

/** What the log reads of a message that was whole, and given up. */
const NOT_WAITED_FOR =
  "the listener has stopped before the client could be told";

/** What whoever takes a message is told. */
const LEFT = "The client has left before the end";

/** One message. */
export class IncomingMessage {
  readonly #parts: ConnectionParts;
  readonly #delivery: Delivery;
  /** The slot for reading a large message. */
  #slot: TransferSlot | undefined;
  #isGivenUp = false;
  /** Whether all of it has come. */
  #isWhole = false;
  /** The client is looked after while it waits. */
  #watching: Asking | undefined;
  /** Ends the waiting for what becomes of it. */
  #stopWaiting: (() => void) | undefined;

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

  /** Whether it is a large one, and has no slot to be read in. */
  get needsSlot(): boolean {
    if (this.#delivery.body.octets < SMALL_MESSAGE_OCTETS) return false;
    // Who has all that has come so far can let others have the slot.
    if (!this.#parts.transport.session.isFilled) this.#slot?.yield();
    return this.#slot?.isHeld !== true;
  }

  /**
   * Waits for a slot for reading with a large buffer, while nothing of the
   * message is in memory. Were all to read at once, hundreds of pieces would
   * wait for the disk.
   */
  async takeSlot(): Promise<void> {
    const { context, transport } = this.#parts;
    this.releaseSlot();
    const slot = this.#slot = context.transfers.acquire();
    if (slot.ready !== undefined) await this.#wait(slot.ready);
    transport.session.expectMuch(true);
  }

  /** Gives the slot back, or ends the waiting for one. */
  releaseSlot(): void {
    this.#slot?.release();
    this.#slot = undefined;
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
    const { envelope, body } = this.#delivery;
    this.releaseSlot();
    this.#isWhole = true;
    timer.pause();
    body.end();
    const delivered = await this.#delivered();
    this.#endWatching();
    if (delivered === undefined || this.#isGivenUp) {
      return log.message(envelope, received, shuttingDown, NOT_WAITED_FOR);
    }
    const { reply, error } = delivered;
    const last = session.delivered(reply);
    // Where the message was at fault, what deliver threw is a consequence.
    log.message(envelope, received, last, last === reply ? error : undefined);
  }

  /** The client has left before its end. */
  async abandon(): Promise<void> {
    const { transport: { session }, log } = this.#parts;
    const { envelope, body } = this.#delivery;
    this.releaseSlot();
    body.fail(new Error(LEFT));
    await this.#delivered();
    log.message(envelope, session.received);
  }

  /**
   * Waits for it no longer: whoever takes it may have no end, and a listener
   * that stops must have one.
   */
  giveUp(): void {
    this.#isGivenUp = true;
    this.#breakOff("The listener has stopped");
    this.#stopWaiting?.();
  }

  /** What becomes of it; nothing if that is given up. */
  #delivered(): Promise<Delivered | undefined> {
    return new Promise((resolve) => {
      this.#stopWaiting = () => resolve(undefined);
      if (this.#isGivenUp) resolve(undefined);
      this.#delivery.result.then(resolve);
    });
  }

  /** The disk's time is not the client's: its clock stands still. */
  async #wait(event: Promise<void>): Promise<void> {
    const { timer } = this.#parts;
    timer.pause();
    await event;
    this.#endWatching();
    timer.resume();
  }

  /**
   * Whoever takes it lets it wait: finds out meanwhile whether its client is
   * still there, with a small buffer. A message that is whole does not need it,
   * and is taken or not; but its socket goes.
   */
  watchClient(): void {
    const { transport, timer } = this.#parts;
    timer.tellAgain();
    if (this.#watching !== undefined) {
      transport.probe(this.#watching);
      return;
    }
    if (this.#slot?.isHeld) this.releaseSlot();
    // Who has had a slot for its time has a large buffer all the same.
    else transport.session.expectMuch(false);
    this.#watching = {
      open: true,
      outlivesEnd: this.#isWhole,
      abort: () => {
        transport.close();
        if (!this.#isWhole) this.#breakOff(LEFT);
      },
    };
    transport.watch(this.#watching);
  }

  #endWatching(): void {
    if (this.#watching !== undefined) this.#watching.open = false;
    this.#watching = undefined;
  }

  /** Nothing more of it comes, and nobody waits for it to be read. */
  #breakOff(why: string): void {
    const { body } = this.#delivery;
    this.releaseSlot();
    body.fail(new Error(why));
    body.cancel();
  }
}
