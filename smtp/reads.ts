/**
 * What one connection reads: one read at a time, which may be under way while
 * something else is waited for.
 *
 * @module
 */

import type { Session } from "./protocol/session.ts";
import type { Wire } from "../net/conn.ts";

/** How many octets of a client that was told to go are thrown away. */
const LINGER_OCTETS = 1_048_576;

/** A read that nobody waits for yet. */
interface PendingRead {
  readonly space: Uint8Array<ArrayBuffer>;
  readonly octets: Promise<number | null>;
}

/** A question to a provider, as far as the client's going matters to it. */
export interface Asking {
  /** Whether it has no answer yet. */
  open: boolean;
  /** The client has gone, unless a reason says otherwise. */
  readonly abort: (reason?: unknown) => void;
}

/** The reads of one connection. */
export class Reads {
  #pending: PendingRead | undefined;
  #sawEnd = false;

  /**
   * Whether the client sends nothing more. What it has sent still gets its
   * replies.
   */
  get sawEnd(): boolean {
    return this.#sawEnd;
  }

  /**
   * The read that is under way already, or a new one; `null` at the end.
   * Whoever waits for it tells the session what it has brought.
   */
  next(wire: Wire, session: Session): Promise<number | null> {
    if (this.#sawEnd) return Promise.resolve(null);
    const pending = this.#pending;
    this.#pending = undefined;
    return pending?.octets ?? wire.read(session.space());
  }

  /** Begins a read; `next` takes it over. */
  begin(wire: Wire, session: Session): Promise<number | null> {
    const space = session.space();
    this.#pending = { space, octets: wire.read(space) };
    return this.#pending.octets;
  }

  /**
   * Keeps one read under way while a provider is asked. A reset means that the
   * client has gone. So does the end of its stream, unless something that it
   * sent still waits: Exim and scripts close their sending half behind their
   * last command and read on. Never rejects.
   */
  async watch(wire: Wire, session: Session, asking: Asking): Promise<void> {
    while (asking.open && session.hasRoom && !this.#sawEnd) {
      let octets: number | null;
      try {
        octets = await (this.#pending?.octets ?? this.begin(wire, session));
      } catch {
        return asking.abort();
      }
      // Too late to be of use here: the next read takes it over.
      if (!asking.open) return;
      this.#pending = undefined;
      session.filled(octets ?? 0);
      if (octets !== null) continue;
      this.#sawEnd = true;
      if (session.waiting === 0) asking.abort();
    }
  }

  /** Gives away what a read brings that is under way, if one is. */
  takePending(): Promise<Uint8Array | null> | undefined {
    const pending = this.#pending;
    this.#pending = undefined;
    return pending?.octets.then((count) =>
      count === null ? null : pending.space.subarray(0, count)
    );
  }

  /** Throws away what still comes, until the client closes. Never rejects. */
  async drain(wire: Wire): Promise<void> {
    if (this.#sawEnd) return;
    const scrap = new Uint8Array(4096);
    let pending = this.#pending?.octets;
    try {
      for (let drained = 0; drained < LINGER_OCTETS;) {
        const octets = await (pending ?? wire.read(scrap));
        if (octets === null) return;
        drained += octets;
        pending = undefined;
      }
    } catch {
      // The client has gone, or its time is up.
    }
  }
}
