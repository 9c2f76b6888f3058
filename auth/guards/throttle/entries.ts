/**
 * Entries of a throttle's store, and what can be done to one.
 *
 * @module
 */

import type { ThrottleLimits } from "./meters.ts";
import type { KnownNetwork, ThrottleEntry } from "./entry.ts";

/**
 * The most guesses remembered per user: the 20 that fill a count, and room for
 * the old passwords of some devices.
 */
const MAX_GUESSES = 64;

/** The most networks remembered per user: home, office, phone, and some more. */
const MAX_NETWORKS = 8;

/** The most for all users whose names are counted as one. */
const MAX_LOGINS = 32;

/** One list for all entries that have none. */
const NONE: readonly never[] = [];

/** An entry in which nothing is counted yet. */
export function newEntry(
  keepMs: number,
  now: number,
  shared: boolean,
): ThrottleEntry {
  return {
    ...{ count: 0, home: 0, late: 0 },
    ...{ at: now, keepMs, shared, typed: "", guesses: NONE, networks: NONE },
  };
}

/** The entry with other counts, as of now. */
export function withCounts(
  entry: ThrottleEntry,
  counts: Pick<ThrottleEntry, "count" | "home" | "late">,
  now: number,
  shared: boolean,
): ThrottleEntry {
  return { ...entry, ...counts, at: now, shared: entry.shared && shared };
}

/** The entry of a pair with one more guess, the name typed like that. */
export function withTyped(entry: ThrottleEntry, user: string): ThrottleEntry {
  const isFirst = entry.count + entry.home <= 1;
  const typed = isFirst || entry.typed === user ? user : "";
  return entry.typed === typed ? entry : { ...entry, typed };
}

/** Whether an entry tells nothing any more. */
export function isEmpty(entry: ThrottleEntry): boolean {
  const { count, home, late, guesses, networks, clearedAt } = entry;
  return count === 0 && home === 0 && late === 0 && clearedAt === undefined &&
    guesses.length === 0 && networks.length === 0;
}

/** The entry with a guess as the latest. */
export function withGuess(
  entry: ThrottleEntry,
  guess: number,
  keepMs: number,
): ThrottleEntry {
  const others = entry.guesses.filter((known) => known !== guess);
  return {
    ...entry,
    keepMs: Math.max(keepMs, entry.keepMs),
    guesses: [...others, guess].slice(-MAX_GUESSES),
  };
}

/**
 * The entry with a login as the latest. It takes the place of an older one of
 * the same user, never of another's: whoever has an account with a name like
 * another's must not end the other's trust.
 */
export function withLogin(
  entry: ThrottleEntry,
  login: KnownNetwork,
  { windowMs, trustMs }: ThrottleLimits,
): ThrottleEntry {
  const others = entry.networks.filter(({ user, network, at }) =>
    (user !== login.user || network !== login.network) &&
    isWithin(at, trustMs, login.at)
  );
  const mine = others.filter(({ user }) => user === login.user);
  const isFull = mine.length >= MAX_NETWORKS || others.length >= MAX_LOGINS;
  const left = isFull ? others.filter((known) => known !== mine[0]) : others;
  return {
    ...entry,
    keepMs: Math.max(windowMs, trustMs),
    networks: [...left, login].slice(0, MAX_LOGINS),
  };
}

/** When the user logged in from the network last, if that is remembered. */
export function loginAt(
  entry: ThrottleEntry | undefined,
  user: string,
  network: string,
): number | undefined {
  return entry?.networks.find((known) =>
    known.network === network && known.user === user
  )?.at;
}

/**
 * Whether a time is not longer ago than that; nor so far ahead, as after a
 * clock was set back, or on a machine whose clock is wrong.
 */
export function isWithin(at: number, ms: number, now: number): boolean {
  return Math.abs(now - at) < ms;
}
