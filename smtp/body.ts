/**
 * The body of a message, fed by a connection at the pace of whoever reads it,
 * as a stream or without one.
 *
 * @module
 */

import { type BodyReader, StreamReader } from "./body_reader.ts";

type Octets = Uint8Array<ArrayBuffer>;

/**
 * The size of a piece of a message, in octets, from which on no other one is
 * read before it is stored: hundreds of clients with large messages at once
 * would otherwise hold twice as much memory.
 */
const LARGE_OCTETS = 16_384;

/** No chunk waits in the stream: one is with the reader, one on its way. */
const STRATEGY = { highWaterMark: 0 };

/** What reads from a connection of ours: each piece is its reader's alone. */
class BodyStream extends ReadableStream<Octets> {}

/**
 * Whether whoever reads this body may free the memory of a piece once it is
 * stored, and not leave that to the collector: pieces of hundreds of large
 * messages at once would fill it. A branch of `tee()` and a stream of somebody
 * else's have pieces that others may read as well.
 */
export function isOwnBody(body: ReadableStream<Octets>): boolean {
  return body instanceof BodyStream;
}

/** Both ends of a message's body, and the source of its stream. */
export class MessageBody
  implements BodyReader, UnderlyingDefaultSource<Octets> {
  readonly isOwn = true;
  #stream: ReadableStream<Octets> | undefined;
  #controller: ReadableStreamDefaultController<Octets> | undefined;
  /** Somebody reads without a stream. */
  #isRead = false;
  #end: { readonly error?: Error } | undefined;
  /** The reader has asked for octets and got none yet. */
  #wanted = false;
  /** Its asking, where it reads without a stream. */
  #reading: PromiseWithResolvers<Octets | null> | undefined;
  /** Nobody reads any more: what comes is thrown away. */
  #cancelled = false;
  /** Octets that came before the reader asked for them. */
  #held: Octets | undefined;
  #wake: (() => void) | undefined;
  #onBroken: (() => void) | undefined;
  #octets = 0;

  /** How many octets have come so far. */
  get octets(): number {
    return this.#octets;
  }

  /** The reader's end as a stream. It costs nothing until somebody asks for it. */
  get stream(): ReadableStream<Octets> {
    if (this.#isRead) return lockedStream();
    this.#stream ??= new BodyStream(this, STRATEGY);
    return this.#stream;
  }

  /**
   * The reader's end without a stream.
   *
   * @throws {TypeError} If it is read already.
   */
  reader(): BodyReader {
    if (this.#isRead || this.#stream !== undefined) {
      return new StreamReader(this.stream, true);
    }
    this.#isRead = true;
    return this;
  }

  /** The stream is there. */
  start(controller: ReadableStreamDefaultController<Octets>): void {
    this.#controller = controller;
    if (this.#end !== undefined) finish(controller, this.#end.error);
  }

  /** The stream's reader asks for octets. */
  pull(): void {
    const octets = this.#takeHeld();
    if (octets === undefined) this.#wanted = true;
    else this.#controller?.enqueue(octets);
  }

  read(): Promise<Octets | null> {
    const octets = this.#takeHeld();
    const error = this.#end?.error;
    if (error !== undefined) return Promise.reject(error);
    if (octets !== undefined || this.#end !== undefined || this.#cancelled) {
      return Promise.resolve(octets ?? null);
    }
    this.#wanted = true;
    this.#reading = Promise.withResolvers();
    return this.#reading.promise;
  }

  #takeHeld(): Octets | undefined {
    const octets = this.#held;
    this.#held = undefined;
    // A large piece is stored only when the reader comes back for more.
    if (octets === undefined || octets.length < LARGE_OCTETS) this.#wake?.();
    return octets;
  }

  onBroken(call: () => void): void {
    this.#onBroken = call;
    if (this.#end?.error !== undefined) call();
  }

  /**
   * Hands octets to the reader, or to nobody if it wants no more.
   *
   * @returns What to wait for before the next octets are read; `undefined` if
   * they may be read at once.
   */
  push(octets: Octets): Promise<void> | undefined {
    this.#octets += octets.length;
    if (this.#cancelled) return undefined;
    if (!this.#wanted) this.#held = octets;
    else {
      this.#wanted = false;
      this.#controller?.enqueue(octets);
      this.#reading?.resolve(octets);
      if (octets.length < LARGE_OCTETS) return undefined;
    }
    return new Promise((resolve) => this.#wake = resolve);
  }

  /** The message is whole. */
  end(): void {
    this.#finish({});
  }

  /** The message will never be whole. */
  fail(error: Error): void {
    this.#finish({ error });
  }

  /** Nobody reads any more. */
  cancel(): void {
    this.#cancelled = true;
    this.#held = undefined;
    this.#wake?.();
    this.#reading?.resolve(null);
  }

  #finish(end: { readonly error?: Error }): void {
    if (this.#end !== undefined || this.#cancelled) return;
    this.#end = end;
    if (this.#controller !== undefined) finish(this.#controller, end.error);
    if (end.error === undefined) return this.#reading?.resolve(null);
    this.#reading?.reject(end.error);
    this.#onBroken?.();
  }
}

/** A stream that somebody reads already. */
function lockedStream(): ReadableStream<Octets> {
  const stream = new ReadableStream<Octets>();
  stream.getReader();
  return stream;
}

function finish(
  controller: ReadableStreamDefaultController<Octets>,
  error: Error | undefined,
): void {
  if (error === undefined) controller.close();
  else controller.error(error);
}
