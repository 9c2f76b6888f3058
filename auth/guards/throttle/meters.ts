/**
 * What a throttle counts, and how far.
 *
 * @module
 */

import type { ProviderReason } from "../../reasons.ts";
import { AT, type Origin } from "./keys.ts";

/** How much wider than a network an IPv6 site is counted. */
const SITE_FACTOR = 4;

/**
 * The share of a user's limit that one IPv6 site may fill: less than all, so
 * that no site alone keeps a user out everywhere.
 */
const SITE_SHARE = 3 / 4;

/**
 * How much wider a network is counted for users who are trusted there, all of
 * them together: an office where each of a thousand mistypes once.
 */
const HOME_FACTOR = 10;

/**
 * How much further a user is counted where no address is known: anybody could
 * keep the user out, so guesses are delayed long before they are refused.
 */
const UNKNOWN_FACTOR = 10;

/** How far a throttle counts. */
export interface ThrottleLimits {
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

/** The counts that an entry has. */
export type CountName = "count" | "home" | "late";

/** One count of one of a request's entries, and how far it may go. */
export interface Meter {
  /** Which of the request's entries. */
  readonly at: number;
  /** Which of its counts. */
  readonly of: CountName;
  /** How far it goes; it drains from there in the window. */
  readonly limit: number;
  /** At how many the longest delay is reached. */
  readonly slowest: number;
  /** Why a request is refused at the limit; `undefined` if it is only delayed. */
  readonly reason: ProviderReason | undefined;
}

/** The counts that requests of one origin have. */
export interface Meters {
  /** All, by entry: what is written again drains as a whole. */
  readonly byEntry: readonly (readonly Meter[])[];
  /** Those that hold for a user who has logged in from the network lately. */
  readonly trusted: readonly Meter[];
  /** Those that hold for any other. */
  readonly untrusted: readonly Meter[];
}

/** The counts of all requests. */
export type MetersByOrigin = Readonly<Record<Origin["kind"], Meters>>;

/**
 * Makes the table of all counts. From a network where the user has logged in
 * lately only guesses from there count, and as far as a network may go: those
 * who guess elsewhere cannot lock the user out there, and those who guess there,
 * behind the same address, still meet a limit.
 */
export function newMeters(limits: ThrottleLimits): MetersByOrigin {
  const { userLimit, pairLimit, networkLimit } = limits;
  const user = guesses(AT.user, userLimit, "throttled-user");
  const home = guessesAtHome(AT.pair, networkLimit, "throttled-pair");
  const late = lateAnswers(AT.pair, pairLimit);
  const sitePairLimit = Math.max(
    pairLimit,
    Math.min(SITE_FACTOR * pairLimit, Math.floor(SITE_SHARE * userLimit)),
  );
  const siteLimit = SITE_FACTOR * networkLimit;
  const homesLimit = HOME_FACTOR * networkLimit;
  const homes = guessesAtHome(AT.network, homesLimit, "throttled-network");
  return {
    open: metersOf([home, homes, late], [
      user,
      guesses(AT.pair, pairLimit, "throttled-pair"),
      guesses(AT.network, networkLimit, "throttled-network"),
      guesses(AT.sitePair, sitePairLimit, "throttled-pair"),
      guesses(AT.site, siteLimit, "throttled-network"),
      late,
      lateAnswers(AT.network, networkLimit),
      lateAnswers(AT.sitePair, sitePairLimit),
      lateAnswers(AT.site, siteLimit),
    ]),
    shared: sharedMeters(user, home, userLimit),
    unknown: unknownMeters(userLimit),
  };
}

/**
 * Where many users share a network, it has no count, and a pair is counted for
 * what an accepted login takes back, as far as the user.
 */
function sharedMeters(user: Meter, home: Meter, userLimit: number): Meters {
  const late = lateAnswers(AT.pair, userLimit);
  const pair = guesses(AT.pair, userLimit, "throttled-pair");
  return metersOf([home, late], [user, pair, late]);
}

function unknownMeters(userLimit: number): Meters {
  const limit = UNKNOWN_FACTOR * userLimit;
  return metersOf([], [
    {
      ...guesses(AT.user, limit, "throttled-user"),
      slowest: userLimit,
    },
    lateAnswers(AT.user, userLimit),
  ]);
}

/**
 * Guesses for users who are trusted in the network. They have a count of their
 * own: one that is read now with one limit and now with another drains at two
 * speeds, and whoever can choose gets guesses out of it.
 */
function guessesAtHome(
  at: number,
  limit: number,
  reason: ProviderReason,
): Meter {
  return { at, of: "home", limit, slowest: limit, reason };
}

function guesses(at: number, limit: number, reason: ProviderReason): Meter {
  return { at, of: "count", limit, slowest: limit, reason };
}

/**
 * Failures that came so late that they may stand for a "no". They never
 * refuse: in an outage they are all that comes.
 */
function lateAnswers(at: number, limit: number): Meter {
  return { at, of: "late", limit, slowest: limit, reason: undefined };
}

function metersOf(
  trusted: readonly Meter[],
  untrusted: readonly Meter[],
): Meters {
  const all = [...new Set([...trusted, ...untrusted])];
  const count = Math.max(...all.map(({ at }) => at)) + 1;
  const byEntry = Array.from(
    { length: count },
    (_, i) => all.filter(({ at }) => at === i),
  );
  return { byEntry, trusted, untrusted };
}
