/**
 * Under which keys a throttle counts a request.
 *
 * @module
 */

import {
  isIn,
  type Network,
  networkText,
  parseIp,
  SITE_BITS_6,
  splitZone,
} from "../../../lib/ip.ts";
import { countingName, exactName } from "../../user_name.ts";

/**
 * How many addresses are remembered with where they are: to read one and to
 * write its networks takes longer than all that is counted.
 */
const MAX_REMEMBERED = 256;

/**
 * Where in a request's keys which one stands. One without an address has only
 * the first.
 */
export const AT = {
  /** The user, in the form that all spellings of the name share. */
  user: 0,
  /** The user in the network. */
  pair: 1,
  /** The network. */
  network: 2,
  /** The user in the IPv6 site around the network. */
  sitePair: 3,
  /** The IPv6 site. */
  site: 4,
} as const;

/** Where a request comes from. */
export type Origin =
  | {
    /** From an address that is not known. */
    readonly kind: "unknown";
  }
  | {
    /** `shared`: from a network that speaks for many users. */
    readonly kind: "shared" | "open";
    readonly network: string;
    /** The site around an IPv6 network, if there is more of it. */
    readonly site: string | undefined;
  };

/** How to find networks. */
export interface OriginOptions {
  /** How many bits of an IPv4 address name its network. */
  readonly ipv4Prefix: number;
  /** How many bits of an IPv6 address name its network. */
  readonly ipv6Prefix: number;
  /** The networks that speak for many users. */
  readonly sharedNetworks: readonly Network[];
}

const UNKNOWN: Origin = { kind: "unknown" };

/**
 * Says where requests come from. A text that is no address tells nothing: were
 * it a network of its own, whoever can choose it would have any number of them.
 */
export function newOrigins(options: OriginOptions): (ip: string) => Origin {
  let remembered = new Map<string, Origin>();
  return (ip) => {
    const known = remembered.get(ip);
    if (known !== undefined) return known;
    const octets = parseIp(ip) ?? parseIp(splitZone(ip)[0]);
    // Not remembered: it may be of any length.
    if (octets === undefined) return UNKNOWN;
    const origin = originOf(octets, options);
    if (remembered.size >= MAX_REMEMBERED) remembered = new Map();
    remembered.set(ip, origin);
    return origin;
  };
}

function originOf(octets: Uint8Array, options: OriginOptions): Origin {
  const { ipv4Prefix, ipv6Prefix, sharedNetworks } = options;
  const isShared = sharedNetworks.some((network) => isIn(octets, network));
  const isV4 = octets.length === 4;
  const network = networkText(octets, isV4 ? ipv4Prefix : ipv6Prefix);
  const hasSite = !isV4 && !isShared && ipv6Prefix > SITE_BITS_6;
  const site = hasSite ? networkText(octets, SITE_BITS_6) : undefined;
  return { kind: isShared ? "shared" : "open", network, site };
}

/** Under which keys to look for a request. */
export interface ThrottleKeys {
  /** In the order of {@linkcode AT}, as many as there are. */
  readonly keys: readonly string[];
  /** The user as typed: who is trusted is no other spelling. */
  readonly user: string;
  /** Where it comes from. */
  readonly origin: Origin;
}

/**
 * The user of a token that comes without a name: whoever sends this token. A
 * name that all such clients shared could be locked for all of them.
 *
 * @param guess By what the token is known again.
 */
export function namelessUser(guess: number): string {
  // No name that a client sends has a control character in it.
  return `\0${guess}`;
}

/** The keys of a request. */
export function throttleKeys(username: string, origin: Origin): ThrottleKeys {
  const name = countingName(username);
  const user = exactName(username);
  if (origin.kind === "unknown") {
    return { keys: [`unknown ${name}`], user, origin };
  }
  const { kind, network, site } = origin;
  // No network has a space in it, so no two pairs have the same key.
  const keys = [`user ${name}`, `pair ${network} ${name}`];
  if (kind === "open") keys.push(`network ${network}`);
  if (site !== undefined) keys.push(`pair ${site} ${name}`, `network ${site}`);
  return { keys, user, origin };
}
