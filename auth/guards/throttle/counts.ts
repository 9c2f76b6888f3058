/**
 * The arithmetic of a throttle: what may be asked, and what an answer changes.
 * Pure functions: the time and the entries come in, other entries go out.
 *
 * @module
 */

import type { ProviderReason } from "../../reasons.ts";
import type { KnownNetwork, ThrottleEntries, ThrottleEntry } from "./store.ts";

/**
 * The most guesses remembered per user: the 20 that fill a count, and room for
 * the old passwords of some devices.
 */
const MAX_GUESSES = 64;

/** The most networks remembered per user: home, office, phone, and some more. */
const MAX_NETWORKS = 8;

/**
 * The share of `trustMs` for which an accepted login is not noted again: it
 * saves a write with nearly every login.
 */
const RENEWAL = 1 / 24;

/** How many guesses before a limit the delays begin: each doubles the last. */
const DELAYED_GUESSES = 6;

/** What a throttle counts, and how far. */
export interface ThrottleRules {
  /** Guesses for one user, from everywhere. */
  readonly userLimit: number;
  /** Guesses for one user from one network. */
  readonly pairLimit: number;
  /** Guesses from one network, for all users; for one where it is trusted. */
  readonly networkLimit: number;
  /** Milliseconds in which a full count drains. */
  readonly windowMs: number;
  /** Milliseconds for which an accepted login makes a network trusted. */
  readonly trustMs: number;
  /** Milliseconds of the longest delay. */
  readonly delayMs: number;
}

/** Under which keys to look for a request. */
export interface ThrottleKeys {
  /** The user's; and, if the client's network is known, the pair's and its own. */
  readonly keys: readonly string[];
  /** The client's network, if it is known. */
  readonly network: string | undefined;
  /** Whether many users share it, so that it has no count of its own. */
  readonly shared: boolean;
}

/** Whether a request may go on. */
export type Verdict =
  | {
    /** It may, after a delay, and counts as under way under these keys. */
    readonly kind: "ask";
    readonly delayMs: number;
    readonly counted: readonly string[];
  }
  | {
    /** It may if one under way under this key turns out to be no guess. */
    readonly kind: "wait";
    readonly key: string;
    readonly reason: ProviderReason;
  }
  | {
    /** It may not. */
    readonly kind: "refuse";
    readonly reason: ProviderReason;
  };

const REASONS: readonly ProviderReason[] = [
  "throttled-user",
  "throttled-pair",
  "throttled-network",
];

/** The keys of a user, of a user in a network, and of a network. */
export function throttleKeys(
  user: string,
  network: string | undefined,
  shared = false,
): ThrottleKeys {
  if (network === undefined) return { keys: [`user ${user}`], network, shared };
  // No network has a space in it, so no two pairs have the same key.
  const keys = [`user ${user}`, `pair ${network} ${user}`];
  if (!shared) keys.push(`network ${network}`);
  return { keys, network, shared };
}

/**
 * Says whether a request may go on. A request is let through only if, should
 * all others under way prove wrong, it still fits below every limit: otherwise
 * a thousand connections at once would be a thousand guesses.
 */
export function judge(
  of: ThrottleKeys,
  entries: ThrottleEntries,
  underWay: (key: string) => number,
  rules: ThrottleRules,
  now: number,
): Verdict {
  const { keys } = of;
  const limits = limitsOf(of, entries, rules, now);
  const counted: string[] = [];
  let delayMs = 0;
  let full: Verdict | undefined;
  for (let i = 0; i < keys.length; i++) {
    const [key = "", limit = Infinity] = [keys[i], limits[i]];
    if (limit === Infinity) continue;
    const count = drained(entries[i], limit, rules.windowMs, now);
    const reason = REASONS[i] ?? "throttled-user";
    if (count > limit - 1) return { kind: "refuse", reason };
    if (count + underWay(key) > limit - 1) {
      full ??= { kind: "wait", key, reason };
    }
    delayMs = Math.max(delayMs, delayOf(count, limit, rules.delayMs));
    counted.push(key);
  }
  return full ?? { kind: "ask", delayMs, counted };
}

/**
 * What a wrong guess makes of the entries. One that is known costs nothing:
 * a device with an old password is no attacker, however often it comes.
 */
export function afterWrong(
  of: ThrottleKeys,
  entries: ThrottleEntries,
  guess: number,
  rules: ThrottleRules,
  now: number,
): ThrottleEntries {
  const [user] = entries;
  const known = user?.guesses.includes(guess) ?? false;
  if (known && user?.guesses.at(-1) === guess) return entries;
  const limits = limitsOf(of, entries, rules, now);
  return entries.map((entry, i) => {
    const limit = limits[i] ?? Infinity;
    if (i > 0 && (known || limit === Infinity)) return entry;
    const cost = known || limit === Infinity ? 0 : 1;
    const counted = recount(entry, limit, cost, rules, now);
    return i > 0 ? counted : withGuess(counted, guess, rules);
  });
}

/**
 * What an accepted login makes of the entries: the network is trusted for the
 * user, and what the pair has counted is taken back, because it was the user's
 * own typing. Guesses from elsewhere stay counted, and so do others' from the
 * same network: a guesser with an account of his own gains nothing by it.
 */
export function afterRight(
  of: ThrottleKeys,
  entries: ThrottleEntries,
  rules: ThrottleRules,
  now: number,
): ThrottleEntries {
  const { network } = of;
  if (network === undefined) return entries;
  const [user, pair] = entries;
  const at = trustedSince(user, network);
  const fresh = at !== undefined &&
    isWithin(at, rules.trustMs * RENEWAL, now);
  if (fresh && pair === undefined) return entries;
  const limits = limitsOf(of, entries, rules, now);
  const [userLimit, pairLimit = Infinity] = limits;
  const trusted = userLimit === Infinity;
  const back = trusted ? 0 : drained(pair, pairLimit, rules.windowMs, now);
  return entries.map((entry, i) => {
    if (i === 1) return undefined;
    const counted = back === 0
      ? entry
      : recount(entry, limits[i] ?? Infinity, -back, rules, now);
    if (i === 0) {
      return withNetwork(counted ?? blank(rules, now), network, rules, now);
    }
    return counted?.count === 0 ? undefined : counted;
  });
}

/**
 * How far each count may go. From a network where the user has logged in
 * lately only the pair counts, and as far as a network may go: those who guess
 * elsewhere cannot lock the user out there, and those who guess there, behind
 * the same address, still meet a limit. Where many users share a network, a
 * pair is counted for what an accepted login takes back, as far as the user.
 */
function limitsOf(
  { network, shared }: ThrottleKeys,
  [user]: ThrottleEntries,
  { userLimit, pairLimit, networkLimit, trustMs }: ThrottleRules,
  now: number,
): readonly number[] {
  const at = network === undefined ? undefined : trustedSince(user, network);
  return at !== undefined && isWithin(at, trustMs, now)
    ? [Infinity, networkLimit, Infinity]
    : [userLimit, shared ? userLimit : pairLimit, networkLimit];
}

/**
 * What is left of a count: a full one drains in the window, at an even pace.
 * So no lock lasts longer, whatever came before.
 */
function drained(
  entry: ThrottleEntry | undefined,
  limit: number,
  windowMs: number,
  now: number,
): number {
  if (entry === undefined || !isWithin(entry.at, windowMs, now)) return 0;
  const elapsed = Math.max(0, now - entry.at);
  const drain = limit === Infinity ? 0 : limit * elapsed / windowMs;
  return Math.max(0, Math.min(entry.count, limit) - drain);
}

/**
 * Whether a time is not longer ago than that; nor so far ahead, as after a
 * clock was set back, or on a machine whose clock is wrong.
 */
function isWithin(at: number, ms: number, now: number): boolean {
  return Math.abs(now - at) < ms;
}

function delayOf(count: number, limit: number, delayMs: number): number {
  // Counts drain all the time: nine guesses are soon 8.99.
  const guesses = Math.ceil(count);
  const left = limit - guesses;
  if (guesses === 0 || left > DELAYED_GUESSES) return 0;
  return delayMs / 2 ** (left - 1);
}

function recount(
  entry: ThrottleEntry | undefined,
  limit: number,
  change: number,
  rules: ThrottleRules,
  now: number,
): ThrottleEntry {
  // A count that does not apply keeps its pace: it stays as it was noted.
  if (limit === Infinity) return entry ?? blank(rules, now);
  const count = drained(entry, limit, rules.windowMs, now) + change;
  return {
    ...(entry ?? blank(rules, now)),
    count: Math.max(0, Math.min(count, limit)),
    at: now,
  };
}

function blank({ windowMs }: ThrottleRules, now: number): ThrottleEntry {
  return { count: 0, at: now, keepMs: windowMs, guesses: NONE, networks: NONE };
}

/** One list for all entries that have none. */
const NONE: readonly never[] = [];

function withGuess(
  entry: ThrottleEntry,
  guess: number,
  { windowMs, trustMs }: ThrottleRules,
): ThrottleEntry {
  const others = entry.guesses.filter((known) => known !== guess);
  return {
    ...entry,
    // Long after the count has drained, a device still has its old password.
    keepMs: Math.max(windowMs, trustMs),
    guesses: [...others, guess].slice(-MAX_GUESSES),
  };
}

function withNetwork(
  entry: ThrottleEntry,
  network: string,
  { windowMs, trustMs }: ThrottleRules,
  now: number,
): ThrottleEntry {
  const others = entry.networks.filter((known) =>
    known.network !== network && isWithin(known.at, trustMs, now)
  );
  return {
    ...entry,
    keepMs: Math.max(windowMs, trustMs),
    networks: [...others, { network, at: now }].slice(-MAX_NETWORKS),
  };
}

function trustedSince(
  user: ThrottleEntry | undefined,
  network: string,
): number | undefined {
  return user?.networks.find((known: KnownNetwork) => known.network === network)
    ?.at;
}
