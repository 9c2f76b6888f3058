/**
 * Messages for `newHTTPDelivery`, and servers that see every octet of what
 * comes.
 *
 * @module
 */

import type { Envelope, SmtpMessage } from "../../smtp/protocol/envelope.ts";

/** Who sends what to whom in the tests. */
export const ENVELOPE: Envelope = {
  sender: "ann@example.org",
  recipients: ["bob@example.net", "eve@example.net"],
  parameters: { size: 1_000, body: "8BITMIME" },
  user: "ann",
  context: { tenant: 7 },
  remoteIp: "192.0.2.7",
  heloName: "laptop",
  esmtp: true,
  tls: true,
};

const encoder = new TextEncoder();

/** A message whose pieces a test hands over one by one. */
export interface Feed {
  readonly message: SmtpMessage;
  /** Hands a piece over; resolves when it is wanted. */
  readonly piece: (octets: string | Uint8Array<ArrayBuffer>) => Promise<void>;
  /** The message is whole. */
  readonly end: () => Promise<void>;
  /** The message breaks off. */
  readonly fail: (error: Error) => Promise<void>;
  /** Resolves when nobody reads any more. */
  readonly cancelled: Promise<void>;
}

/** A message that is still to come. */
export function newFeed(envelope: Envelope = ENVELOPE): Feed {
  const cancelled = Promise.withResolvers<void>();
  let wanted = Promise.withResolvers<void>();
  let controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>;
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start: (own) => void (controller = own),
    pull: () => wanted.resolve(),
    cancel: () => cancelled.resolve(),
  }, { highWaterMark: 0 });
  const whenWanted = async (act: () => void) => {
    await wanted.promise;
    wanted = Promise.withResolvers();
    act();
  };
  return {
    message: { envelope, body },
    piece: (octets) =>
      whenWanted(() =>
        controller.enqueue(
          typeof octets === "string" ? encoder.encode(octets) : octets,
        )
      ),
    end: () => whenWanted(() => controller.close()),
    fail: (error) => whenWanted(() => controller.error(error)),
    cancelled: cancelled.promise,
  };
}

/** A message that is there, in these pieces. */
export function messageOf(
  ...pieces: readonly (string | Uint8Array<ArrayBuffer>)[]
): SmtpMessage {
  const body = ReadableStream.from(
    pieces.map((piece) =>
      typeof piece === "string" ? encoder.encode(piece) : piece
    ),
  );
  return { envelope: ENVELOPE, body };
}

/** One connection, as a {@linkcode RawHttpEnd} sees it. */
export interface RawHttpConnection {
  /** Everything that has come so far. */
  readonly text: () => string;
  /** Resolves when what has come matches. */
  readonly received: (pattern: RegExp) => Promise<void>;
  /** Sends an answer as it is. */
  readonly send: (text: string) => Promise<void>;
  /** Reads no more. */
  readonly stopReading: () => void;
  /** Closes; what is unread makes it a reset. */
  readonly close: () => void;
  /** Resolves when the client has closed or reset the connection. */
  readonly gone: Promise<void>;
}

/** A TCP server that speaks HTTP as a test tells it to. */
export interface RawHttpEnd extends AsyncDisposable {
  readonly url: string;
  /** The next connection that comes. */
  readonly accept: () => Promise<RawHttpConnection>;
}

/** Starts a server for one connection after another. */
export function serveRawHttp(): RawHttpEnd {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open: { readonly close: () => void; readonly gone: Promise<void> }[] =
    [];
  return {
    url: `http://127.0.0.1:${listener.addr.port}/mail`,
    accept: async () => {
      const connection = newConnection(await listener.accept());
      open.push(connection);
      return connection;
    },
    [Symbol.asyncDispose]: async () => {
      listener.close();
      open.forEach(({ close }) => close());
      await Promise.all(open.map(({ gone }) => gone));
    },
  };
}

function newConnection(conn: Deno.TcpConn): RawHttpConnection {
  let text = "";
  let reading = true;
  let closed = false;
  const watchers = new Set<() => void>();
  const read = async () => {
    const decoder = new TextDecoder("latin1");
    const buffer = new Uint8Array(65_536);
    try {
      while (reading) {
        const count = await conn.read(buffer);
        if (count === null) return;
        text += decoder.decode(buffer.subarray(0, count));
        watchers.forEach((look) => look());
      }
    } catch {
      // A reset is a way to go too.
    }
  };
  const gone = read();
  return {
    text: () => text,
    received: (pattern) =>
      new Promise((resolve) => {
        const look = () => {
          if (!pattern.test(text)) return;
          watchers.delete(look);
          resolve();
        };
        watchers.add(look);
        look();
      }),
    send: async (answer) => void await conn.write(encoder.encode(answer)),
    stopReading: () => reading = false,
    close: () => {
      if (!closed) conn.close();
      closed = true;
    },
    gone,
  };
}
