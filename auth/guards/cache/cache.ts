/**
 * A memory of accepted logins, for speed and for outages.
 *
 * @module
 */

import {
  type AcceptedLogins,
  type LoginName,
  newAcceptedLogins,
} from "./accepted_logins.ts";
import { askNow } from "../../ask_provider.ts";
import { checkedCount, checkedMs } from "../../../lib/options.ts";
import { importSecret, keyedHash, newSecret } from "../../../lib/hmac.ts";
import { type Lru, newLru } from "../../../lib/lru.ts";
import { explain, type ProviderReason, reasonOf } from "../../reasons.ts";
import { newSharedCalls, type SharedCalls } from "./shared_calls.ts";
import {
  AuthDecision,
  type AuthProvider,
  type AuthRequest,
} from "../../types.ts";
import { foldUserName } from "../../user_name.ts";

/** What the errors of a bad setting begin with. */
const ACTION = "Cannot create cache";

/** How long a login passes unasked if nothing else is said, in milliseconds. */
const DEFAULT_TTL_MS = 60_000;

/** How much longer it passes in an outage if nothing else is said: an hour. */
const DEFAULT_GRACE_MS = 3_600_000;

/** The longest of either, in milliseconds: a year. */
const MAX_TIME_MS = 31_536_000_000;

/** How many logins are remembered if nothing else is said: about 5 MB. */
const DEFAULT_MAX_ENTRIES = 10_000;

/**
 * How long a wrong password is remembered, in milliseconds: enough for the
 * client that tries one mechanism after another, and short for the user who
 * has just set that password.
 */
const REFUSED_MS = 3000;

/**
 * How many wrong passwords are remembered. They are apart from the accepted
 * logins, so that nobody can push those out by guessing.
 */
const MAX_REFUSED = 1000;

/** What {@linkcode withCache} remembers. */
export interface CacheOptions {
  /**
   * Milliseconds for which an accepted login passes without asking; 0 to ask
   * each time. Default: 60000.
   */
  readonly ttlMs?: number;
  /**
   * Milliseconds, after those, for which it passes if the provider answers
   * `authFailure`; 0 for none. Default: 3600000.
   */
  readonly graceMs?: number;
  /** The most accepted logins to remember. Default: 10000. */
  readonly maxEntries?: number;
  /** The time in milliseconds, for tests. Default: `Date.now`. */
  readonly now?: () => number;
}

/**
 * Remembers accepted logins, so that users can log in while the back end is
 * down, and that it is asked less often while it is not.
 *
 * A login that was accepted passes unasked for `ttlMs`. After that the provider
 * is asked; only if it answers `authFailure` does the login pass for up to
 * `graceMs` more. Neither time is prolonged by passing. After an `authInvalid`
 * the refused password passes no more, and the user's others not unasked; but a
 * stranger's wrong guess takes nobody's grace. A wrong password is remembered
 * for 3 s, a failure not at all.
 *
 * So a user who was removed, or whose password was changed, can log in with the
 * old one for `ttlMs`, and for `graceMs` more while the back end fails; it is
 * not asked again for another address or HELO name in `ttlMs` either.
 *
 * Requests that are the same in all members and under way at once share one
 * call. A client that goes leaves the others theirs; when all have gone, the
 * call is aborted.
 *
 * Memory holds no passwords, but HMAC-SHA-256 over user name and password, each
 * with its length, under a key that never leaves this process.
 * What has not been used for longest goes first.
 *
 * @param provider Whom to ask.
 * @param options How long, and how many.
 * @returns A provider that never throws or rejects.
 * @throws {RangeError} If `ttlMs` or `graceMs` is not from 0 to a year, or
 * `maxEntries` no whole number from 1.
 *
 * @example The back end goes away
 * ```ts
 * import { withCache } from "@meowmail/smtpauth";
 *
 * let up = true;
 * const provider = withCache(() => up ? "authOk" : "authFailure", { ttlMs: 0 });
 * const ann = {
 *   username: "ann",
 *   password: "correct horse",
 *   mechanism: "PLAIN",
 *   remoteIp: "192.0.2.7",
 *   heloName: "laptop",
 * };
 * console.assert(await provider({ ...ann }) === "authOk");
 * up = false;
 * console.assert(await provider({ ...ann }) === "authOk");
 * const other = { ...ann, password: "battery staple" };
 * console.assert(await provider(other) === "authFailure");
 * ```
 */
export function withCache(
  provider: AuthProvider,
  options: CacheOptions = {},
): AuthProvider {
  const cache = newCache(provider, options);
  return async (request, signal) => {
    const name = await cache.nameOf(request);
    const known = recall(cache, name);
    if (known === undefined || signal?.aborted) {
      return await askTogether(cache, name, request, signal);
    }
    explain(request, "cached");
    return known;
  };
}

interface Cache {
  readonly provider: AuthProvider;
  readonly ttlMs: number;
  readonly graceMs: number;
  readonly now: () => number;
  readonly nameOf: (request: AuthRequest) => Promise<LoginName>;
  readonly accepted: AcceptedLogins;
  /** When wrong passwords were refused. */
  readonly refused: Lru<number>;
  readonly calls: SharedCalls<Outcome>;
}

interface Outcome {
  readonly decision: AuthDecision;
  readonly reason: ProviderReason | undefined;
}

function newCache(provider: AuthProvider, options: CacheOptions): Cache {
  const {
    ttlMs = DEFAULT_TTL_MS,
    graceMs = DEFAULT_GRACE_MS,
    maxEntries = DEFAULT_MAX_ENTRIES,
    now = Date.now,
  } = options;
  return {
    provider,
    ttlMs: checkedMs(ACTION, "ttlMs", ttlMs, MAX_TIME_MS),
    graceMs: checkedMs(ACTION, "graceMs", graceMs, MAX_TIME_MS),
    now,
    nameOf: newLoginNames(),
    accepted: newAcceptedLogins(
      checkedCount(ACTION, "maxEntries", maxEntries, 1),
    ),
    refused: newLru({ maxEntries: MAX_REFUSED }),
    calls: newSharedCalls(),
  };
}

/** What is remembered and need not be asked. */
function recall(
  { accepted, refused, ttlMs, now }: Cache,
  { login }: LoginName,
): AuthDecision | undefined {
  if (isWithin(refused.get(login), REFUSED_MS, now())) {
    return AuthDecision.authInvalid;
  }
  return isWithin(accepted.confirmedAt(login), ttlMs, now())
    ? AuthDecision.authOk
    : undefined;
}

async function askTogether(
  cache: Cache,
  name: LoginName,
  request: AuthRequest,
  signal: AbortSignal | undefined,
): Promise<AuthDecision> {
  // A gone client must not begin a call.
  if (signal?.aborted) return await askNow(cache.provider, request, signal);
  const { outcome, leave } = cache.calls.join(
    callKey(name, request),
    (shared) => ask(cache, name, request, shared),
  );
  try {
    const decision = await askNow(
      () => outcome.then(({ decision }) => decision),
      request,
      signal,
    );
    if (signal?.aborted) return decision;
    const { reason } = await outcome;
    if (reason !== undefined) explain(request, reason);
    return decision;
  } finally {
    leave();
  }
}

/** Asks the provider, and remembers what it says. */
async function ask(
  cache: Cache,
  name: LoginName,
  request: AuthRequest,
  signal: AbortSignal,
): Promise<Outcome> {
  const { provider, accepted, refused, ttlMs, graceMs, now } = cache;
  // The call has a request of its own: notes on it are for all who share it,
  // and an outage that ends well is noted otherwise than the provider does.
  const asked = { ...request };
  const { login } = name;
  const end = accepted.begin(name);
  const decision = await askNow(provider, asked, signal);
  const reason = reasonOf(asked);
  switch (decision) {
    case AuthDecision.authOk:
      refused.delete(login);
      end.accepted(now());
      break;
    case AuthDecision.authInvalid:
      refused.set(login, now());
      end.refused();
      break;
    case AuthDecision.authFailure:
      end.failed();
      if (isWithin(accepted.acceptedAt(login), ttlMs + graceMs, now())) {
        return {
          decision: AuthDecision.authOk,
          reason: "cached-through-outage",
        };
      }
      break;
    default:
      decision satisfies never;
  }
  return { decision, reason };
}

/**
 * What makes two requests the same. Address and HELO name belong to it: the
 * back end is told them and may decide by them.
 */
function callKey(
  { login }: LoginName,
  { remoteIp, heloName }: AuthRequest,
): string {
  return login + JSON.stringify([remoteIp, heloName]);
}

/**
 * Names for logins that tell nothing about them. All 256 bits are kept: if two
 * logins had one name, the one would let the other in.
 */
function newLoginNames(): (request: AuthRequest) => Promise<LoginName> {
  let key: Promise<CryptoKey> | undefined;
  return async ({ mechanism, username, password }) => {
    key ??= importSecret(newSecret());
    const hash = await keyedHash(await key, [username, password]);
    const credentials = String.fromCharCode(...hash);
    // Hashes are all of one length: no two pairs make one text.
    const login = credentials + mechanism;
    return { user: foldUserName(username), credentials, login };
  };
}

/** Whether something is not longer ago than that, nor ahead of the clock. */
function isWithin(at: number | undefined, ms: number, now: number): boolean {
  return at !== undefined && at <= now && now - at < ms;
}
