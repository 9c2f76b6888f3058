/**
 * A throttle against those who guess passwords.
 *
 * @module
 */

import { askProvider } from "../../ask_provider.ts";
import {
  CLIENT_GONE,
  isGuess,
  type ProviderReason,
  reasonOf,
} from "../../reasons.ts";
import type {
  AuthProvider,
  AuthRequest,
  AuthResult,
  ReadyProvider,
} from "../../types.ts";
import { steadyStore } from "../../state/fallback.ts";
import { newMemoryStore } from "../../state/memory_store.ts";
import { newSharedSecret } from "../../state/shared_secret.ts";
import { aFunction, checkValue } from "../../../lib/options.ts";
import { pause } from "../../../lib/race.ts";
import {
  type Admission,
  admit,
  type Attempt,
  readingOf,
  type Throttle,
} from "./admission.ts";
import { afterGone, afterLate, afterRight, afterWrong } from "./changes.ts";
import { newGuessHash } from "./guess_hash.ts";
import { type Ending, InFlight } from "./in_flight.ts";
import { namelessUser, newOrigins, throttleKeys } from "./keys.ts";
import { newMeters } from "./meters.ts";
import { ACTION, checkedOptions, type ThrottleOptions } from "./options.ts";
import type { Reading } from "./reading.ts";
import { type ThrottleEntries, throttleEntries } from "./entry.ts";

/**
 * How late a failure is one that may stand for a "no", in milliseconds: back
 * ends make those who guess wait, some for longer than we do.
 */
const LATE_MS = 1000;

/**
 * Slows down those who guess passwords, and then stops asking for them, without
 * locking out those who know theirs.
 *
 * Distinct wrong guesses are counted: per user, per network (`/24`, `/56`), and
 * per user in a network; from IPv6 also per site (`/48`), four times as wide.
 * Only `authInvalid` is a guess, and not for a token that has merely expired
 * (`token-expired`). The same wrong password for the same user costs
 * nothing, so a device with an old password harms nobody however often it
 * comes. Near a limit the answer is delayed, by at most 5 s; at the limit it is
 * `authFailure`, and the provider is not asked. Counts drain all the time: no
 * lock is without an end, and none lasts longer than `windowMs`.
 *
 * - A network from which a user has logged in lately is exempt for that user:
 *   guesses from elsewhere do not hold the user up there. Only guesses from
 *   there count, up to `networkLimit` for the user, and up to ten times as many
 *   for all users who are exempt there.
 * - An accepted login takes back what the user's own mistyping has counted
 *   from that network. It does not help others there.
 * - User names are counted without regard to case, width, accents, and how the
 *   domain is written; unknown ones like known ones. A network is exempt for a
 *   name as it was typed.
 * - No more guesses are under way at once than are left; others wait for them,
 *   up to 5 s. The same user name and password is one guess, however many ask.
 *   While others wait, each that was right makes room for two: right passwords
 *   do not hold each other up.
 * - A token without a user name is counted for its network alone: those who send
 *   none have nothing else in common.
 * - Where no address is known, guesses are counted for the user alone, apart
 *   from all others: delayed from near `userLimit` on, refused at ten times
 *   as many.
 * - A failure that comes late may stand for a "no" that came too late
 *   (`backend-timeout`, or after a second). It is counted by pair and network,
 *   and only delays, by up to half of `delayMs`, until the pair gets an answer.
 * - A client that has gone before the answer came costs its network a guess.
 *
 * What is left to an attacker: with two networks, to keep a victim from logging
 * in where the victim has not been lately, with a temporary failure; and as many
 * guesses at each user and hour as `userLimit`. Where all clients seem to have
 * one address, as behind a proxy that does not tell theirs, they share one
 * network's limit, unless it is said to be one of `sharedNetworks`.
 *
 * Passwords are not kept. A guess is remembered as 20 bits of an HMAC-SHA-256,
 * too few to find it again: many passwords have the same.
 *
 * @param provider Whom to ask.
 * @param options Limits and times, and where to count.
 * @returns A provider that never throws or rejects.
 * @throws {RangeError} If a limit is not a whole number from 1, a prefix not a
 * valid length, or a time out of its range.
 * @throws {TypeError} If the provider is not a function, an option is unknown,
 * or a shared network is not a network.
 *
 * @example Around a table of users
 * ```ts
 * import { newStaticAuthProvider, withThrottle } from "@meowmail/smtpauth";
 *
 * const users = newStaticAuthProvider({ ann: "correct horse" });
 * const provider = withThrottle(users, { pairLimit: 2, delayMs: 0 });
 * const guess = async (password: string) =>
 *   (await provider({
 *     username: "ann",
 *     password,
 *     mechanism: "PLAIN",
 *     remoteIp: "192.0.2.7",
 *     heloName: "laptop",
 *   })).decision;
 * console.assert(await guess("12345678") === "authInvalid");
 * console.assert(await guess("12345678") === "authInvalid"); // costs nothing
 * console.assert(await guess("password") === "authInvalid");
 * console.assert(await guess("qwertyui") === "authFailure");
 * ```
 * @category Around a provider
 */
export function withThrottle(
  provider: AuthProvider,
  options: ThrottleOptions = {},
): ReadyProvider {
  const throttle = newThrottle(provider, options);
  return async (request, signal) => {
    if (signal?.aborted) return CLIENT_GONE;
    const { username, password } = request;
    const user = username === ""
      ? namelessUser(await throttle.hash(username, password))
      : username;
    const attempt = newAttempt(throttle, { request, signal, user });
    const admission = await admit(throttle, attempt);
    if (admission.kind === "enter") {
      return await ask(throttle, attempt, admission);
    }
    const { reason } = admission;
    return signal?.aborted ? CLIENT_GONE : { decision: "authFailure", reason };
  };
}

function newThrottle(
  provider: AuthProvider,
  options: ThrottleOptions,
): Throttle {
  checkValue(ACTION, "provider", aFunction, provider);
  const { limits, origins, storeTimeoutMs, now } = checkedOptions(options);
  const store = steadyStore(options.store ?? newMemoryStore(), storeTimeoutMs);
  return {
    provider,
    rules: { limits, meters: newMeters(limits) },
    store: throttleEntries(store),
    inFlight: new InFlight(),
    hash: newGuessHash(newSharedSecret(store, "guesses")),
    originOf: newOrigins(origins),
    storeTimeoutMs,
    now,
  };
}

/** A request, and the user whom it is counted for. */
interface Asking {
  readonly request: AuthRequest;
  readonly signal: AbortSignal | undefined;
  readonly user: string;
}

function newAttempt(
  { originOf }: Throttle,
  { request, signal, user }: Asking,
): Attempt {
  const { username, password, remoteIp } = request;
  const of = throttleKeys(user, originOf(remoteIp));
  const guess = `${username}\0${password}`;
  return { request, signal, of, guess, beganAt: performance.now() };
}

/** Waits out the delay, asks, and notes the result before it is told. */
async function ask(
  throttle: Throttle,
  attempt: Attempt,
  { entries, delayMs, leave }: Admission & { readonly kind: "enter" },
): Promise<AuthResult> {
  const { request, signal } = attempt;
  let ending: Ending = "unknown";
  try {
    if (delayMs > 0) await pause(delayMs, signal);
    if (signal?.aborted) return CLIENT_GONE;
    const askedAt = performance.now();
    const result = await askProvider(throttle.provider, request, signal);
    const tookMs = performance.now() - askedAt;
    await note(throttle, attempt, entries, result, tookMs);
    ending = endingOf(result);
    return result;
  } finally {
    leave(ending);
  }
}

function endingOf(result: AuthResult): Ending {
  if (result.decision === "authOk") return "right";
  return isGuess(result) ? "wrong" : "unknown";
}

/** Notes a result, so that the next guess finds it noted. */
async function note(
  throttle: Throttle,
  attempt: Attempt,
  entries: ThrottleEntries,
  result: AuthResult,
  tookMs: number,
): Promise<void> {
  const { store, hash } = throttle;
  const { request: { username, password }, of: { keys } } = attempt;
  const guess = isGuess(result) ? await hash(username, password) : 0;
  const change = (entries: ThrottleEntries) =>
    afterResult(readingOf(throttle, attempt, entries), result, guess, tookMs);
  // Nearly always nothing changes, and then nothing is to be written.
  if (change(entries) !== entries) await store.update(keys, change);
}

function afterResult(
  reading: Reading,
  result: AuthResult,
  guess: number,
  tookMs: number,
): ThrottleEntries {
  switch (result.decision) {
    case "authOk":
      return afterRight(reading);
    case "authInvalid":
      return isGuess(result) ? afterWrong(reading, guess) : reading.entries;
    case "authFailure": {
      const reason = reasonOf(result);
      if (reason === "client-gone") return afterGone(reading);
      return isLate(reason, tookMs) ? afterLate(reading) : reading.entries;
    }
    default:
      return result satisfies never;
  }
}

/** Whether a failure may stand for a "no" that would have come too late. */
function isLate(reason: ProviderReason, tookMs: number): boolean {
  if (reason === "backend-timeout") return true;
  return tookMs >= LATE_MS && reason !== "backend-busy";
}
