/**
 * The reading end of a body: what destinations of ours read from.
 *
 * @module
 */

type Octets = Uint8Array<ArrayBuffer>;

/** How a destination gets at the octets of a message. */
export interface BodyReader {
  /**
   * Whether the memory of a piece may be freed once it is stored, and not left
   * to the collector: pieces of hundreds of large messages would fill it.
   */
  readonly isOwn: boolean;
  /**
   * The next octets; `null` at the end. One read at a time.
   *
   * @throws {unknown} Why there will be no end.
   */
  read(): Promise<Octets | null>;
  /** Calls once, as soon as there will be no end, whether anybody reads or not. */
  onBroken(call: () => void): void;
  /** Wants no more. A read that is under way resolves as at the end. */
  cancel(): void;
}

/** Reads from a stream of anybody's. */
export class StreamReader implements BodyReader {
  readonly isOwn: boolean;
  readonly #reader: ReadableStreamDefaultReader<Octets>;

  /**
   * @param stream The stream, which is locked from now on.
   * @param isOwn Whether its pieces are their reader's alone.
   */
  constructor(stream: ReadableStream<Octets>, isOwn: boolean) {
    this.#reader = stream.getReader();
    this.isOwn = isOwn;
  }

  async read(): Promise<Octets | null> {
    return (await this.#reader.read()).value ?? null;
  }

  onBroken(call: () => void): void {
    this.#reader.closed.catch(call);
  }

  cancel(): void {
    this.#reader.cancel().catch(() => {});
  }
}
