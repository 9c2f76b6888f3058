/**
 * What answers change. Pure: the time and the entries come in, other entries go
 * out; the same ones, if nothing has changed.
 *
 * @module
 */

import {
  isEmpty,
  isWithin,
  loginAt,
  newEntry,
  withCounts,
  withGuess,
  withLogin,
  withTyped,
} from "./entries.ts";
import { AT } from "./keys.ts";
import type { Meter } from "./meters.ts";
import { countOf, metersFor, type Reading } from "./reading.ts";
import type { ThrottleEntries, ThrottleEntry } from "./entry.ts";

/**
 * The share of `trustMs` for which an accepted login is not noted again: it
 * saves a write with nearly every login.
 */
const RENEWAL = 1 / 24;

/**
 * What a wrong guess makes of the entries. One that is known costs nothing: a
 * device with an old password is no attacker, however often it comes.
 */
export function afterWrong(reading: Reading, guess: number): ThrottleEntries {
  const guesses = reading.entries[AT.user]?.guesses ?? [];
  const cost = guesses.includes(guess) ? 0 : 1;
  const mine = metersFor(reading);
  const back = takenBack(reading, isLate);
  const after = changed(
    reading,
    (meter) => !isLate(meter) && mine.includes(meter) ? cost : back(meter),
  );
  if (guesses.at(-1) === guess) return after;
  return after.map((entry, i) => {
    if (i === AT.user) {
      return withGuess(entry ?? blank(reading), guess, keepMs(reading));
    }
    const isTyped = i === AT.pair && entry !== undefined && cost > 0;
    return isTyped ? withTyped(entry, reading.of.user) : entry;
  });
}

/**
 * What an accepted login makes of the entries: the network is trusted for the
 * user, and what the pair has counted is taken back, because it was the user's
 * own typing, if it was of the very same name. Guesses from elsewhere stay
 * counted, and so do others' from the same network: a guesser with an account
 * of his own gains nothing by it.
 */
export function afterRight(reading: Reading): ThrottleEntries {
  const { entries, of: { user, origin }, rules: { limits }, now } = reading;
  if (origin.kind === "unknown") {
    // Whose guesses these were, nobody knows.
    return changed(reading, takenBack(reading, isLate));
  }
  const { network } = origin;
  const at = loginAt(entries[AT.user], user, network);
  const isFresh = at !== undefined &&
    isWithin(at, limits.trustMs * RENEWAL, now);
  if (isFresh && entries[AT.pair] === undefined) return entries;
  const after = entries[AT.pair] === undefined
    ? entries
    : withoutOwn(reading, user);
  if (isFresh) return after;
  return after.map((entry, i) =>
    i === AT.user
      ? withLogin(entry ?? blank(reading), { user, network, at: now }, limits)
      : entry
  );
}

/** The entries without what the user has typed wrong in the network. */
function withoutOwn(reading: Reading, user: string): ThrottleEntries {
  const mine = metersFor(reading);
  // Not for one who has an account with a name like the victim's.
  const isOwn = reading.entries[AT.pair]?.typed === user;
  return changed(
    reading,
    takenBack(
      reading,
      (meter) => isLate(meter) || isOwn && mine.includes(meter),
    ),
  );
}

/**
 * What a failure makes of them that came so late that it may stand for a "no".
 * It only delays, and any answer takes back what the pair has counted so.
 */
export function afterLate(reading: Reading): ThrottleEntries {
  const mine = metersFor(reading);
  return changed(
    reading,
    (meter) => isLate(meter) && mine.includes(meter) ? 1 : 0,
  );
}

/**
 * What a client makes of them that has gone before the answer came: the back
 * end was asked, so it costs the network a guess, and the user none.
 */
export function afterGone(reading: Reading): ThrottleEntries {
  const { origin } = reading.of;
  if (origin.kind !== "open") return reading.entries;
  const mine = metersFor(reading).filter((meter) =>
    !isLate(meter) && (meter.at === AT.network || meter.at === AT.site)
  );
  return changed(reading, (meter) => mine.includes(meter) ? 1 : 0);
}

function isLate({ of }: Meter): boolean {
  return of === "late";
}

/** Adds to counts; an entry in which nothing is left is taken out. */
function changed(
  reading: Reading,
  change: (meter: Meter) => number,
): ThrottleEntries {
  const { rules, of: { keys, origin: { kind } }, entries, now } = reading;
  const after = entries.map((entry, at) => {
    const mine = rules.meters[kind].byEntry[at] ?? [];
    if (at >= keys.length || mine.every((meter) => change(meter) === 0)) {
      return entry;
    }
    const counts = { count: 0, home: 0, late: 0 };
    for (const meter of mine) {
      const count = countOf(reading, entry, meter) + change(meter);
      counts[meter.of] = Math.max(0, Math.min(count, meter.limit));
    }
    const next = withCounts(
      entry ?? blank(reading),
      counts,
      now,
      kind !== "open",
    );
    return isEmpty(next) ? undefined : next;
  });
  return after.every((entry, at) => entry === entries[at]) ? entries : after;
}

/** What a pair has counted, to be taken back from all counts. */
function takenBack(
  reading: Reading,
  isBack: (meter: Meter) => boolean,
): (meter: Meter) => number {
  const { rules, of: { origin: { kind } }, entries } = reading;
  const at = kind === "unknown" ? AT.user : AT.pair;
  const back = { count: 0, home: 0, late: 0 };
  for (const meter of rules.meters[kind].byEntry[at] ?? []) {
    if (isBack(meter)) back[meter.of] = countOf(reading, entries[at], meter);
  }
  return ({ of }) => -back[of];
}

function blank({ of: { origin }, rules, now }: Reading): ThrottleEntry {
  return newEntry(rules.limits.windowMs, now, origin.kind !== "open");
}

/** Long after the count has drained, a device still has its old password. */
function keepMs(
  { entries, rules: { limits }, now }: Reading,
): number {
  const { windowMs, trustMs } = limits;
  const isUser = entries[AT.user]?.networks.some(({ at }) =>
    isWithin(at, trustMs, now)
  );
  return isUser ? Math.max(windowMs, trustMs) : windowMs;
}
