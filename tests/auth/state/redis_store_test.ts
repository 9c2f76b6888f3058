import {
  newRedisStore,
  type RedisStoreOptions,
} from "../../../auth/state/redis_store.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertThrows,
} from "../../support/assert.ts";
import { newFakeRedis } from "../../support/fake_redis.ts";
import { put } from "../../support/store.ts";

// Off unless asked for since Deno 2.8: no timer, connection or body may be left.
Deno.test.sanitizer({ ops: true, resources: true });

const KEEP = { keepMs: 60_000, share: "login" } as const;

Deno.test("newRedisStore() reads what was written, by another process too, in one command each", async () => {
  const redis = newFakeRedis();
  const [store, other] = [newRedisStore(redis), newRedisStore(redis)];
  assertEquals(await store.read(["a", "b"]), [undefined, undefined]);
  await store.update(["a", "b"], () => [
    { key: "a", value: { at: 1, texts: ["\u00e4", "\ud83d\ude00"] }, ...KEEP },
    { key: "b", value: 0, ...KEEP },
  ]);
  assertEquals(redis.names(), ["MGET", "EVAL"]);
  const value = { at: 1, texts: ["\u00e4", "\ud83d\ude00"] };
  assertEquals(await other.read(["b", "a"]), [0, value]);
  await other.update(["a", "b"], (values) => {
    assertEquals(values, [value, 0]);
    return [{ key: "b", value: undefined, ...KEEP }];
  });
  assertEquals(await store.read(["a", "b"]), [value, undefined]);
  assertEquals(redis.names(), ["MGET", "EVAL", "MGET", "EVAL", "MGET"]);
  assertEquals([...redis.values.keys()], ["{smtpauth}:a"]);
});

Deno.test("newRedisStore() reads before it changes what it has not read", async () => {
  const redis = newFakeRedis();
  await put(newRedisStore(redis), "a", 1);
  const store = newRedisStore(redis);
  await store.update(["a"], ([value]) => [
    { key: "a", value: Number(value) + 1, ...KEEP },
  ]);
  assertEquals(redis.names(), ["MGET", "EVAL", "MGET", "EVAL"]);
  assertEquals(await store.read(["a"]), [2]);
});

Deno.test("newRedisStore() writes only if all that was read is still there, and learns at once what is", async () => {
  const redis = newFakeRedis();
  const store = newRedisStore(redis);
  const seen: unknown[] = [];
  await store.update(["a", "b"], (values) => {
    seen.push(values);
    // Another writer, between reading and writing.
    if (seen.length === 1) redis.values.set("{smtpauth}:b", "1");
    return [{ key: "a", value: seen.length, ...KEEP }];
  });
  assertEquals(seen, [[undefined, undefined], [undefined, 1]]);
  assertEquals(redis.names(), ["MGET", "EVAL", "EVAL"]);
  assertEquals(redis.values.get("{smtpauth}:a"), "2");
});

Deno.test("newRedisStore() does not take what it remembers for what is there", async () => {
  const redis = newFakeRedis();
  const store = newRedisStore(redis);
  await put(store, "a", 1);
  redis.values.delete("{smtpauth}:a");
  const seen: unknown[] = [];
  await store.update(["a"], (values) => {
    seen.push(values);
    return [];
  });
  assertEquals(seen, [[1], [undefined]]);
});

Deno.test("newRedisStore() keeps values for their time, in whole milliseconds, or for ever", async () => {
  const redis = newFakeRedis();
  const store = newRedisStore(redis);
  const rows = [[1234.5, "1235"], [0.1, "1"], [1e20, "3155760000000"]] as const;
  for (const [keepMs, ms] of rows) {
    await put(store, "a", 1, { keepMs });
    assertEquals(redis.keeps.get("{smtpauth}:a"), ms);
  }
  await put(store, "a", 1, { keepMs: Infinity });
  assertEquals(redis.keeps.get("{smtpauth}:a"), undefined);
});

Deno.test("newRedisStore() puts all its keys behind a prefix", async () => {
  const redis = newFakeRedis();
  const store = newRedisStore({ ...redis, prefix: "mail:" });
  await put(store, "t:user ann", 1);
  assertEquals([...redis.values.keys()], ["mail:t:user ann"]);
});

Deno.test("newRedisStore() takes what is no JSON for nothing, and writes over it", async () => {
  for (const raw of ["", "{", "null", "=1"]) {
    const redis = newFakeRedis();
    const store = newRedisStore(redis);
    redis.values.set("{smtpauth}:a", raw);
    assertEquals(await store.read(["a"]), [undefined]);
    await put(store, "a", 1);
    assertEquals(await store.read(["a"]), [1]);
  }
});

Deno.test("newRedisStore() puts what comes together into one step", async () => {
  const redis = newFakeRedis();
  const store = newRedisStore(redis);
  await Promise.all(
    Array.from({ length: 50 }, () =>
      store.update(["a"], ([count]) => [
        { key: "a", value: Number(count ?? 0) + 1, ...KEEP },
      ])),
  );
  assertEquals(await store.read(["a"]), [50]);
  assertEquals(redis.names(), ["MGET", "EVAL", "MGET"]);
});

Deno.test("newRedisStore() writes no more than 100 keys in a step", async () => {
  const redis = newFakeRedis();
  const store = newRedisStore({ ...redis, timeoutMs: 10_000 });
  await Promise.all(
    Array.from({ length: 120 }, (_, i) => put(store, `a${i}`, i)),
  );
  assertEquals(redis.names(), ["MGET", "EVAL", "MGET", "EVAL"]);
  assertEquals(redis.values.size, 120);
});

Deno.test("newRedisStore() lets a change that throws harm nobody but who wanted it", async () => {
  const redis = newFakeRedis();
  const store = newRedisStore(redis);
  const bad = store.update(["a"], () => {
    throw new Error("mine");
  });
  const good = put(store, "a", 1);
  const error = await assertRejects(async () => await bad, Error);
  assertEquals(error.message, "mine");
  await good;
  assertEquals(await store.read(["a"]), [1]);
});

Deno.test("newRedisStore() rejects where the command does, or replies nonsense", async () => {
  const replies: readonly (() => Promise<unknown>)[] = [
    () => Promise.reject(new Error("down")),
    () => Promise.resolve("OK"),
    () => Promise.resolve([]),
    () => Promise.resolve([7]),
    () => Promise.resolve([new Uint8Array([49])]),
  ];
  for (const command of replies) {
    const store = newRedisStore({ command });
    await assertRejects(async () => await store.read(["a"]), Error);
    await assertRejects(async () => await put(store, "a", 1), Error);
  }
});

Deno.test("newRedisStore() gives up where others are faster all the time", async () => {
  const redis = newFakeRedis();
  const store = newRedisStore({ ...redis, timeoutMs: 20 });
  let writes = 0;
  const update = store.update(["a"], () => {
    redis.values.set("{smtpauth}:a", `${++writes}`);
    return [{ key: "a", value: "mine", ...KEEP }];
  });
  const error = await assertRejects(async () => await update, Error);
  assertEquals(
    error.message,
    "Cannot write Redis store: others write all the time",
  );
  assert(writes > 1);
  assertEquals(redis.values.get("{smtpauth}:a"), `${writes}`);
});

Deno.test("newRedisStore() refuses what is no command", () => {
  const rows: readonly (readonly [unknown, string])[] = [
    [{}, "command must be a function: got undefined"],
    [{ command: "GET" }, "command must be a function: got a string"],
    [
      { command: () => Promise.resolve(), prefix: 1 },
      "prefix must be a string: got 1",
    ],
  ];
  for (const [options, message] of rows) {
    const error = assertThrows(
      () => newRedisStore(options as RedisStoreOptions),
      TypeError,
    );
    assertEquals(error.message, `Cannot create Redis store: ${message}`);
  }
});
