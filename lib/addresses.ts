/**
 * Addresses of connections, as people and providers read them.
 *
 * @module
 */

import { formatIp, parseIp, readIPv4, splitZone } from "./ip.ts";
import { ownText } from "./text.ts";

/** The first octet of the machine's own IPv4 addresses (RFC 1122). */
const LOOPBACK = 127;

/**
 * An IP address in the one form that all its spellings share (RFC 5952): IPv4
 * without the `::ffff:` that it gets on an IPv6 socket, a zone kept.
 *
 * @param text What a socket or another server says: an address, or `unknown`,
 * `unix:` or nothing where it has none.
 * @returns `""` if the text is no address.
 */
export function plainIp(text: string | undefined): string {
  if (text === undefined) return "";
  // Read strictly, IPv4 has no other spelling. It is kept, its line is not.
  if (readIPv4(text) >= 0) return ownText(text);
  const [address, zone] = splitZone(text);
  const octets = parseIp(address);
  if (octets === undefined) return "";
  if (zone === "") return formatIp(octets);
  return octets.length === 4 ? "" : formatIp(octets) + zone;
}

/** Whether a text is an address that never leaves the machine. */
export function isLoopback(text: string): boolean {
  const address = readIPv4(text);
  if (address >= 0) return address >>> 24 === LOOPBACK;
  const octets = parseIp(splitZone(text)[0]);
  if (octets === undefined) return false;
  return octets.length === 4
    ? octets[0] === LOOPBACK
    : octets.every((octet, i) => octet === (i === 15 ? 1 : 0));
}

/** A URL's host without the brackets that an IPv6 address has there. */
export function bareHost(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, "$1");
}

/** `host:port`, an IPv6 address in brackets. */
export function hostPort(hostname: string, port: number): string {
  return hostname.includes(":")
    ? `[${hostname}]:${port}`
    : `${hostname}:${port}`;
}
