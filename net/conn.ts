/**
 * A connection as the listener needs it, encrypted or not.
 *
 * @module
 */

/** Octets in both directions. `Deno.Conn` is one. */
export interface Conn {
  /** Reads at least one octet; `null` at the end of the stream. */
  read(into: Uint8Array<ArrayBuffer>): Promise<number | null>;
  /** Writes some of the octets and says how many. */
  write(octets: Uint8Array): Promise<number>;
  /** Says that nothing more will be written. */
  closeWrite(): Promise<void>;
  /** Does both at once, where that is cheaper. */
  end?(last: Uint8Array): Promise<void>;
  /** Ends both directions at once. */
  close(): void;
}

/**
 * Encrypts a connection as its server; resolves once the handshake is done.
 *
 * @param conn The connection in plain text. It is closed when this rejects.
 * @param early What a read brings that is under way already; `null` at the
 * end of the stream.
 */
export type Encrypt = (
  conn: Conn,
  early?: Promise<Uint8Array | null>,
) => Promise<Conn>;

/** Writes all octets. */
export async function writeAll(conn: Conn, octets: Uint8Array): Promise<void> {
  let written = await conn.write(octets);
  while (written < octets.length) {
    written += await conn.write(octets.subarray(written));
  }
}

/** Reads; `null` at the end, whether the client or this side has closed. */
export async function readSome(
  conn: Conn,
  into: Uint8Array<ArrayBuffer>,
): Promise<number | null> {
  try {
    return await conn.read(into);
  } catch {
    return null;
  }
}

/** Closes what may be closed already. */
export function tryClose(closable: { close(): void }): void {
  try {
    closable.close();
  } catch {
    // It was.
  }
}

/** Writes the last octets, and says that nothing more will be written. */
export async function endWith(conn: Conn, last: Uint8Array): Promise<void> {
  if (conn.end !== undefined) return await conn.end(last);
  await writeAll(conn, last);
  await conn.closeWrite();
}

/** What the runtime calls errors of a connection that is no longer there. */
const GONE_NAMES: ReadonlySet<string> = new Set([
  "BadResource",
  "BrokenPipe",
  "ConnectionAborted",
  "ConnectionReset",
  "Gone",
  "Interrupted",
  "NotConnected",
  "UnexpectedEof",
]);

/** The other side has closed the connection where more was to come. */
export class Gone extends Error {
  /** Tells it from other errors. */
  override readonly name = "Gone";
}

/** Whether an error says only that the connection is no longer there. */
export function isGone(error: unknown): boolean {
  return error instanceof Error && GONE_NAMES.has(error.name);
}
