/**
 * Who may go on: waiting for a place among those under way.
 *
 * @module
 */

import type { ProviderReason } from "../../reasons.ts";
import type { StoreView } from "../../state/view.ts";
import type { AuthProvider, AuthRequest } from "../../types.ts";
import type { Ending, InFlight } from "./in_flight.ts";
import type { Origin, ThrottleKeys } from "./keys.ts";
import { MAX_HOLD_MS } from "./options.ts";
import type { Reading, ThrottleRules } from "./reading.ts";
import type { ThrottleEntries, ThrottleEntry } from "./entry.ts";
import { judge, type Verdict } from "./verdict.ts";

/** What one throttle is made of. */
export interface Throttle {
  readonly provider: AuthProvider;
  readonly rules: ThrottleRules;
  readonly store: StoreView<ThrottleEntry>;
  readonly inFlight: InFlight;
  readonly hash: (user: string, password: string) => Promise<number>;
  readonly originOf: (ip: string) => Origin;
  readonly storeTimeoutMs: number;
  readonly now: () => number;
}

/** One request on its way. */
export interface Attempt {
  readonly request: AuthRequest;
  readonly signal: AbortSignal | undefined;
  readonly of: ThrottleKeys;
  /**
   * The same for all with this user name and password. As secret as they are,
   * and kept no longer than the request.
   */
  readonly guess: string;
  /** When it came, by a clock that nobody sets, in milliseconds. */
  readonly beganAt: number;
}

/** What becomes of a request before the provider is asked. */
export type Admission =
  | {
    /** It is under way until it leaves. */
    readonly kind: "enter";
    readonly leave: (ending: Ending) => void;
    readonly delayMs: number;
    readonly entries: ThrottleEntries;
  }
  | { readonly kind: "refuse"; readonly reason: ProviderReason };

/** Waits until the request may go on, but not beyond the time for it. */
export async function admit(
  throttle: Throttle,
  attempt: Attempt,
): Promise<Admission> {
  const { store, storeTimeoutMs, inFlight } = throttle;
  const { signal, of, beganAt } = attempt;
  let calledTo: string | undefined;
  for (;;) {
    const since = inFlight.moment;
    // From an answer that is there at once to entering there must be no await:
    // another request could take the same place.
    const read = store.read(of.keys);
    const entries = read instanceof Promise ? await read : read;
    const verdict = judgedFor(throttle, attempt, entries, calledTo);
    const slowMs = read instanceof Promise ? storeTimeoutMs : 0;
    // A slow store is called twice more, once the provider has answered.
    const leftMs = beganAt + MAX_HOLD_MS - 2 * slowMs - performance.now();
    passOn(throttle, verdict, calledTo);
    if (verdict.kind === "refuse") return verdict;
    if (verdict.kind === "ask") {
      const delayMs = Math.min(verdict.delayMs, leftMs);
      const leave = inFlight.enter(verdict.places, attempt.guess);
      return { kind: "enter", leave, delayMs, entries };
    }
    const { place, reason } = verdict;
    // And once more before, by one who is called.
    const limitMs = leftMs - slowMs;
    const wait = { since, again: place === calledTo, limitMs, signal };
    if (!await inFlight.wait(place, wait)) return { kind: "refuse", reason };
    calledTo = place;
  }
}

function judgedFor(
  throttle: Throttle,
  attempt: Attempt,
  entries: ThrottleEntries,
  calledTo: string | undefined,
): Verdict {
  return judge(
    readingOf(throttle, attempt, entries),
    (place) =>
      throttle.inFlight.taken(place, attempt.guess, place === calledTo),
  );
}

/**
 * Whatever becomes of one who was called, the next may have more use for it;
 * unless this one goes on waiting there.
 */
function passOn(
  { inFlight }: Throttle,
  verdict: Verdict,
  calledTo: string | undefined,
): void {
  const waitsAt = verdict.kind === "wait" ? verdict.place : undefined;
  if (calledTo !== undefined && calledTo !== waitsAt) inFlight.call(calledTo);
}

/** What is there about a request now. */
export function readingOf(
  { rules, now }: Throttle,
  { of }: Attempt,
  entries: ThrottleEntries,
): Reading {
  return { rules, of, entries, now: now() };
}
