/**
 * A socket and the session it is for: octets move between them. One read at a
 * time, which may be under way while something else is waited for.
 *
 * @module
 */

import type { Session } from "./protocol/session.ts";
import { type Conn, tryClose } from "../net/conn.ts";

/** How many octets of a client that was told to go are thrown away. */
const LINGER_OCTETS = 1_048_576;

const NOTHING = new Uint8Array(0);

/** A read that nobody waits for yet. */
interface PendingRead {
  readonly space: Uint8Array<ArrayBuffer>;
  readonly octets: Promise<number | null>;
}

/** A question to a provider, as far as the client's going matters to it. */
export interface Asking {
  /** Whether it has no answer yet. */
  open: boolean;
  /** Whether a client that sends nothing more waits for it all the same. */
  readonly outlivesEnd?: boolean;
  /** The client has gone, unless a reason says otherwise. */
  readonly abort: (reason?: unknown) => void;
}

/** A socket, and the session it is for. */
export class Transport {
  /** The socket; another one after TLS has begun on it. */
  conn: Conn;
  /** The session; another one after STARTTLS. */
  session: Session;
  #pending: PendingRead | undefined;
  /** The client sends nothing more. What it has sent still gets its replies. */
  #sawEnd = false;

  /**
   * @param conn The socket.
   * @param session The session.
   */
  constructor(conn: Conn, session: Session) {
    this.conn = conn;
    this.session = session;
  }

  /** Closes the socket, which may be closed already. */
  close(): void {
    tryClose(this.conn);
  }

  /**
   * The read that is under way already, or a new one; `null` at the end.
   * Whoever waits for it tells the session what it has brought.
   */
  read(): Promise<number | null> {
    if (this.#sawEnd) return Promise.resolve(null);
    const pending = this.#pending;
    this.#pending = undefined;
    return pending?.octets ?? this.conn.read(this.session.space());
  }

  /** Begins a read; `read` takes it over. */
  begin(): Promise<number | null> {
    const space = this.session.space();
    this.#pending = { space, octets: this.conn.read(space) };
    return this.#pending.octets;
  }

  /**
   * Keeps one read under way while a provider is asked. A reset means that the
   * client has gone. So does the end of its stream, unless something that it
   * sent still waits: Exim and scripts close their sending half behind their
   * last command and read on. Never rejects.
   */
  async watch(asking: Asking): Promise<void> {
    while (asking.open && this.session.hasRoom && !this.#sawEnd) {
      let octets: number | null;
      try {
        octets = await (this.#pending?.octets ?? this.begin());
      } catch {
        return asking.abort();
      }
      // Too late to be of use here: the next read takes it over.
      if (!asking.open) return;
      this.#pending = undefined;
      this.session.filled(octets ?? 0);
      if (octets !== null) continue;
      this.#sawEnd = true;
      if (this.session.waiting === 0 && !asking.outlivesEnd) asking.abort();
    }
  }

  /**
   * Finds out whether the client has reset the connection, whatever it has sent
   * that nobody reads: writing fails then, even nothing. Never rejects.
   */
  async probe(asking: Asking): Promise<void> {
    try {
      await this.conn.write(NOTHING);
    } catch {
      if (asking.open) asking.abort();
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
  async drain(): Promise<void> {
    if (this.#sawEnd) return;
    const scrap = new Uint8Array(4096);
    let pending = this.#pending?.octets;
    try {
      for (let drained = 0; drained < LINGER_OCTETS;) {
        const octets = await (pending ?? this.conn.read(scrap));
        if (octets === null) return;
        drained += octets;
        pending = undefined;
      }
    } catch {
      // The client has gone, or its time is up.
    }
  }
}
