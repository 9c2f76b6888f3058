/**
 * A throttle against those who guess passwords.
 *
 * @module
 */

import { askProvider } from "../../ask_provider.ts";
import { newGuessHash } from "./guess_hash.ts";
import { isIn, networkOf, parseIp } from "../../../lib/ip.ts";
import { CLIENT_GONE, type ProviderReason } from "../../reasons.ts";
import { newSteadyStore } from "./fallback_store.ts";
import {
  afterRight,
  afterWrong,
  judge,
  type ThrottleKeys,
  throttleKeys,
  type ThrottleRules,
} from "./counts.ts";
import {
  checkedOptions,
  MAX_HOLD_MS,
  type ThrottleOptions,
} from "./options.ts";
import {
  newMemoryThrottleStore,
  type ThrottleEntries,
  type ThrottleStore,
} from "./store.ts";
import { newTurns, type Turns } from "./in_flight.ts";
import type {
  AuthProvider,
  AuthRequest,
  AuthResult,
  ReadyProvider,
} from "../../types.ts";
import { foldUserName } from "../../user_name.ts";
import { pause } from "../../../lib/wait_queue.ts";

/**
 * Slows down those who guess passwords, and then stops asking for them, without
 * locking out those who know theirs.
 *
 * Distinct wrong guesses are counted: per user, per network (`/24`, `/56`), and
 * per user in a network. Only `authInvalid` is a guess. The same wrong password
 * for the same user costs nothing, so a device with an old password harms
 * nobody however often it comes. Near a limit the answer is delayed, by at most
 * 5 s; at the limit it is `authFailure`, and the provider is not asked. Counts
 * drain all the time: no lock is without an end, and none lasts longer than
 * `windowMs`.
 *
 * - A network from which a user has logged in lately is exempt for that user:
 *   guesses from elsewhere do not hold the user up there. Only guesses for this
 *   user from there count, up to `networkLimit`.
 * - An accepted login takes back what the user's own mistyping has counted
 *   from that network. It does not help others there.
 * - User names are compared case-folded (NFKC); unknown ones count like known
 *   ones.
 * - More logins at once than guesses are left wait for each other.
 *
 * What is left to an attacker with many networks is to keep a victim from
 * logging in where the victim has not been lately, with a temporary failure.
 * Where all clients seem to have one address, as behind a proxy that does not
 * tell theirs, they share one network's limit, unless it is said to be one of
 * `sharedNetworks`.
 *
 * Passwords are not kept. A guess is remembered as 20 bits of an HMAC-SHA-256,
 * too few to find it again: many passwords have the same.
 *
 * @param provider Whom to ask.
 * @param options Limits and times, and where to count.
 * @returns A provider that never throws or rejects.
 * @throws {RangeError} If a limit is no whole number from 1, a prefix no
 * length of one, or a time out of its range.
 * @throws {TypeError} If a shared network is none.
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
 */
export function withThrottle(
  provider: AuthProvider,
  options: ThrottleOptions = {},
): ReadyProvider {
  const throttle = newThrottle(provider, options);
  const { store, turns, rules, now } = throttle;
  return async (request, signal) => {
    const attempt = newAttempt(throttle, request, signal);
    const entries = store.read(attempt.keys.keys);
    if (entries instanceof Promise) {
      return await held(throttle, attempt, entries);
    }
    const verdict = judge(attempt.keys, entries, turns.underWay, rules, now());
    return verdict.kind === "ask" && verdict.delayMs === 0
      ? await askAtOnce(throttle, attempt, entries, verdict.counted)
      : await held(throttle, attempt, entries);
  };
}

interface Throttle {
  readonly provider: AuthProvider;
  readonly rules: ThrottleRules;
  readonly store: Required<ThrottleStore>;
  readonly turns: Turns;
  readonly hash: (user: string, password: string) => Promise<number>;
  readonly networkOf: (ip: string) => string | undefined;
  readonly isShared: (ip: string) => boolean;
  readonly storeTimeoutMs: number;
  readonly now: () => number;
}

/** One request on its way. */
interface Attempt {
  readonly request: AuthRequest;
  readonly signal: AbortSignal | undefined;
  readonly user: string;
  readonly keys: ThrottleKeys;
}

function newThrottle(
  provider: AuthProvider,
  options: ThrottleOptions,
): Throttle {
  const { rules, ipv4Prefix, ipv6Prefix, sharedNetworks, storeTimeoutMs, now } =
    checkedOptions(options);
  const store = newSteadyStore(
    options.store ?? newMemoryThrottleStore(),
    storeTimeoutMs,
    now,
  );
  return {
    provider,
    rules,
    store,
    turns: newTurns(),
    hash: newGuessHash(store),
    networkOf: (ip) =>
      ip === "" ? undefined : networkOf(ip, ipv4Prefix, ipv6Prefix),
    isShared: (ip) => {
      const octets = sharedNetworks.length === 0 ? undefined : parseIp(ip);
      return octets !== undefined &&
        sharedNetworks.some((network) => isIn(octets, network));
    },
    storeTimeoutMs,
    now,
  };
}

function newAttempt(
  throttle: Throttle,
  request: AuthRequest,
  signal: AbortSignal | undefined,
): Attempt {
  const { username, remoteIp } = request;
  const user = foldUserName(username);
  const network = throttle.networkOf(remoteIp);
  const keys = throttleKeys(user, network, throttle.isShared(remoteIp));
  return { request, signal, user, keys };
}

/** The usual way: nothing to wait for. */
async function askAtOnce(
  throttle: Throttle,
  attempt: Attempt,
  entries: ThrottleEntries,
  counted: readonly string[],
): Promise<AuthResult> {
  const { provider, turns } = throttle;
  const { request, signal } = attempt;
  const leave = turns.enter(counted);
  try {
    const result = await askProvider(provider, request, signal);
    return await settled(throttle, attempt, entries, result);
  } finally {
    leave();
  }
}

/** The long way: wait for a turn, wait out the delay, then ask. */
async function held(
  throttle: Throttle,
  attempt: Attempt,
  read: ThrottleEntries | Promise<ThrottleEntries>,
): Promise<AuthResult> {
  const { provider, now } = throttle;
  const { request, signal } = attempt;
  // A store that answers later is called twice more, once the provider has.
  const reservedMs = read instanceof Promise ? 2 * throttle.storeTimeoutMs : 0;
  const deadline = now() + MAX_HOLD_MS - reservedMs;
  const admission = await admit(throttle, attempt, read, deadline);
  if (admission.kind === "refuse") return refuse(attempt, admission.reason);
  try {
    const delayMs = Math.min(admission.delayMs, deadline - now());
    if (delayMs > 0) await pause(delayMs, signal);
    const result = await askProvider(provider, request, signal);
    return await settled(throttle, attempt, admission.entries, result);
  } finally {
    admission.leave();
  }
}

type Admission =
  | {
    /** It counts as under way until it leaves. */
    readonly kind: "enter";
    readonly leave: () => void;
    readonly delayMs: number;
    readonly entries: ThrottleEntries;
  }
  | { readonly kind: "refuse"; readonly reason: ProviderReason };

/** Waits until the request may go on, but not beyond the deadline. */
async function admit(
  { rules, store, turns, now }: Throttle,
  { signal, keys }: Attempt,
  read: ThrottleEntries | Promise<ThrottleEntries>,
  deadline: number,
): Promise<Admission> {
  let calledFor: string | undefined;
  for (;;) {
    // From an answer that is there at once to enter() there must be no await:
    // another request could take the same turn.
    const entries = read instanceof Promise ? await read : read;
    const verdict = judge(keys, entries, turns.underWay, rules, now());
    if (verdict.kind === "ask") {
      const leave = turns.enter(verdict.counted);
      return { kind: "enter", leave, delayMs: verdict.delayMs, entries };
    }
    // The end that has called this one may be of use to the next in the line.
    const waitsFor = verdict.kind === "wait" ? verdict.key : undefined;
    if (calledFor !== undefined && calledFor !== waitsFor) {
      turns.pass(calledFor);
    }
    if (waitsFor === undefined) {
      return { kind: "refuse", reason: verdict.reason };
    }
    const waitMs = deadline - now();
    const called = waitMs > 0 && await turns.wait(waitsFor, waitMs, signal);
    if (!called) return { kind: "refuse", reason: verdict.reason };
    calledFor = waitsFor;
    read = store.read(keys.keys);
  }
}

/** Notes a result before it is told, so that the next guess finds it noted. */
async function settled(
  throttle: Throttle,
  attempt: Attempt,
  entries: ThrottleEntries,
  result: AuthResult,
): Promise<AuthResult> {
  const { rules, store, hash, now } = throttle;
  const { request, user, keys } = attempt;
  switch (result.decision) {
    case "authInvalid": {
      const guess = await hash(user, request.password);
      await store.update(
        keys.keys,
        (entries) => afterWrong(keys, entries, guess, rules, now()),
      );
      break;
    }
    case "authOk":
      if (afterRight(keys, entries, rules, now()) === entries) break;
      await store.update(
        keys.keys,
        (entries) => afterRight(keys, entries, rules, now()),
      );
      break;
    case "authFailure":
      break;
    default:
      result satisfies never;
  }
  return result;
}

function refuse({ signal }: Attempt, reason: ProviderReason): AuthResult {
  return signal?.aborted ? CLIENT_GONE : { decision: "authFailure", reason };
}
