/**
 * A store in a Deno KV database, which several processes share.
 *
 * @module
 */

import {
  anObject,
  aString,
  checkOptions,
  checkValue,
  listOf,
  type Rules,
} from "../../lib/options.ts";
import { pause } from "../../lib/race.ts";
import type { Store, StoreValues, StoreWrite } from "./store.ts";

/**
 * How often to try when other writers were faster: for some 200 ms in all,
 * which is about what those who ask wait.
 */
const MAX_TRIES = 16;

/** The longest pause between two tries, in milliseconds. */
const MAX_PAUSE_MS = 16;

const ACTION = "create KV store";

/** What is read from a {@linkcode KvDatabase} under one key. */
export interface KvEntry {
  /** The key. */
  readonly key: readonly unknown[];
  /** The value; `null` if there is none. */
  readonly value: unknown;
  /** Changes with the value; `null` if there is none. */
  readonly versionstamp: string | null;
}

/** Writes to a {@linkcode KvDatabase} that all happen or none. */
export interface KvAtomic {
  /** Lets them happen only if what was read is still there. */
  check(entry: {
    readonly key: readonly string[];
    readonly versionstamp: string | null;
  }): KvAtomic;
  /** Puts a value in, for so many milliseconds or for ever. */
  set(
    key: readonly string[],
    value: unknown,
    options?: { expireIn?: number },
  ): KvAtomic;
  /** Takes a value out. */
  delete(key: readonly string[]): KvAtomic;
  /** Does it all; tells whether it happened. */
  commit(): Promise<{ readonly ok: boolean }>;
}

/** What a store needs of a database; a `Deno.Kv` has it. */
export interface KvDatabase {
  /** Reads some values as they are at one moment. */
  getMany(
    keys: readonly (readonly string[])[],
  ): Promise<readonly KvEntry[]>;
  /** Begins some writes. */
  atomic(): KvAtomic;
}

/** How {@linkcode newKvStore} uses its database. */
export interface KvStoreOptions {
  /** What all keys begin with. Default: `["smtpauth"]`. */
  readonly prefix?: readonly string[];
}

const RULES: Rules<KvStoreOptions> = {
  prefix: listOf("a list of strings", aString),
};

/**
 * Makes a store in a `Deno.Kv`, or in anything that has the three calls which
 * it needs: for several processes on one machine a file, for several machines
 * a denokv or Deno Deploy database. Deno needs `--unstable-kv` for it.
 *
 * It holds user names, networks, counts and 20-bit hashes of wrong guesses, no
 * passwords. Values expire by themselves. Processes do not know what is under way
 * in others, so guesses made at the same moment may go beyond a limit, up to once
 * per process.
 *
 * @param kv The database. It stays open: closing it is the caller's.
 * @param options Where in the database.
 * @returns A store that answers later, and rejects if the database does.
 * @throws {TypeError} If the database is none.
 *
 * @example Several processes on one machine
 * ```ts
 * import {
 *   newKvStore,
 *   newStaticAuthProvider,
 *   withThrottle,
 * } from "@meowmail/smtpauth";
 *
 * const kv = await Deno.openKv(":memory:"); // a path in earnest
 * const users = newStaticAuthProvider({ ann: "correct horse" });
 * const provider = withThrottle(users, { store: newKvStore(kv) });
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
export function newKvStore(
  kv: KvDatabase,
  options: KvStoreOptions = {},
): Store {
  checkValue(ACTION, "kv", anObject, kv);
  checkOptions(ACTION, options, RULES);
  const { prefix = ["smtpauth"] } = options;
  const nameOf = (key: string) => [...prefix, key];
  return {
    read: async (keys) => (await kv.getMany(keys.map(nameOf))).map(valueOf),
    update: (keys, change) => update(kv, keys, nameOf, change),
  };
}

function update(
  kv: KvDatabase,
  keys: readonly string[],
  nameOf: (key: string) => readonly string[],
  change: (values: StoreValues) => readonly StoreWrite[],
): Promise<void> {
  return untilDone(async () => {
    const found = await kv.getMany(keys.map(nameOf));
    const writes = change(found.map(valueOf));
    if (writes.length === 0) return { done: undefined };
    const atomic = kv.atomic();
    keys.forEach((key, i) => {
      const versionstamp = found[i]?.versionstamp ?? null;
      atomic.check({ key: nameOf(key), versionstamp });
    });
    for (const write of writes) put(atomic, nameOf(write.key), write);
    return (await atomic.commit()).ok ? { done: undefined } : undefined;
  });
}

function put(
  atomic: KvAtomic,
  name: readonly string[],
  { value, keepMs }: StoreWrite,
): void {
  if (value === undefined) atomic.delete(name);
  else if (keepMs === Infinity) atomic.set(name, value);
  else atomic.set(name, value, { expireIn: Math.ceil(keepMs) });
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
  throw new Error("Cannot write KV store: others write all the time");
}

/** Deno does not wait for the lock that another process has on the file. */
function isLocked(error: unknown): boolean {
  return error instanceof Error && /locked|busy/i.test(error.message);
}

function valueOf({ value }: KvEntry): unknown {
  return value ?? undefined;
}
