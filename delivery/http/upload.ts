/**
 * Octets on their way to an endpoint, at its pace.
 *
 * @module
 */

import { free } from "../../lib/octets.ts";

type Octets = Uint8Array<ArrayBuffer>;

/**
 * The most that goes on its way at once, in octets. Whoever sends it keeps
 * sixteen of them for an endpoint that does not read: of what large clients
 * bring in one piece, that were megabytes for each of hundreds.
 */
const SLICE_OCTETS = 32_768;

/** What an {@linkcode Upload} needs to know of who takes it. */
export interface UploadOptions {
  /** How long the endpoint may do nothing, in milliseconds. */
  readonly limitMs: number;
  /** Called once when that is over. */
  readonly onOver: () => void;
  /** Whether nobody needs a piece any more by the time the next one is wanted. */
  readonly frees: boolean;
}

/**
 * The body of a request.
 *
 * The clock runs while the endpoint has something to do: to take what there is,
 * or to answer. It stands while the client has.
 */
export class Upload implements UnderlyingDefaultSource<Octets> {
  /** What to send. No chunk waits in it: one is on its way, if any. */
  readonly stream: ReadableStream<Octets>;
  /** Resolves when nothing more goes on its way: whether that was all. */
  readonly ended: Promise<boolean>;
  readonly #octets: AsyncGenerator<Octets>;
  readonly #options: UploadOptions;
  readonly #end: (whole: boolean) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #controller: ReadableStreamDefaultController<Octets> | undefined;
  #stopped = false;
  #last: Octets | undefined;
  /** What of it has not gone on its way. */
  #rest: Octets | undefined;
  #fault: { readonly error: unknown } | undefined;

  /**
   * @param octets The body, piece by piece.
   * @param options What is to be known of who takes it.
   */
  constructor(octets: AsyncGenerator<Octets>, options: UploadOptions) {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.ended = promise;
    this.#end = resolve;
    this.#octets = octets;
    this.#options = options;
    this.stream = new ReadableStream<Octets>(this, { highWaterMark: 0 });
    this.#startClock();
  }

  /** Why the octets have broken off, if they have: no fault of the endpoint. */
  get fault(): { readonly error: unknown } | undefined {
    return this.#fault;
  }

  /** The stream is there. */
  start(controller: ReadableStreamDefaultController<Octets>): void {
    this.#controller = controller;
  }

  /** The endpoint has taken all that there was. */
  async pull(
    controller: ReadableStreamDefaultController<Octets>,
  ): Promise<void> {
    clearTimeout(this.#timer);
    if (this.#rest !== undefined) return this.#send(controller, this.#rest);
    if (this.#options.frees && this.#last !== undefined) free(this.#last);
    let next: IteratorResult<Octets>;
    try {
      next = await this.#octets.next();
    } catch (error) {
      this.#fault = { error };
      this.stop();
      return;
    }
    if (this.#stopped) return;
    this.#last = next.value;
    if (!next.done) return this.#send(controller, next.value);
    this.#startClock();
    controller.close();
    this.#end(true);
  }

  #send(
    controller: ReadableStreamDefaultController<Octets>,
    octets: Octets,
  ): void {
    this.#startClock();
    const isMore = octets.length > SLICE_OCTETS;
    this.#rest = isMore ? octets.subarray(SLICE_OCTETS) : undefined;
    controller.enqueue(isMore ? octets.subarray(0, SLICE_OCTETS) : octets);
  }

  /** The connection to the endpoint has broken. */
  cancel(): void {
    this.#end(false);
  }

  /** Breaks off, unless all has gone: what the endpoint has is then no form. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#stopped = true;
    this.#controller?.error(this.#fault?.error ?? new Error("broken off"));
    this.#end(false);
  }

  #startClock(): void {
    const { limitMs, onOver } = this.#options;
    this.#timer = setTimeout(onOver, limitMs);
  }
}
