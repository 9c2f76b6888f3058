/**
 * The settings of a throttle.
 *
 * @module
 */

import {
  CUSTOMER_BITS_4,
  CUSTOMER_BITS_6,
  parseNetwork,
} from "../../../lib/ip.ts";
import {
  aFunction,
  anObject,
  checkOptions,
  integer,
  limitMs,
  networks,
  pauseMs,
  type Rules,
} from "../../../lib/options.ts";
import {
  MAX_STORE_TIMEOUT_MS,
  type Store,
  STORE_TIMEOUT_MS,
} from "../../state/store.ts";
import type { OriginOptions } from "./keys.ts";
import type { ThrottleLimits } from "./meters.ts";

/** What is done with the settings, in errors. */
export const ACTION = "create throttle";

/**
 * Milliseconds that a throttle may add to an answer in all. Postfix gives up
 * after 10 s, and the provider needs its time too.
 */
export const MAX_HOLD_MS = 5000;

/** The window if nothing else is said, in milliseconds. */
export const HOUR_MS = 3_600_000;
const WEEK_MS = 604_800_000;

/** The longest that counts and trust may last, in milliseconds: a year. */
const MAX_TIME_MS = 31_536_000_000;

/**
 * What {@linkcode withThrottle} allows.
 *
 * @category Around a provider
 */
export interface ThrottleOptions {
  /**
   * Wrong guesses for one user from everywhere; where no address is known, ten
   * times as many from there. Default: 20.
   */
  readonly userLimit?: number;
  /**
   * Wrong guesses for one user from one network; from one IPv6 `/48` four times
   * as many, but at most three quarters of `userLimit`. Default: 10.
   */
  readonly pairLimit?: number;
  /**
   * Wrong guesses from one network, for all users; from one IPv6 `/48` four
   * times as many. The same for one user in a network that is trusted for that
   * user, and ten times as many for all such users there. Default: 100, so that
   * an office behind one address may mistype.
   */
  readonly networkLimit?: number;
  /**
   * Milliseconds in which a full count drains, at an even pace. Default:
   * 3600000, an hour: a user's guess is forgiven every 3 minutes.
   */
  readonly windowMs?: number;
  /**
   * Milliseconds for which a network is trusted for a user who has logged in
   * there; 0 for never. Default: 604800000, a week.
   */
  readonly trustMs?: number;
  /**
   * Milliseconds that the last guess before a limit is held up; the one
   * before half as long, and so on for six; 0 for no delays. Late failures
   * delay half as long. At most, and by default: 5000.
   */
  readonly delayMs?: number;
  /** How many bits of an IPv4 address name its network. Default: 24. */
  readonly ipv4Prefix?: number;
  /**
   * How many bits of an IPv6 address name its network. Default: 56. Beyond 48,
   * the `/48` around it is counted too.
   */
  readonly ipv6Prefix?: number;
  /**
   * Networks that speak for many users, such as a webmail's, `127.0.0.0/8` for
   * one on the same machine: guesses from there count for the user only, not
   * for the network. Default: none.
   */
  readonly sharedNetworks?: readonly string[];
  /** Where the counts are. Default: a `newMemoryStore()`. */
  readonly store?: Store;
  /**
   * Milliseconds that a store may take. After that the throttle counts in
   * memory, for 5 s. At most 1000. Default: 250.
   */
  readonly storeTimeoutMs?: number;
  /**
   * The time in milliseconds since 1970 that counts drain by, for tests.
   * Default: `Date.now`, as machines that share a store must agree about it.
   */
  readonly now?: () => number;
}

const RULES: Rules<ThrottleOptions> = {
  userLimit: integer(1),
  pairLimit: integer(1),
  networkLimit: integer(1),
  windowMs: limitMs(MAX_TIME_MS),
  trustMs: pauseMs(MAX_TIME_MS),
  delayMs: pauseMs(MAX_HOLD_MS),
  ipv4Prefix: integer(0, 32),
  ipv6Prefix: integer(0, 128),
  sharedNetworks: networks,
  store: anObject,
  storeTimeoutMs: limitMs(MAX_STORE_TIMEOUT_MS),
  now: aFunction,
};

/** The settings, all there, or an error that says what is wrong with them. */
export function checkedOptions(options: ThrottleOptions): {
  readonly limits: ThrottleLimits;
  readonly origins: OriginOptions;
  readonly storeTimeoutMs: number;
  readonly now: () => number;
} {
  checkOptions(ACTION, options, RULES);
  const { storeTimeoutMs = STORE_TIMEOUT_MS, now = Date.now } = options;
  return {
    limits: {
      userLimit: options.userLimit ?? 20,
      pairLimit: options.pairLimit ?? 10,
      networkLimit: options.networkLimit ?? 100,
      windowMs: options.windowMs ?? HOUR_MS,
      trustMs: options.trustMs ?? WEEK_MS,
      delayMs: options.delayMs ?? MAX_HOLD_MS,
    },
    origins: {
      ipv4Prefix: options.ipv4Prefix ?? CUSTOMER_BITS_4,
      ipv6Prefix: options.ipv6Prefix ?? CUSTOMER_BITS_6,
      sharedNetworks: (options.sharedNetworks ?? []).flatMap((text) =>
        parseNetwork(text) ?? []
      ),
    },
    storeTimeoutMs,
    now,
  };
}
