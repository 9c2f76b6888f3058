/**
 * The program that writes to Redis if what was read is still there.
 *
 * It is sent whole each time (`EVAL`): one that is known to the server by its
 * hash alone is not, after a restart.
 *
 * @module
 */

import type { StoreWrite } from "./store.ts";

/** The longest that a value is kept unless for ever, in milliseconds: a century. */
const MAX_KEEP_MS = 3_155_760_000_000;

/**
 * For each key three arguments: what was there (`=` and the value; nothing for
 * none), what is to be there (the same; `-` to take it out; nothing to leave it)
 * and for how many milliseconds (0: for ever). Answers 1, or what is there if it
 * is not what it was.
 */
export const REDIS_SCRIPT = `
local now = redis.call('MGET', unpack(KEYS))
for i = 1, #KEYS do
  local is = now[i] and '=' .. now[i] or ''
  if is ~= ARGV[3 * i - 2] then return now end
end
for i, key in ipairs(KEYS) do
  local to, ms = ARGV[3 * i - 1], ARGV[3 * i]
  if to == '-' then
    redis.call('DEL', key)
  elseif to ~= '' and ms == '0' then
    redis.call('SET', key, string.sub(to, 2))
  elseif to ~= '' then
    redis.call('SET', key, string.sub(to, 2), 'PX', ms)
  end
end
return 1`;

/**
 * The arguments of the script.
 *
 * @param before What was there, in the order of the keys; `null` for nothing.
 * @param writes What to write, for some of the keys.
 * @returns The arguments, and what is there after it.
 */
export function scriptArguments(
  before: ReadonlyMap<string, string | null>,
  writes: readonly StoreWrite[],
): {
  readonly args: readonly string[];
  readonly after: ReadonlyMap<string, string | null>;
} {
  const written = new Map(writes.map((write) => [write.key, write]));
  const args: string[] = [];
  const after = new Map(before);
  for (const [key, raw] of before) {
    const write = written.get(key);
    const next = write === undefined ? raw : textOf(write.value);
    after.set(key, next);
    args.push(
      raw === null ? "" : `=${raw}`,
      write === undefined ? "" : next === null ? "-" : `=${next}`,
      write === undefined ? "0" : keepOf(write.keepMs),
    );
  }
  return { args, after };
}

function textOf(value: unknown): string | null {
  return value === undefined ? null : JSON.stringify(value) ?? null;
}

function keepOf(keepMs: number): string {
  if (keepMs === Infinity) return "0";
  return String(Math.max(1, Math.ceil(Math.min(keepMs, MAX_KEEP_MS))));
}
