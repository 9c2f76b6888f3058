/**
 * The mail client's address, as another server tells it.
 *
 * @module
 */

import { plainIp } from "../lib/addresses.ts";

/**
 * An address as an AuthRequest has it.
 *
 * @param text What the other server says: an address, or `unknown`, `unix:` or
 * nothing where it has none.
 * @returns The address without an `::ffff:` prefix, or `""` if it is none.
 */
export function remoteIpOf(text: string | undefined): string {
  if (text === undefined || text.length > MAX_LENGTH) return "";
  const ip = plainIp(text);
  return ADDRESS.test(ip) ? ip : "";
}

/** An IPv6 address with an IPv4 one in it, and the name of an interface. */
const MAX_LENGTH = 64;

const ADDRESS =
  /^(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}|(?=.*:.*:)[0-9A-Fa-f:]+(?:[0-9.]+)?(?:%[\w.-]+)?)$/;

/** Whether a text is an IP address. */
export function isIp(text: string): boolean {
  return text !== "" && remoteIpOf(text) === plainIp(text);
}
