/**
 * The PROXY protocol, versions 1 and 2: a proxy in front says who the client
 * is, before the client says a word (haproxy's proxy-protocol.txt).
 *
 * @module
 */

import { formatIp, parseIp } from "../../lib/ip.ts";
import { crc32c } from "./crc32c.ts";

/** What a proxy says about the connection behind it. */
export interface ProxyHeader {
  /** The octets that the header takes. */
  readonly length: number;
  /** The client's address; absent if the proxy speaks for itself or can't say. */
  readonly source?: string;
  /** The address that the client connected to, where there is a source. */
  readonly destination?: string;
  /** Whether the client reached the proxy over TLS. */
  readonly tls: boolean;
  /** Said if the client is the proxy itself, or on the proxy's machine. */
  readonly local?: true;
}

/** What the octets received so far are. */
export type ProxyReading =
  | { readonly kind: "header"; readonly header: ProxyHeader }
  /** The beginning of a header. */
  | { readonly kind: "more" }
  /** No header: whoever sends this is not a proxy, or broken. */
  | { readonly kind: "malformed" };

const MORE: ProxyReading = { kind: "more" };
const MALFORMED: ProxyReading = { kind: "malformed" };

/** The longest version 1 header in octets, its CRLF included (section 2.1). */
const MAX_V1_OCTETS = 107;

/** The longest version 2 header that is read, in octets. */
const MAX_V2_OCTETS = 4096;

const CR = 13;
const LF = 10;

/** "\r\n\r\n\0\r\nQUIT\n" */
const SIGNATURE = [13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10] as const;
const V1_START = [80, 82, 79, 88, 89, 32] as const; // "PROXY "

/** Reads the header at the front of what a proxy has sent. */
export function readProxyHeader(octets: Uint8Array): ProxyReading {
  if (octets.length === 0) return MORE;
  const start = octets[0] === SIGNATURE[0] ? SIGNATURE : V1_START;
  const seen = Math.min(octets.length, start.length);
  for (let i = 0; i < seen; i++) {
    if (octets[i] !== start[i]) return MALFORMED;
  }
  if (seen < start.length) return MORE;
  return start === SIGNATURE ? readV2(octets) : readV1(octets);
}

function readV1(octets: Uint8Array): ProxyReading {
  const end = octets.subarray(0, MAX_V1_OCTETS).indexOf(LF);
  if (end < 0) return octets.length < MAX_V1_OCTETS ? MORE : MALFORMED;
  if (octets[end - 1] !== CR) return MALFORMED;
  const line = String.fromCharCode(...octets.subarray(0, end - 1));
  const length = end + 1;
  // Whatever stands behind UNKNOWN is to be ignored (section 2.1).
  if (/^PROXY UNKNOWN( [^\r]*)?$/.test(line)) {
    return { kind: "header", header: { length, tls: false } };
  }
  const [, family, source = "", destination = "", from = "", to = ""] =
    /^PROXY TCP([46]) (\S+) (\S+) (\d+) (\d+)$/.exec(line) ?? [];
  const colons = family === "6";
  for (const address of [source, destination]) {
    if (address.includes(":") !== colons || parseIp(address) === undefined) {
      return MALFORMED;
    }
  }
  if (!isPort(from) || !isPort(to)) return MALFORMED;
  return {
    kind: "header",
    header: {
      length,
      source: canonical(source),
      destination: canonical(destination),
      tls: false,
    },
  };
}

function isPort(text: string): boolean {
  return /^(0|[1-9][0-9]{0,4})$/.test(text) && Number(text) <= 65_535;
}

function canonical(address: string): string {
  return formatIp(parseIp(address) ?? new Uint8Array(4));
}

/** Family and protocol in a version 2 header. */
const UNSPECIFIED = 0x00;
const TCP4 = 0x11;
const TCP6 = 0x21;

/** What the family and protocol octet may be, and how many octets must follow. */
const FAMILIES: ReadonlyMap<number, number> = new Map([
  [UNSPECIFIED, 0],
  [TCP4, 12],
  [0x12, 12], // UDP over IPv4
  [TCP6, 36],
  [0x22, 36], // UDP over IPv6
  [0x31, 216], // unix stream
  [0x32, 216], // unix datagram
]);

const UNIX: ReadonlySet<number> = new Set([0x31, 0x32]);

const LOCAL = 0x20;
const PROXY = 0x21;

function readV2(octets: Uint8Array): ProxyReading {
  if (octets.length < 16) return MORE;
  const view = viewOf(octets);
  const command = view.getUint8(12);
  const family = view.getUint8(13);
  const length = 16 + view.getUint16(14);
  if (command !== LOCAL && command !== PROXY) return MALFORMED;
  if (length > MAX_V2_OCTETS) return MALFORMED;
  if (octets.length < length) return MORE;
  // A proxy that checks our health speaks for itself: its data mean nothing.
  if (command === LOCAL) {
    return { kind: "header", header: { length, tls: false, local: true } };
  }
  const needed = FAMILIES.get(family);
  if (needed === undefined || length < 16 + needed) return MALFORMED;
  const header = octets.subarray(0, length);
  const tlvs = readTlvs(header, 16 + needed) ??
    // Who knows no address may have put anything there: it is to be ignored.
    (family === UNSPECIFIED ? [] : undefined);
  if (tlvs === undefined) return MALFORMED;
  for (const { type, at, value } of tlvs) {
    if (type === TLV_CRC32C && !checksumFits(header, at, value)) {
      return MALFORMED;
    }
  }
  const tls = isTls(tlvs.findLast(({ type }) => type === TLV_SSL)?.value);
  const size = family === TCP4 ? 4 : family === TCP6 ? 16 : 0;
  if (UNIX.has(family)) {
    return { kind: "header", header: { length, tls, local: true } };
  }
  if (size === 0) return { kind: "header", header: { length, tls } };
  const addressAt = (at: number) =>
    canonical(formatIp(header.subarray(at, at + size)));
  return {
    kind: "header",
    header: {
      length,
      source: addressAt(16),
      destination: addressAt(16 + size),
      tls,
    },
  };
}

const TLV_CRC32C = 0x03;
const TLV_SSL = 0x20;

interface Tlv {
  readonly type: number;
  /** Where in the header the value begins. */
  readonly at: number;
  readonly value: Uint8Array;
}

/** The type-length-values behind the addresses, or `undefined` if they are broken. */
function readTlvs(header: Uint8Array, start: number): Tlv[] | undefined {
  const view = viewOf(header);
  const tlvs: Tlv[] = [];
  for (let at = start; at < header.length;) {
    if (at + 3 > header.length) return undefined;
    const type = view.getUint8(at);
    const end = at + 3 + view.getUint16(at + 1);
    if (end > header.length) return undefined;
    tlvs.push({ type, at: at + 3, value: header.subarray(at + 3, end) });
    at = end;
  }
  return tlvs;
}

/** The checksum is over the whole header with its own place zeroed. */
function checksumFits(header: Uint8Array, at: number, value: Uint8Array) {
  if (value.length !== 4) return false;
  const zeroed = header.slice();
  zeroed.fill(0, at, at + 4);
  return crc32c(zeroed) === viewOf(value).getUint32(0);
}

/** PP2_CLIENT_SSL: the client's side is TLS (section 2.2.6). */
function isTls(ssl: Uint8Array | undefined): boolean {
  return ssl !== undefined && ssl.length >= 5 && ((ssl[0] ?? 0) & 1) === 1;
}

function viewOf(octets: Uint8Array): DataView {
  return new DataView(octets.buffer, octets.byteOffset, octets.length);
}
