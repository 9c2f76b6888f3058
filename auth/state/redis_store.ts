/**
 * A store in Redis or Valkey, which several processes and machines share.
 *
 * @module
 */

import { Lru } from "../../lib/lru.ts";
import {
  aFunction,
  aString,
  checkOptions,
  limitMs,
  required,
  type Rules,
} from "../../lib/options.ts";
import { REDIS_SCRIPT, scriptArguments } from "./redis_script.ts";
import type { Store } from "./store.ts";
import {
  newUpdateQueue,
  type SeenValues,
  type VersionedDatabase,
} from "./update_queue.ts";

/**
 * How many values that were read last are remembered, and how many characters
 * of them: what a login reads it often changes a moment later.
 */
const MAX_REMEMBERED = 1024;
const MAX_REMEMBERED_CHARACTERS = 1_048_576;

/** The most keys of one call: Redis does nothing else meanwhile. */
const MAX_KEYS = 100;

const ACTION = "create Redis store";

/**
 * How {@linkcode newRedisStore} reaches its server.
 *
 * @category What is remembered
 */
export interface RedisStoreOptions {
  /**
   * Sends a command and resolves to the reply, rejects at an error: texts as
   * strings, numbers as numbers, lists as arrays, nothing as `null`. Every
   * client has it: `(...args) => client.sendCommand(args)` of `redis`,
   * `(name, ...args) => client.call(name, ...args)` of `ioredis`.
   */
  readonly command: (...args: string[]) => Promise<unknown>;
  /**
   * What all keys begin with. What stands in braces puts all of them on one node
   * of a cluster, which is needed there. Default: `{smtpauth}:`.
   */
  readonly prefix?: string;
  /**
   * Milliseconds for which an update tries while other processes are faster.
   * Default: 200.
   */
  readonly timeoutMs?: number;
}

const RULES: Rules<RedisStoreOptions> = {
  command: required(aFunction),
  prefix: aString,
  timeoutMs: limitMs(),
};

/**
 * Makes a store in Redis or Valkey, through any client.
 *
 * It holds user names, networks, counts, senders and 20-bit hashes of wrong
 * guesses, no passwords. Values expire by themselves. To read is one command
 * (`MGET`); to change is one more (`EVAL`) that writes if what was read is still
 * there and else says what is there now. None takes longer the more keys there
 * are. Where the server is away, slow, full or read-only, whoever uses the store
 * counts in its own memory for a while. Processes do not know what is under way
 * in others, so guesses made at the same moment may go beyond a limit, up to
 * once per process.
 *
 * @param options How to reach the server. The client is the caller's: a time
 * limit for each command, no queue for those sent while it is not connected.
 * @returns A store that answers later, and rejects if the command does.
 * @throws {TypeError} If the command is not a function, or another option is not
 * valid.
 * @throws {RangeError} If `timeoutMs` is not above 0 and at most 2147483647.
 *
 * @example With the client of Redis
 * ```ts
 * import { newRedisStore, newStaticAuthProvider, withThrottle } from "@meowmail/smtpauth";
 *
 * // const client = await createClient({ url: "redis://127.0.0.1" }).connect();
 * const client = { sendCommand: (_args: string[]) => Promise.reject(new Error("no server here")) };
 * const store = newRedisStore({ command: (...args) => client.sendCommand(args) });
 * const users = newStaticAuthProvider({ ann: "correct horse" });
 * const provider = withThrottle(users, { store });
 * const { decision } = await provider({
 *   username: "ann",
 *   password: "correct horse",
 *   mechanism: "PLAIN",
 *   remoteIp: "192.0.2.7",
 *   heloName: "laptop",
 * });
 * console.assert(decision === "authOk"); // without the server, too
 * ```
 * @category What is remembered
 */
export function newRedisStore(options: RedisStoreOptions): Store {
  checkOptions(ACTION, options, RULES);
  const { timeoutMs = 200 } = options;
  const database = new RedisDatabase(options);
  return {
    read: async (keys) => {
      const seen = await database.see(keys);
      return keys.map((key) => seen.get(key)?.value);
    },
    update: newUpdateQueue(database, timeoutMs),
  };
}

/** What a key holds: a text, or `null` for nothing. */
type Raw = string | null;

class RedisDatabase implements VersionedDatabase {
  readonly name = "Redis store";
  readonly maxKeys: number = MAX_KEYS;
  readonly #command: RedisStoreOptions["command"];
  readonly #prefix: string;
  readonly #remembered = new Lru<{ readonly raw: Raw }>({
    maxEntries: MAX_REMEMBERED,
    maxWeight: MAX_REMEMBERED_CHARACTERS,
    weigh: (key, { raw }) => key.length + (raw?.length ?? 0),
  });

  constructor({ command, prefix = "{smtpauth}:" }: RedisStoreOptions) {
    this.#command = command;
    this.#prefix = prefix;
  }

  /** What is there now. */
  async see(keys: readonly string[]): Promise<SeenValues> {
    const reply = await this.#command("MGET", ...this.#named(keys));
    return this.#seen(keys, reply);
  }

  /** What was there last, where all of it is remembered. */
  readonly read = async (keys: readonly string[]): Promise<SeenValues> => {
    const known = keys.flatMap((key) => this.#remembered.get(key) ?? []);
    return known.length === keys.length
      ? this.#seen(keys, known.map(({ raw }) => raw))
      : await this.see(keys);
  };

  readonly write: VersionedDatabase["write"] = async (seen, writes) => {
    const keys = [...seen.keys()];
    const raws = new Map<string, Raw>();
    for (const [key, { version }] of seen) raws.set(key, rawOf(version));
    const { args, after } = scriptArguments(raws, writes);
    const reply = await this.#command(
      "EVAL",
      REDIS_SCRIPT,
      String(keys.length),
      ...this.#named(keys),
      ...args,
    );
    if (Array.isArray(reply)) return this.#seen(keys, reply);
    for (const [key, raw] of after) this.#remembered.set(key, { raw });
    return "done";
  };

  #named(keys: readonly string[]): string[] {
    return keys.map((key) => this.#prefix + key);
  }

  #seen(keys: readonly string[], reply: unknown): SeenValues {
    if (!Array.isArray(reply) || reply.length !== keys.length) {
      throw new Error(
        "Cannot read Redis store: the reply is no list of values",
      );
    }
    return new Map(keys.map((key, i) => {
      const raw = rawOf(reply[i]);
      this.#remembered.set(key, { raw });
      return [key, { value: parsed(raw), version: raw }];
    }));
  }
}

function rawOf(reply: unknown): Raw {
  if (typeof reply === "string") return reply;
  if (reply === null || reply === undefined) return null;
  throw new Error("Cannot read Redis store: the command must reply in strings");
}

/** What is no JSON is nobody's: it counts as nothing, and is written over. */
function parsed(raw: Raw): unknown {
  if (raw === null) return undefined;
  try {
    return JSON.parse(raw) ?? undefined;
  } catch {
    return undefined;
  }
}
