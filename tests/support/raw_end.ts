/**
 * TCP servers on loopback, such as those that break HTTP in every way.
 *
 * @module
 */

import { tryClose } from "../../net/conn.ts";

const encoder = new TextEncoder();

/** One connection that a {@linkcode RawEnd} has accepted. */
export interface RawConnection {
  /** Sends octets as they are. */
  readonly send: (text: string) => Promise<void>;
  /** Reads a whole HTTP request that has a content-length; tells its body. */
  readonly readRequest: () => Promise<string>;
  /** Closes with a reset: the client's octets are left unread. */
  readonly reset: () => Promise<void>;
  /** Closes as a server does that has said everything. */
  readonly close: () => void;
  /** Resolves when the client has closed or reset the connection. */
  readonly gone: () => Promise<void>;
}

/** A running TCP server. */
export interface RawEnd extends AsyncDisposable {
  /** Where it is: `127.0.0.1:…`. */
  readonly host: string;
  /** How many connections have come. */
  readonly connections: () => number;
}

/** Starts a server that does as told with each connection. */
export function serveRaw(
  talk: (connection: RawConnection) => Promise<void>,
): RawEnd {
  const { port, ...server } = serveTcp((conn, close) =>
    talk(rawConnection(conn, close)).catch(unlessClosed)
  );
  return { host: `127.0.0.1:${port}`, ...server };
}

/** A running TCP server. */
export interface TcpEnd extends AsyncDisposable {
  readonly port: number;
  /** How many connections have come. */
  readonly connections: () => number;
}

/**
 * Starts a server that talks on each connection, by its number from 1, until the
 * test ends. What a talk throws is told then.
 */
export function serveTcp(
  talk: (
    conn: Deno.TcpConn,
    close: () => void,
    number: number,
  ) => Promise<void>,
): TcpEnd {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<Deno.TcpConn>();
  const talks: Promise<void>[] = [];
  let count = 0;
  const accepting = (async () => {
    for await (const conn of listener) {
      open.add(conn);
      const close = () => {
        open.delete(conn);
        tryClose(conn);
      };
      const running = talk(conn, close, ++count);
      talks.push(running);
      // It is told when the server ends.
      running.catch(() => {});
    }
  })();
  return {
    port: listener.addr.port,
    connections: () => count,
    [Symbol.asyncDispose]: async () => {
      listener.close();
      await accepting;
      open.forEach(tryClose);
      await Promise.all(talks);
    },
  };
}

/** A connection that the end of the test has closed may break off a talk. */
function unlessClosed(error: unknown): void {
  const isOurs = error instanceof Deno.errors.Interrupted ||
    error instanceof Deno.errors.BadResource || error instanceof ClientLeft;
  if (!isOurs) throw error;
}

/** The client has closed the connection before it asked. */
class ClientLeft extends Error {}

function rawConnection(conn: Deno.TcpConn, close: () => void): RawConnection {
  return {
    send: async (text) => {
      const octets = encoder.encode(text);
      for (let sent = 0; sent < octets.length;) {
        sent += await conn.write(octets.subarray(sent));
      }
    },
    readRequest: () => readRequest(conn),
    reset: async () => {
      // Closing a socket with unread octets makes the system send a reset.
      await conn.read(new Uint8Array(1));
      close();
    },
    close,
    gone: async () => {
      try {
        while (await conn.read(new Uint8Array(4096)) !== null);
      } catch {
        // A reset is a way to go too, and so is the end of the test.
      }
    },
  };
}

async function readRequest(conn: Deno.TcpConn): Promise<string> {
  let text = "";
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(4096);
  for (;;) {
    const [head = "", body] = text.split("\r\n\r\n");
    const length = /^content-length: (\d+)$/im.exec(head)?.[1];
    if (body !== undefined && encoder.encode(body).length >= Number(length)) {
      return body;
    }
    const read = await conn.read(buffer);
    if (read === null) throw new ClientLeft("before it had asked");
    text += decoder.decode(buffer.subarray(0, read), { stream: true });
  }
}

/**
 * A host and port where nobody listens, and nobody can while this is open: the
 * port is held by the near end of a connection.
 */
export async function holdRefusedPort(): Promise<
  { host: string } & Disposable
> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const [near, far] = await Promise.all([
    Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port }),
    listener.accept(),
  ]);
  listener.close();
  return {
    host: `127.0.0.1:${near.localAddr.port}`,
    [Symbol.dispose]: () => {
      near.close();
      far.close();
    },
  };
}
