/**
 * A throttle's counts in a database that several processes share.
 *
 * @module
 */

import { KEY_OCTETS, newSecret } from "../../../lib/hmac.ts";
import {
  isThrottleEntry,
  type ThrottleEntries,
  type ThrottleEntry,
  type ThrottleStore,
} from "./store.ts";
import {
  anObject,
  checkOptions,
  checkValue,
  listOf,
  type Rule,
  type Rules,
  text,
} from "../../../lib/options.ts";
import { pause } from "../../../lib/race.ts";

/**
 * How often to try when other writers were faster: for some 200 ms in all,
 * which is what a throttle waits.
 */
const MAX_TRIES = 16;

/** The longest pause between two tries, in milliseconds. */
const MAX_PAUSE_MS = 16;

const ACTION = "create throttle store";

/** What is read from a {@linkcode ThrottleKv} under one key. */
export interface ThrottleKvEntry {
  /** The key. */
  readonly key: readonly unknown[];
  /** The value; `null` if there is none. */
  readonly value: unknown;
  /** Changes with the value; `null` if there is none. */
  readonly versionstamp: string | null;
}

/** Writes to a {@linkcode ThrottleKv} that all happen or none. */
export interface ThrottleKvAtomic {
  /** Lets them happen only if what was read is still there. */
  check(entry: {
    readonly key: readonly string[];
    readonly versionstamp: string | null;
  }): ThrottleKvAtomic;
  /** Puts a value in, for so many milliseconds or for ever. */
  set(
    key: readonly string[],
    value: unknown,
    options?: { expireIn?: number },
  ): ThrottleKvAtomic;
  /** Takes a value out. */
  delete(key: readonly string[]): ThrottleKvAtomic;
  /** Does it all; tells whether it happened. */
  commit(): Promise<{ readonly ok: boolean }>;
}

/** What a throttle needs of a database; a `Deno.Kv` has it. */
export interface ThrottleKv {
  /** Reads some values as they are at one moment. */
  getMany(
    keys: readonly (readonly string[])[],
  ): Promise<readonly ThrottleKvEntry[]>;
  /** Begins some writes. */
  atomic(): ThrottleKvAtomic;
}

/** How {@linkcode newKvThrottleStore} uses its database. */
export interface KvThrottleStoreOptions {
  /** What all keys begin with. Default: `["smtpauth", "throttle"]`. */
  readonly prefix?: readonly string[];
  /**
   * The key of the hashes, 32 octets or more, the same for all processes.
   * Default: one that the first process makes and keeps in the database.
   */
  readonly secret?: Uint8Array;
}

const octets: Rule = {
  is: "a Uint8Array",
  test: (value) => value instanceof Uint8Array,
};

const RULES: Rules<KvThrottleStoreOptions> = {
  prefix: listOf("a list of strings", text("a string", () => true)),
  secret: octets,
};

/**
 * Makes a store in a `Deno.Kv`, or in anything that has the three calls which
 * it needs: for several processes on one machine a file, for several machines
 * a denokv or Deno Deploy database. Deno needs `--unstable-kv` for it.
 *
 * It holds user names, networks, counts and 20-bit hashes of wrong guesses, no
 * passwords. Entries expire by themselves. Where the database fails or is slow,
 * the throttle counts in its own memory for a while. Processes do not know what
 * is under way in others, so guesses made at the same moment may go beyond a
 * limit, up to once per process.
 *
 * @param kv The database. It stays open: closing it is the caller's.
 * @param options Where in the database, and the key of the hashes.
 * @returns A store that answers later, and rejects if the database does.
 * @throws {RangeError} If the secret is shorter than 32 octets.
 *
 * @example Several processes on one machine
 * ```ts
 * import {
 *   newKvThrottleStore,
 *   newStaticAuthProvider,
 *   withThrottle,
 * } from "@meowmail/smtpauth";
 *
 * const kv = await Deno.openKv(":memory:"); // a path in earnest
 * const users = newStaticAuthProvider({ ann: "correct horse" });
 * const provider = withThrottle(users, { store: newKvThrottleStore(kv) });
 * const { decision } = await provider({
 *   username: "ann",
 *   password: "battery staple",
 *   mechanism: "PLAIN",
 *   remoteIp: "192.0.2.7",
 *   heloName: "laptop",
 * });
 * console.assert(decision === "authInvalid");
 * kv.close();
 * ```
 */
export function newKvThrottleStore(
  kv: ThrottleKv,
  options: KvThrottleStoreOptions = {},
): ThrottleStore {
  checkValue(ACTION, "kv", anObject, kv);
  checkOptions(ACTION, options, RULES);
  const { prefix = ["smtpauth", "throttle"], secret } = options;
  if (secret !== undefined && secret.length < KEY_OCTETS) {
    throw new RangeError(
      `Cannot ${ACTION}: secret must be >= ${KEY_OCTETS} octets: got ${secret.length}`,
    );
  }
  const keyOf = (key: string) => [...prefix, "entries", key];
  const secretKey = [...prefix, "secret"];
  let shared: Uint8Array | undefined = secret;
  return {
    read: async (keys) => (await kv.getMany(keys.map(keyOf))).map(entryOf),
    update: (keys, change) => update(kv, keys.map(keyOf), change),
    secret: async () => shared ??= await sharedSecret(kv, secretKey),
  };
}

function update(
  kv: ThrottleKv,
  keys: readonly (readonly string[])[],
  change: (entries: ThrottleEntries) => ThrottleEntries,
): Promise<void> {
  return untilDone(async () => {
    const found = await kv.getMany(keys);
    const before = found.map(entryOf);
    const after = change(before);
    if (keys.every((_, i) => after[i] === before[i])) {
      return { done: undefined };
    }
    const writes = kv.atomic();
    keys.forEach((key, i) => {
      const entry = after[i];
      writes.check({ key, versionstamp: found[i]?.versionstamp ?? null });
      if (entry === before[i]) return;
      if (entry === undefined) writes.delete(key);
      else writes.set(key, entry, { expireIn: Math.ceil(entry.keepMs) });
    });
    return (await writes.commit()).ok ? { done: undefined } : undefined;
  });
}

/** The key in the database, which whoever comes first has put there. */
function sharedSecret(
  kv: ThrottleKv,
  key: readonly string[],
): Promise<Uint8Array> {
  return untilDone(async () => {
    const [found] = await kv.getMany([key]);
    const value = found?.value;
    if (value instanceof Uint8Array && value.length >= KEY_OCTETS) {
      return { done: value };
    }
    const secret = newSecret();
    const versionstamp = found?.versionstamp ?? null;
    const { ok } = await kv.atomic().check({ key, versionstamp })
      .set(key, secret).commit();
    return ok ? { done: secret } : undefined;
  });
}

/** Tries until it is done, while others are only faster or have the lock. */
async function untilDone<T>(
  attempt: () => Promise<{ readonly done: T } | undefined>,
): Promise<T> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    if (tries > 0) await pause(Math.min(2 ** tries, MAX_PAUSE_MS));
    try {
      const outcome = await attempt();
      if (outcome !== undefined) return outcome.done;
    } catch (error) {
      if (!isLocked(error)) throw error;
    }
  }
  throw new Error("Cannot write throttle store: others write all the time");
}

/** Deno does not wait for the lock that another process has on the file. */
function isLocked(error: unknown): boolean {
  return error instanceof Error && /locked|busy/i.test(error.message);
}

/** An entry as this version writes it; anything else counts as nothing. */
function entryOf({ value }: ThrottleKvEntry): ThrottleEntry | undefined {
  return isThrottleEntry(value) ? value : undefined;
}
