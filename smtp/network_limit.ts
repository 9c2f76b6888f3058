/**
 * How many clients of each network are there.
 *
 * @module
 */

import { isLoopback } from "../lib/addresses.ts";
import { CUSTOMER_BITS_4, networkOf, SITE_BITS_6 } from "../lib/ip.ts";

/**
 * How many times the limit of a network an IPv6 site may reach: it has 256 of
 * them, and without a limit of its own could take all places.
 */
const SITE_TIMES = 4;

/** Counts clients by network. */
export interface NetworkLimit {
  /** Counts a client in; false, and not counted, if its network is full. */
  enter(ip: string): boolean;
  /** Counts a client out. */
  leave(ip: string): void;
}

/**
 * Makes a count of clients by network: IPv4 /24, IPv6 /56, and IPv6 /48 with
 * four times the limit. The machine itself is no network: a proxy or a mail
 * system on it has any number of connections.
 *
 * @param most How many clients of one network may be there at a time.
 */
export function newNetworkLimit(most: number): NetworkLimit {
  const counts = new Map<string, number>();
  const countOf = (network: string) => counts.get(network) ?? 0;
  return {
    enter(ip) {
      if (isLoopback(ip)) return true;
      const networks = networksOf(ip, most);
      if (networks.some(([name, limit]) => countOf(name) >= limit)) {
        return false;
      }
      for (const [name] of networks) counts.set(name, countOf(name) + 1);
      return true;
    },
    leave(ip) {
      if (isLoopback(ip)) return;
      for (const [name] of networksOf(ip, most)) {
        const count = countOf(name);
        if (count > 1) counts.set(name, count - 1);
        else counts.delete(name);
      }
    },
  };
}

/** The networks of an address, each with its limit: one of IPv4, two of IPv6. */
function networksOf(
  ip: string,
  most: number,
): readonly (readonly [name: string, limit: number])[] {
  const network = networkOf(ip);
  const site = networkOf(ip, CUSTOMER_BITS_4, SITE_BITS_6);
  const narrow = [network, most] as const;
  return site === network ? [narrow] : [narrow, [site, most * SITE_TIMES]];
}
