/**
 * A connection over TLS. It reads from its socket only while somebody waits to
 * read from it, and writes one thing at a time.
 *
 * @module
 */

import { type Conn, Gone, writeAll } from "./conn.ts";
import { encryptedPart, type TlsEngine } from "./tls_engine.ts";
import { TlsFailure } from "./tls_failure.ts";

/** Room for most of what clients send in a handshake, in octets. */
const HANDSHAKE_OCTETS = 4_096;

/** Rooms that no handshake uses any more: a new one costs as much as a write. */
const spareRooms: Uint8Array<ArrayBuffer>[] = [];

/** How many of them are kept. */
const MOST_SPARE_ROOMS = 64;

/**
 * The least room to read a client's octets into: with less, a client that keeps
 * somebody's buffer nearly full would be read in tiny pieces.
 */
const LEAST_ROOM_OCTETS = 512;

/**
 * How much is encrypted at once, in octets: a record. What the client has not
 * read is not in memory twice.
 */
const RECORD_OCTETS = 16_384;

const NO_ROOM = new Uint8Array(0);

/** The record of a fatal alert `decode_error` (RFC 8446 section 6). */
const DECODE_ERROR = Uint8Array.of(21, 3, 3, 0, 2, 2, 50);

/** A socket with TLS upon it. */
export class TlsConnection implements Conn {
  readonly #socket: Conn;
  readonly #engine: TlsEngine;
  /** The writing that is under way. */
  #writing: Promise<void> | undefined;
  /** The socket has ended, whether TLS has or not. */
  #over = false;
  #closed = false;

  /**
   * @param socket The connection in plain text.
   * @param engine TLS for it.
   */
  constructor(socket: Conn, engine: TlsEngine) {
    this.#socket = socket;
    this.#engine = engine;
  }

  /**
   * Does the server's part of the handshake. Its last words wait for the first
   * write or read, which go out with them.
   *
   * @param early What a read brings that is under way already; `null` at the
   * end of the stream.
   * @throws {TlsFailure} If there will be no TLS. The client has been told.
   * @throws {Gone} If the client leaves.
   */
  async handshake(early?: Promise<Uint8Array | null>): Promise<void> {
    try {
      if (early !== undefined) await this.#receive(await early, NO_ROOM);
      const room = spareRooms.pop() ?? new Uint8Array(HANDSHAKE_OCTETS);
      while (!this.#engine.secure) {
        if (this.#isOver()) throw new Gone("closed in the handshake");
        await this.#pull(room, NO_ROOM);
      }
      if (spareRooms.length < MOST_SPARE_ROOMS) spareRooms.push(room);
    } catch (error) {
      this.#destroy();
      throw error;
    }
  }

  async read(into: Uint8Array<ArrayBuffer>): Promise<number | null> {
    const room = into.length < LEAST_ROOM_OCTETS
      ? new Uint8Array(HANDSHAKE_OCTETS)
      : encryptedPart(into);
    for (;;) {
      const waiting = this.#engine.read(into);
      if (waiting > 0) return waiting;
      if (this.#isOver()) return null;
      // What is encrypted is no shorter than what comes out of it.
      const count = await this.#pull(room, into);
      if (count > 0) return count;
    }
  }

  async write(octets: Uint8Array): Promise<number> {
    this.#mustBeOpen();
    // It is asked whether the client is there.
    if (octets.length === 0) return await this.#socket.write(octets);
    const record = octets.subarray(0, RECORD_OCTETS);
    const encrypting = this.#engine.write(record);
    if (encrypting !== undefined) await encrypting;
    await this.#flush();
    return record.length;
  }

  async end(last: Uint8Array): Promise<void> {
    let rest = last;
    while (rest.length > RECORD_OCTETS) {
      rest = rest.subarray(await this.write(rest));
    }
    this.#mustBeOpen();
    const encrypting = this.#engine.write(rest);
    if (encrypting !== undefined) await encrypting;
    await this.closeWrite();
  }

  async closeWrite(): Promise<void> {
    this.#mustBeOpen();
    const ending = this.#engine.end();
    if (ending !== undefined) await ending;
    await this.#flush();
    await this.#socket.closeWrite();
  }

  close(): void {
    this.#destroy();
    this.#socket.close();
  }

  /** Whether the client sends nothing more; throws if TLS has failed. */
  #isOver(): boolean {
    this.#mustBeOpen();
    const { error, ended } = this.#engine;
    if (error !== undefined) throw new TlsFailure(error);
    return ended || this.#over;
  }

  /**
   * Says what there is to say, then waits for what the client sends. Resolves
   * to how many octets of it were decrypted and had room.
   */
  async #pull(
    room: Uint8Array<ArrayBuffer>,
    into: Uint8Array,
  ): Promise<number> {
    const writing = this.#flush();
    if (writing !== undefined) await writing;
    const count = await this.#socket.read(room);
    return this.#receive(count === null ? null : room.subarray(0, count), into);
  }

  async #receive(octets: Uint8Array | null, into: Uint8Array): Promise<number> {
    this.#mustBeOpen();
    // An end in the middle of a record is an end all the same.
    if (octets === null) {
      this.#over = true;
      return 0;
    }
    let count = this.#engine.receive(octets, into);
    if (typeof count !== "number") count = await count;
    if (this.#engine.error !== undefined) await this.#alert();
    return count;
  }

  /** Sends the last that a client hears. */
  async #alert(): Promise<void> {
    const writing = this.#flush();
    if (writing !== undefined) await writing;
    // For some of what is no handshake rustls has no words.
    else if (!this.#engine.secure) await writeAll(this.#socket, DECODE_ERROR);
  }

  /** Sends all output; what others add meanwhile goes with it. */
  #flush(): Promise<void> | undefined {
    this.#writing ??= this.#writeFrom(this.#engine.output());
    return this.#writing;
  }

  #writeFrom(octets: Uint8Array): Promise<void> | undefined {
    return octets.length === 0 ? undefined : this.#writeOn(octets);
  }

  async #writeOn(first: Uint8Array): Promise<void> {
    try {
      let octets = first;
      while (octets.length > 0) {
        await writeAll(this.#socket, octets);
        if (this.#closed) return;
        octets = this.#engine.output();
      }
    } finally {
      this.#writing = undefined;
    }
  }

  #mustBeOpen(): void {
    if (this.#closed) throw new Gone("closed");
  }

  #destroy(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#engine.destroy();
  }
}
