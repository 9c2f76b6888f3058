/**
 * Whether a request may go on. Pure: the time and the entries come in.
 *
 * @module
 */

import type { ProviderReason } from "../../reasons.ts";
import type { Meter } from "./meters.ts";
import { countOf, metersFor, type Reading } from "./reading.ts";

/** How many guesses before a limit the delays begin: each doubles the last. */
const DELAYED_GUESSES = 6;

/**
 * The share of the longest delay that late answers bring about: the place that
 * is held so long is needed again in the time that a client may be held up.
 */
const LATE_DELAY = 1 / 2;

/** Whether a request may go on. */
export type Verdict =
  | {
    /** It may, after a delay, and takes these places. */
    readonly kind: "ask";
    readonly delayMs: number;
    readonly places: readonly string[];
  }
  | {
    /** It may if one that has this place turns out to be no guess. */
    readonly kind: "wait";
    readonly place: string;
    readonly reason: ProviderReason;
  }
  | {
    /** It may not. */
    readonly kind: "refuse";
    readonly reason: ProviderReason;
  };

/**
 * Says whether a request may go on. A request is let through only if, should
 * all others under way prove wrong, it still fits below every limit: otherwise
 * a thousand connections at once would be a thousand guesses.
 *
 * @param taken How many places of a name others have.
 */
export function judge(
  reading: Reading,
  taken: (place: string) => number,
): Verdict {
  const { entries, of: { keys }, rules: { limits } } = reading;
  const places: string[] = [];
  let delayMs = 0;
  let full: Verdict | undefined;
  for (const meter of metersFor(reading)) {
    const { at, limit, reason } = meter;
    const key = keys[at];
    if (key === undefined) continue;
    const count = countOf(reading, entries[at], meter);
    delayMs = Math.max(delayMs, delayOf(count, meter, limits.delayMs));
    if (reason === undefined) continue;
    if (count > limit - 1) return { kind: "refuse", reason };
    const place = meter.of === "home" ? `home ${key}` : key;
    if (count + taken(place) > limit - 1) {
      full ??= { kind: "wait", place, reason };
    }
    places.push(place);
  }
  return full ?? { kind: "ask", delayMs, places };
}

function delayOf(
  count: number,
  { slowest, reason }: Meter,
  delayMs: number,
): number {
  // Counts drain all the time: nine guesses are soon 8.99.
  const guesses = Math.ceil(count);
  const left = Math.max(1, slowest - guesses);
  if (guesses === 0 || left > DELAYED_GUESSES) return 0;
  return delayMs * (reason === undefined ? LATE_DELAY : 1) / 2 ** (left - 1);
}
