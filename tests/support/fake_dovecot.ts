/**
 * An authentication server that says what it is told to say.
 *
 * @module
 */

import { serveTcp, type TcpEnd } from "./raw_end.ts";

/** What a server says at once: what it has, and who it is. */
export const HANDSHAKE: string =
  "VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nMECH\tLOGIN\n" +
  "SPID\t1\nCUID\t1\nCOOKIE\t00\nDONE\n";

/** One connection to it. */
export interface FakeConnection {
  readonly say: (text: string) => Promise<void>;
  /** The next line of the client; rejects at the end. */
  readonly line: () => Promise<string>;
  readonly close: () => void;
}

/** Starts a server that talks like this on each connection, by its number. */
export function newFakeDovecot(
  talk: (connection: FakeConnection, number: number) => Promise<void>,
): TcpEnd {
  // A client that goes ends the conversation, and that is all.
  return serveTcp((conn, close, number) =>
    talk(connectionOf(conn, close), number).catch(() => {})
  );
}

function connectionOf(conn: Deno.Conn, close: () => void): FakeConnection {
  const decoder = new TextDecoder();
  const space = new Uint8Array(4096);
  let received = "";
  return {
    close,
    say: async (text) => {
      const octets = new TextEncoder().encode(text);
      for (let sent = 0; sent < octets.length;) {
        sent += await conn.write(octets.subarray(sent));
      }
    },
    line: async () => {
      for (;;) {
        const end = received.indexOf("\n");
        if (end >= 0) {
          const line = received.slice(0, end);
          received = received.slice(end + 1);
          return line;
        }
        const count = await conn.read(space);
        if (count === null) throw new Error("The client has gone");
        received += decoder.decode(space.subarray(0, count), { stream: true });
      }
    },
  };
}
