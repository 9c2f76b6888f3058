/**
 * Lines on their way to a log that may not be read as fast as they come, or
 * not at all.
 *
 * @module
 */

/** How much may wait, in UTF-16 units: minutes of a busy log, and no more. */
const MAX_WAITING = 1_048_576;

/** How long to wait where the other end takes nothing now, in milliseconds. */
const RETRY_MS = 50;

/** Where lines go: a pipe, a file, a terminal. */
export interface LogTarget {
  /** Takes some of the octets, and tells how many. */
  write(octets: Uint8Array): Promise<number>;
}

/**
 * Writes lines without ever making anybody wait. What comes while a write is
 * under way goes with the next one; what would be too much is dropped and
 * counted, and the count is a line of its own.
 */
export class LogQueue {
  readonly #target: LogTarget;
  readonly #lossLine: (count: number) => string;
  #waiting: string[] = [];
  #size = 0;
  #dropped = 0;
  #writing: Promise<void> | undefined;

  /**
   * @param target Where the lines go.
   * @param lossLine Says that so many lines were dropped.
   */
  constructor(target: LogTarget, lossLine: (count: number) => string) {
    this.#target = target;
    this.#lossLine = lossLine;
  }

  /** Takes a line, with its end. */
  put(line: string): void {
    if (this.#size + line.length > MAX_WAITING) this.#dropped++;
    else {
      this.#waiting.push(line);
      this.#size += line.length;
    }
    this.#writing ??= this.#writeAll();
  }

  /**
   * Resolves when everything is written, or when the time is up.
   *
   * @param limitMs Milliseconds to wait at most.
   */
  async flush(limitMs: number): Promise<void> {
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, limitMs);
    await Promise.race([this.#writing, late]);
    clearTimeout(timer);
  }

  async #writeAll(): Promise<void> {
    // What is put in the same turn goes with the first write.
    await null;
    while (this.#size > 0 || this.#dropped > 0) {
      const octets = new TextEncoder().encode(this.#take());
      try {
        await this.#write(octets);
      } catch {
        // Nobody is there any more, and there is nowhere to say so.
      }
    }
    this.#writing = undefined;
  }

  /** All that waits, and behind it how much is missing there. */
  #take(): string {
    if (this.#dropped > 0) this.#waiting.push(this.#lossLine(this.#dropped));
    const text = this.#waiting.join("");
    this.#waiting = [];
    this.#size = 0;
    this.#dropped = 0;
    return text;
  }

  async #write(octets: Uint8Array): Promise<void> {
    for (let written = 0; written < octets.length;) {
      try {
        written += await this.#target.write(octets.subarray(written));
      } catch (error) {
        // Somebody else has made the other end one that does not wait.
        if (!(error instanceof Error && error.name === "WouldBlock")) {
          throw error;
        }
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }
}
