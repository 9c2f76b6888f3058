/**
 * A memory of accepted logins, for speed and for outages.
 *
 * @module
 */

import {
  AcceptedLogins,
  type LoginName,
  type RememberedYes,
} from "./accepted_logins.ts";
import { askProvider } from "../../ask_provider.ts";
import {
  aFunction,
  checkOptions,
  checkValue,
  integer,
  pauseMs,
  type Rules,
} from "../../../lib/options.ts";
import { encodeBase64 } from "../../../lib/base64.ts";
import { importSecret, keyedHash, newSecret } from "../../../lib/hmac.ts";
import { Lru } from "../../../lib/lru.ts";
import { CLIENT_GONE, isGuess, reasonOf } from "../../reasons.ts";
import { newSharedCalls, type SharedCalls } from "./shared_calls.ts";
import type {
  AuthProvider,
  AuthRequest,
  AuthResult,
  ReadyProvider,
  Refused,
} from "../../types.ts";
import { foldUserName } from "../../user_name.ts";

const ACTION = "create cache";

/** How long a login passes unasked if nothing else is said, in milliseconds. */
const DEFAULT_TTL_MS = 60_000;

/** How much longer it passes in an outage if nothing else is said: an hour. */
const DEFAULT_GRACE_MS = 3_600_000;

/** The longest of either, in milliseconds: a year. */
const MAX_TIME_MS = 31_536_000_000;

/** How many logins are remembered if nothing else is said: 8 to 14 MiB. */
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

/**
 * What {@linkcode withCache} remembers.
 *
 * @category Around a provider
 */
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
 * the refused password no longer passes, and the provider is asked about the
 * user's others at once; but they keep their grace, so that a stranger's wrong
 * guess takes nobody's. A wrong password is remembered for 3 s, a failure not at
 * all. Results are kept with all that they carry, and a yes never beyond its
 * `expiresAt`.
 *
 * So a user who was removed, or whose password was changed, can still log in
 * with the old password for `ttlMs`, and for `graceMs` more while the back end
 * fails. Within `ttlMs` the back end is not asked again for another address or
 * HELO name either.
 *
 * Requests that are the same in all members and under way at once share one
 * call. It goes on when one of their clients goes, and is aborted when all have
 * gone.
 *
 * Memory holds no passwords, but HMAC-SHA-256 over user name and password, each
 * with its length, under a key that never leaves this process.
 * What has not been used for longest goes first.
 *
 * @param provider Whom to ask.
 * @param options How long, and how many.
 * @returns A provider that never throws or rejects.
 * @throws {TypeError} If the provider is not a function, or an option is unknown.
 * @throws {RangeError} If `ttlMs` or `graceMs` is not from 0 to a year, or
 * `maxEntries` not a whole number from 1.
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
 * console.assert((await provider(ann)).decision === "authOk");
 * up = false;
 * console.assert((await provider(ann)).decision === "authOk");
 * const other = { ...ann, password: "battery staple" };
 * console.assert((await provider(other)).decision === "authFailure");
 * ```
 * @category Around a provider
 */
export function withCache(
  provider: AuthProvider,
  options: CacheOptions = {},
): ReadyProvider {
  const cache = newCache(provider, options);
  return async (request, signal) => {
    if (signal?.aborted) return CLIENT_GONE;
    const name = await cache.nameOf(request);
    return recall(cache, name) ??
      await askTogether(cache, name, request, signal);
  };
}

interface Cache {
  readonly provider: AuthProvider;
  readonly ttlMs: number;
  readonly graceMs: number;
  readonly now: () => number;
  readonly nameOf: (request: AuthRequest) => Promise<LoginName>;
  readonly accepted: AcceptedLogins;
  /** The wrong passwords, and when they were refused. */
  readonly refused: Lru<RememberedNo>;
  readonly calls: SharedCalls<AuthResult>;
}

interface RememberedNo {
  readonly at: number;
  readonly result: Refused;
}

const RULES: Rules<CacheOptions> = {
  ttlMs: pauseMs(MAX_TIME_MS),
  graceMs: pauseMs(MAX_TIME_MS),
  maxEntries: integer(1),
  now: aFunction,
};

function newCache(provider: AuthProvider, options: CacheOptions): Cache {
  checkValue(ACTION, "provider", aFunction, provider);
  checkOptions(ACTION, options, RULES);
  const {
    ttlMs = DEFAULT_TTL_MS,
    graceMs = DEFAULT_GRACE_MS,
    maxEntries = DEFAULT_MAX_ENTRIES,
    now = Date.now,
  } = options;
  return {
    provider,
    ttlMs,
    graceMs,
    now,
    nameOf: newLoginNames(),
    accepted: new AcceptedLogins(maxEntries),
    refused: new Lru({ maxEntries: MAX_REFUSED }),
    calls: newSharedCalls(),
  };
}

/** What is remembered and need not be asked. */
function recall(
  { accepted, refused, ttlMs, now }: Cache,
  { login }: LoginName,
): AuthResult | undefined {
  const no = refused.get(login);
  if (no !== undefined && isWithin(no.at, REFUSED_MS, now())) {
    return remembered(no.result);
  }
  const yes = accepted.confirmed(login);
  return isGood(yes, ttlMs, now()) ? remembered(yes.result) : undefined;
}

function remembered(result: AuthResult): AuthResult {
  const { detail: _, ...rest } = result;
  return { ...rest, reason: "cached" };
}

async function askTogether(
  cache: Cache,
  name: LoginName,
  request: AuthRequest,
  signal: AbortSignal | undefined,
): Promise<AuthResult> {
  // A gone client must not begin a call.
  if (signal?.aborted) return CLIENT_GONE;
  const { outcome, leave } = cache.calls.join(
    callKey(name, request),
    (shared) => ask(cache, name, request, shared),
  );
  try {
    return await askProvider(() => outcome, request, signal);
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
): Promise<AuthResult> {
  const { provider, accepted, refused, now } = cache;
  const { login } = name;
  const end = accepted.begin(name);
  const result = await askProvider(provider, request, signal);
  switch (result.decision) {
    case "authOk":
      refused.delete(login);
      end.accepted({ at: now(), result });
      return result;
    case "authInvalid":
      if (!isGuess(result)) {
        // It says nothing against the user's others, and is not to be counted.
        end.failed();
        return result;
      }
      refused.set(login, { at: now(), result });
      end.refused();
      return result;
    case "authFailure":
      end.failed();
      return throughOutage(cache, login, result);
    default:
      return result satisfies never;
  }
}

/** The yes from before the outage, if there is one that is good still. */
function throughOutage(
  { accepted, ttlMs, graceMs, now }: Cache,
  login: string,
  failure: AuthResult,
): AuthResult {
  const yes = accepted.accepted(login);
  if (!isGood(yes, ttlMs + graceMs, now())) return failure;
  const detail = [reasonOf(failure), failure.detail ?? ""].join(" ").trimEnd();
  return { ...yes.result, reason: "cached-through-outage", detail };
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
    const credentials = encodeBase64(hash);
    // Hashes are all of one length: no two pairs make one text.
    const login = credentials + mechanism;
    // A token may come without a name: who sends none is not all one user.
    const user = username === "" ? credentials : foldUserName(username);
    return { user, credentials, login };
  };
}

/** Whether a yes is not older than that, nor beyond its own end. */
function isGood(
  yes: RememberedYes | undefined,
  ms: number,
  now: number,
): yes is RememberedYes {
  return yes !== undefined && isWithin(yes.at, ms, now) &&
    now < (yes.result.expiresAt ?? Infinity);
}

/** Whether something is not longer ago than that, nor ahead of the clock. */
function isWithin(at: number, ms: number, now: number): boolean {
  return at <= now && now - at < ms;
}
