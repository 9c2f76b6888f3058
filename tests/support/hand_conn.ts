/**
 * A connection whose socket and clock a test moves by hand.
 *
 * @module
 */

import { newDeadlines } from "../../net/deadlines.ts";
import type { Conn } from "../../net/conn.ts";
import type { ConnectionContext } from "../../smtp/connection_context.ts";
import { newTransferSlots } from "../../smtp/transfer_slots.ts";
import { RULES } from "./session.ts";

/** A socket whose every move the test makes. */
export class HandConn implements Conn {
  /** What the connection has written, each write for itself. */
  readonly written: string[] = [];
  closed = false;
  /** How much room the last read had, in octets. */
  room = 0;
  #reads: {
    readonly resolve: (text: string | null) => void;
    readonly reject: (error: Error) => void;
  }[] = [];
  /** What the client has said and nobody had room for. */
  #rest = "";
  #writes: PromiseWithResolvers<void>[] = [];
  #hold = false;
  #isReset = false;

  read(into: Uint8Array<ArrayBuffer>): Promise<number | null> {
    if (this.closed) return Promise.reject(new Error("closed"));
    this.room = into.length;
    const take = (text: string): number => {
      const { read, written } = new TextEncoder().encodeInto(text, into);
      this.#rest = text.slice(read);
      return written;
    };
    if (this.#rest !== "") return Promise.resolve(take(this.#rest));
    return new Promise((resolve, reject) =>
      this.#reads.push({
        resolve: (text) => resolve(text === null ? null : take(text)),
        reject,
      })
    );
  }

  async write(octets: Uint8Array): Promise<number> {
    if (this.closed) throw new Deno.errors.BadResource("closed");
    if (this.#isReset) throw new Deno.errors.ConnectionReset("reset");
    this.written.push(new TextDecoder().decode(octets));
    if (this.#hold) {
      const write = Promise.withResolvers<void>();
      this.#writes.push(write);
      await write.promise;
    }
    return octets.length;
  }

  closeWrite(): Promise<void> {
    return Promise.resolve();
  }

  close(): void {
    this.closed = true;
    this.says(null);
    const error = new Deno.errors.Interrupted("closed");
    this.#writes.splice(0).forEach(({ reject }) => reject(error));
  }

  /** The client says something, or `null`: it closes. */
  says(text: string | null): void {
    this.#reads.shift()?.resolve(text);
  }

  /** The client resets the connection. */
  resets(): void {
    this.#isReset = true;
    const error = new Deno.errors.ConnectionReset("reset");
    this.#reads.shift()?.reject(error);
  }

  /** Writes from now on wait until they are released. */
  hold(): void {
    this.#hold = true;
  }

  release(): void {
    this.#hold = false;
    this.#writes.splice(0).forEach(({ resolve }) => resolve());
  }
}

/** What all connections share, where a test does not say otherwise. */
export function newContext(
  part: Partial<ConnectionContext> = {},
): ConnectionContext {
  return {
    rules: RULES,
    provider: () => "authOk",
    to: () => {},
    idleTimeoutMs: 300_000,
    deadlines: newDeadlines(1_000),
    encrypt: () => Promise.reject(new Error("no TLS here")),
    greetingDelayMs: 0,
    transfers: newTransferSlots(10, 1_000),
    report: () => {},
    ...part,
  };
}

/** Lets everything happen that waits for nothing but its turn. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 50; i++) await Promise.resolve();
}

/** A clock that is wound by hand in place of `setInterval`, until disposed. */
export interface HandTicks extends Disposable {
  /** Lets one interval after another pass. */
  readonly tick: (times?: number) => void;
  /** Whether somebody has a timer. */
  readonly running: () => boolean;
}

/** Puts such a clock in place. */
export function newHandTicks(): HandTicks {
  const { setInterval, clearInterval } = globalThis;
  let callback: (() => void) | undefined;
  Object.assign(globalThis, {
    setInterval: (handler: () => void) => {
      callback = handler;
      return 1;
    },
    clearInterval: () => callback = undefined,
  });
  return {
    tick: (times = 1) => {
      for (let i = 0; i < times; i++) callback?.();
    },
    running: () => callback !== undefined,
    [Symbol.dispose]: () => {
      Object.assign(globalThis, { setInterval, clearInterval });
    },
  };
}
