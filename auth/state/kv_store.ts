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
  limitMs,
  listOf,
  type Rules,
} from "../../lib/options.ts";
import type { Store, StoreWrite } from "./store.ts";
import { newUpdateQueue, type VersionedDatabase } from "./update_queue.ts";

/** The most keys of one reading, and of one step: Deno KV's limits. */
const MAX_READ_KEYS = 10;
const MAX_KEYS = 100;

const ACTION = "create KV store";

/**
 * What is read from a {@linkcode KvDatabase} under one key.
 *
 * @category What is remembered
 */
export interface KvEntry {
  /** The key. */
  readonly key: readonly unknown[];
  /** The value; `null` if there is none. */
  readonly value: unknown;
  /** Changes with the value; `null` if there is none. */
  readonly versionstamp: string | null;
}

/**
 * Writes to a {@linkcode KvDatabase} of which all happen, or none.
 *
 * @category What is remembered
 */
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

/**
 * What a store needs of a database; a `Deno.Kv` has it.
 *
 * @category What is remembered
 */
export interface KvDatabase {
  /** Reads some values as they are at one moment. */
  getMany(
    keys: readonly (readonly string[])[],
  ): Promise<readonly KvEntry[]>;
  /** Begins some writes. */
  atomic(): KvAtomic;
}

/**
 * How {@linkcode newKvStore} uses its database.
 *
 * @category What is remembered
 */
export interface KvStoreOptions {
  /** What all keys begin with. Default: `["smtpauth"]`. */
  readonly prefix?: readonly string[];
  /**
   * Milliseconds for which an update tries while other processes are faster, or
   * have the lock. Default: 200.
   */
  readonly timeoutMs?: number;
}

const RULES: Rules<KvStoreOptions> = {
  prefix: listOf("a list of strings", aString),
  timeoutMs: limitMs(),
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
 * @throws {TypeError} If the database is not an object, or an option is not valid.
 * @throws {RangeError} If `timeoutMs` is not above 0 and at most 2147483647.
 *
 * @example Several processes on one machine
 * ```ts
 * import {
 *   newKvStore,
 *   newStaticAuthProvider,
 *   withThrottle,
 * } from "@meowmail/smtpauth";
 *
 * const kv = await Deno.openKv(":memory:"); // a path in production
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
 * @category What is remembered
 */
export function newKvStore(
  kv: KvDatabase,
  options: KvStoreOptions = {},
): Store {
  checkValue(ACTION, "kv", anObject, kv);
  checkOptions(ACTION, options, RULES);
  const { prefix = ["smtpauth"], timeoutMs = 200 } = options;
  const database = newKvVersions(kv, (key) => [...prefix, key]);
  return {
    read: async (keys) => {
      const found = await kv.getMany(keys.map((key) => [...prefix, key]));
      return found.map(({ value }) => value ?? undefined);
    },
    update: newUpdateQueue(database, timeoutMs),
  };
}

function newKvVersions(
  kv: KvDatabase,
  nameOf: (key: string) => readonly string[],
): VersionedDatabase {
  return {
    name: "KV store",
    maxKeys: MAX_KEYS,
    read: (keys) =>
      unlessLocked(async () => {
        const entries: KvEntry[] = [];
        for (let i = 0; i < keys.length; i += MAX_READ_KEYS) {
          const some = keys.slice(i, i + MAX_READ_KEYS);
          entries.push(...await kv.getMany(some.map(nameOf)));
        }
        return new Map(entries.map(({ value, versionstamp }, i) => [
          keys[i] ?? "",
          { value: value ?? undefined, version: versionstamp },
        ]));
      }),
    write: (seen, writes) =>
      unlessLocked(async () => {
        if (writes.length === 0) return "done";
        const atomic = kv.atomic();
        for (const [key, { version }] of seen) {
          const versionstamp = typeof version === "string" ? version : null;
          atomic.check({ key: nameOf(key), versionstamp });
        }
        for (const write of writes) put(atomic, nameOf(write.key), write);
        return (await atomic.commit()).ok ? "done" : undefined;
      }),
  };
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

/** Deno does not wait for the lock that another process has on the file. */
async function unlessLocked<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Error && /locked|busy/i.test(error.message)) return;
    throw error;
  }
}
