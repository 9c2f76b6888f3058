/**
 * Addresses of connections, as people and providers read them.
 *
 * @module
 */

import { formatIp, parseIp, splitZone } from "./ip.ts";

/**
 * An IP address in the one form that all its spellings share (RFC 5952): IPv4
 * without the `::ffff:` that it gets on an IPv6 socket, a zone kept.
 *
 * @param text What a socket or another server says: an address, or `unknown`,
 * `unix:` or nothing where it has none.
 * @returns `""` if the text is no address.
 */
export function plainIp(text: string | undefined): string {
  const [address, zone] = splitZone(text ?? "");
  const octets = parseIp(address);
  if (octets === undefined) return "";
  if (zone === "") return formatIp(octets);
  return octets.length === 4 ? "" : formatIp(octets) + zone;
}

/** Whether a text is an address that never leaves the machine. */
export function isLoopback(text: string): boolean {
  const octets = parseIp(splitZone(text)[0]);
  if (octets === undefined) return false;
  return octets.length === 4
    ? octets[0] === 127
    : octets.every((octet, i) => octet === (i === 15 ? 1 : 0));
}

/** `host:port`, an IPv6 address in brackets. */
export function hostPort(hostname: string, port: number): string {
  return hostname.includes(":")
    ? `[${hostname}]:${port}`
    : `${hostname}:${port}`;
}
