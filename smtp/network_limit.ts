/**
 * How many clients of each network are there.
 *
 * @module
 */

import { networkOf } from "../lib/ip.ts";
import { isLoopback } from "../lib/addresses.ts";

/** Counts clients by network. */
export interface Crowd {
  /** Counts a client in; false, and not counted, if its network is full. */
  enter(ip: string): boolean;
  /** Counts a client out. */
  leave(ip: string): void;
}

/**
 * Makes a count of clients by network. The machine itself is no network: a
 * proxy or a mail system on it has any number of connections.
 *
 * @param most How many clients of one network may be there at a time.
 */
export function newCrowd(most: number): Crowd {
  const counts = new Map<string, number>();
  return {
    enter(ip) {
      if (isLoopback(ip)) return true;
      const network = networkOf(ip);
      const count = counts.get(network) ?? 0;
      if (count >= most) return false;
      counts.set(network, count + 1);
      return true;
    },
    leave(ip) {
      if (isLoopback(ip)) return;
      const network = networkOf(ip);
      const count = counts.get(network) ?? 0;
      if (count > 1) counts.set(network, count - 1);
      else counts.delete(network);
    },
  };
}
