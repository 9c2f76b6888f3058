/**
 * A connection through a proxy begins with the header of the PROXY protocol,
 * which says who the client is.
 *
 * @module
 */

import { isIn, type Network, parseIp } from "../lib/ip.ts";
import type { Conn } from "../net/conn.ts";
import type { PreambleStep } from "./preamble.ts";
import type { SessionPeer } from "./protocol/actions.ts";
import type { Ending } from "./protocol/endings.ts";
import { type ProxyHeader, readProxyHeader } from "./protocol/proxy.ts";

/**
 * How long a proxy may take for its header, in milliseconds. The protocol's
 * text wants at least 3 s, for a packet that is lost and sent again.
 */
const PROXY_HEADER_MS = 5_000;

/** Room for the longest header, and for what may come behind it. */
const PROXY_READ_OCTETS = 8_192;

/** What depends on who is behind a proxy. */
export interface ProxyRules {
  /**
   * Whether AUTH may be used in plain text by a client that has connected to
   * the given address of the proxy; `undefined` if that is not known.
   */
  readonly plainTextAuth: (destination: string | undefined) => boolean;
  /** Whether an address may send without a login. */
  readonly isTrusted: (ip: string) => boolean;
  /** Whether there is room for the client, or what to tell it. */
  readonly admit: (client: SessionPeer) => "serve" | "close" | Ending;
}

/**
 * Reads the header of the PROXY protocol. A connection that does not come from
 * a trusted network, or does not begin with a header, is closed.
 *
 * @param trusted Who may say who the client is.
 * @param rules What depends on who that is.
 */
export function proxyStep(
  trusted: readonly Network[],
  { plainTextAuth, isTrusted, admit }: ProxyRules,
): PreambleStep {
  return {
    limitMs: PROXY_HEADER_MS,
    work: async (conn, peer) => {
      const address = parseIp(peer.remoteIp);
      if (
        address === undefined ||
        !trusted.some((network) => isIn(address, network))
      ) {
        return { reason: "proxy-untrusted" };
      }
      const read = await readHeader(conn);
      if (read === "malformed") return { reason: "proxy-malformed" };
      if (read === "left") return { reason: "client-gone" };
      const { source, destination, tls, local } = read.header;
      const remoteIp = source ?? peer.remoteIp;
      const client = {
        id: peer.id,
        remoteIp,
        tls,
        // Whom the proxy does not know is not whoever the proxy is.
        trusted: (source !== undefined || local === true) &&
          isTrusted(remoteIp),
        plainTextAuth: local ? peer.plainTextAuth : plainTextAuth(destination),
      };
      const admission = admit(client);
      if (admission === "close") return { reason: undefined };
      const opened = { conn: withRest(conn, read.rest), peer: client };
      return admission === "serve" ? opened : { ...opened, refusal: admission };
    },
  };
}

interface HeaderRead {
  readonly header: ProxyHeader;
  /** What came behind the header in the same packet. */
  readonly rest: Uint8Array;
}

/** The header; or why there is none, which is no fault of who has left. */
async function readHeader(
  conn: Conn,
): Promise<HeaderRead | "left" | "malformed"> {
  const space = new Uint8Array(PROXY_READ_OCTETS);
  for (let end = 0; end < space.length;) {
    const octets = await conn.read(space.subarray(end));
    if (octets === null) return "left";
    end += octets;
    const reading = readProxyHeader(space.subarray(0, end));
    if (reading.kind === "malformed") return "malformed";
    if (reading.kind === "more") continue;
    const { header } = reading;
    return { header, rest: space.subarray(header.length, end) };
  }
  return "malformed";
}

/** A socket whose first octets have been read already. */
function withRest(conn: Conn, rest: Uint8Array): Conn {
  if (rest.length === 0) return conn;
  let waiting = rest;
  return {
    read(into) {
      if (waiting.length === 0) return conn.read(into);
      const taken = waiting.subarray(0, into.length);
      into.set(taken);
      waiting = waiting.subarray(taken.length);
      return Promise.resolve(taken.length);
    },
    write: (octets) => conn.write(octets),
    closeWrite: () => conn.closeWrite(),
    close: () => conn.close(),
  };
}
