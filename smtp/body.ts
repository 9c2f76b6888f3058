/**
 * The body of a message as a stream, fed by a connection at the pace of whoever
 * reads it.
 *
 * @module
 */

type Octets = Uint8Array<ArrayBuffer>;

/** Both ends of a message's body. */
export class MessageBody {
  #stream: ReadableStream<Octets> | undefined;
  #controller: ReadableStreamDefaultController<Octets> | undefined;
  #end: { readonly error?: Error } | undefined;
  /** The reader has asked for octets and got none yet. */
  #wanted = false;
  /** Nobody reads any more: what comes is thrown away. */
  #released = false;
  #wake: (() => void) | undefined;
  #octets = 0;

  /** How many octets have come so far. */
  get octets(): number {
    return this.#octets;
  }

  /** The reader's end. It costs nothing until somebody asks for it. */
  get stream(): ReadableStream<Octets> {
    this.#stream ??= new ReadableStream<Octets>({
      start: (controller) => {
        this.#controller = controller;
        if (this.#end !== undefined) finish(controller, this.#end.error);
      },
      pull: () => {
        this.#wanted = true;
        this.#wake?.();
      },
      cancel: () => this.release(),
      // No chunk waits in the stream: one is with the reader, one on its way.
    }, { highWaterMark: 0 });
    return this.#stream;
  }

  /**
   * Hands octets to the reader if it has asked for some, or to nobody if it
   * wants no more; false if it must be waited for.
   */
  offer(octets: Octets): boolean {
    if (!this.#released && !this.#wanted) return false;
    this.#octets += octets.length;
    if (this.#released) return true;
    this.#wanted = false;
    this.#controller?.enqueue(octets);
    return true;
  }

  /** Hands octets to the reader as soon as it asks for them. */
  async push(octets: Octets): Promise<void> {
    await this.wanted();
    this.offer(octets);
  }

  /** Waits until the reader asks for octets, or wants no more. */
  async wanted(): Promise<void> {
    while (!this.#wanted && !this.#released) {
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
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
  release(): void {
    this.#released = true;
    this.#wake?.();
  }

  #finish(end: { readonly error?: Error }): void {
    if (this.#end !== undefined || this.#released) return;
    this.#end = end;
    if (this.#controller !== undefined) finish(this.#controller, end.error);
  }
}

function finish(
  controller: ReadableStreamDefaultController<Octets>,
  error: Error | undefined,
): void {
  if (error === undefined) controller.close();
  else controller.error(error);
}
