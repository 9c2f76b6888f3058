/**
 * A client of a line-based protocol over a unix socket or TCP.
 *
 * @module
 */

import type {
  AuthServer,
  AuthServerAddress,
} from "../../adapters/socket_server.ts";
import { mustHappen } from "../../testing/deadline.ts";

/** A connection, line by line. */
export interface LineClient extends Disposable {
  readonly send: (text: string | Uint8Array) => Promise<void>;
  /** Reads lines; fails if the server closes before. */
  readonly lines: (count: number) => Promise<string[]>;
  /** Waits until the server has closed or reset; tells what came before. */
  readonly end: () => Promise<string>;
}

/** Connects to a server. */
export async function connectTo(
  server: AuthServer,
): Promise<LineClient> {
  const [address] = server.addrs;
  if (address === undefined) throw new Error("The server has no address");
  const conn = await connect(address);
  const decoder = new TextDecoder();
  const space = new Uint8Array(4096);
  let received = "";

  async function more(): Promise<boolean> {
    let count: number | null;
    try {
      count = await mustHappen(conn.read(space), "the server says something");
    } catch (error) {
      if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
      count = null;
    }
    if (count === null) return false;
    received += decoder.decode(space.subarray(0, count), { stream: true });
    return true;
  }

  return {
    send: async (text) => {
      const octets = typeof text === "string"
        ? new TextEncoder().encode(text)
        : text;
      for (let sent = 0; sent < octets.length;) {
        sent += await conn.write(octets.subarray(sent));
      }
    },
    lines: async (count) => {
      for (;;) {
        const lines = received.split("\n");
        if (lines.length > count) {
          received = lines.slice(count).join("\n");
          return lines.slice(0, count);
        }
        if (!await more()) throw new Error(`Closed behind "${received}"`);
      }
    },
    end: async () => {
      while (await more());
      return received;
    },
    [Symbol.dispose]: () => conn.close(),
  };
}

function connect(address: AuthServerAddress): Promise<Deno.Conn> {
  return address.transport === "unix"
    ? Deno.connect({ transport: "unix", path: address.path })
    : Deno.connect({ hostname: address.hostname, port: address.port });
}
