/**
 * What a store asks of Redis, without a server: MGET, and EVAL of the one script,
 * told by what its arguments mean. tests/auth/state/redis_real_test.ts has the
 * script run by servers.
 *
 * @module
 */

import { REDIS_SCRIPT } from "../../auth/state/redis_script.ts";

/** What there is to see of it. */
export interface FakeRedis {
  readonly command: (...args: string[]) => Promise<unknown>;
  readonly values: Map<string, string>;
  /** For how many milliseconds values are kept, as written. */
  readonly keeps: Map<string, string>;
  /** The names of the commands so far. */
  readonly names: () => readonly string[];
}

/** An empty one. It is spread into a store's options: no more than `command`. */
export function newFakeRedis(): FakeRedis {
  const values = new Map<string, string>();
  const keeps = new Map<string, string>();
  const names: string[] = [];
  const mget = (keys: readonly string[]) =>
    keys.map((key) => values.get(key) ?? null);

  function evaluate(keys: readonly string[], args: readonly string[]): unknown {
    const isThere = keys.every((key, i) => {
      const value = values.get(key);
      return args[3 * i] === (value === undefined ? "" : `=${value}`);
    });
    if (!isThere) return mget(keys);
    keys.forEach((key, i) => {
      const [to = "", ms = ""] = args.slice(3 * i + 1, 3 * i + 3);
      if (to === "") return;
      keeps.delete(key);
      if (to === "-") return void values.delete(key);
      values.set(key, to.slice(1));
      if (ms !== "0") keeps.set(key, ms);
    });
    return 1;
  }

  const command = (...args: string[]) => {
    const [name = "", script, count, ...rest] = args;
    names.push(name);
    if (name === "MGET") return Promise.resolve(mget(args.slice(1)));
    if (name !== "EVAL" || script !== REDIS_SCRIPT) {
      return Promise.reject(new Error(`ERR unknown command ${name}`));
    }
    const keys = rest.slice(0, Number(count));
    return Promise.resolve(evaluate(keys, rest.slice(Number(count))));
  };
  return hidden({ command }, { values, keeps, names: () => names });
}

/** Members that are not spread: a store's options may have no others. */
function hidden<A extends object, B extends object>(seen: A, more: B): A & B {
  const unseen = Object.entries(more).map(([name, value]) => [
    name,
    { value, enumerable: false },
  ]);
  return Object.defineProperties(seen, Object.fromEntries(unseen)) as A & B;
}
