// The store in real servers: Redis, and Valkey where there is a package.

import { newRedisStore } from "../../../auth/state/redis_store.ts";
import { assert, assertEquals, assertRejects } from "../../support/assert.ts";
import { REDIS_PROGRAMS, startRedis } from "../../support/redis_server.ts";
import { connectResp } from "../../support/resp.ts";
import { put } from "../../support/store.ts";

Deno.test.sanitizer({ ops: true, resources: true });

const KEEP = { keepMs: 60_000, share: "login" } as const;

Deno.test("there is a server to test with", () => {
  assert(REDIS_PROGRAMS.length > 0, "apt-get install redis-server");
});

for (const program of REDIS_PROGRAMS) {
  const name = program.path.replace(/.*\//, "");

  Deno.test(`newRedisStore() reads, writes, lets expire and takes out, with ${name}`, async () => {
    await using server = await startRedis(program);
    using client = await connectResp(server.port);
    const store = newRedisStore(client);
    const value = { texts: ["ä", "😀", "\0", "\r\n"], at: 1.5, no: false };
    assertEquals(await store.read(["a", "b"]), [undefined, undefined]);
    await store.update(["a", "b"], () => [
      { key: "a", value, ...KEEP },
      { key: "b", value: 0, ...KEEP, keepMs: Infinity },
    ]);
    const again = newRedisStore(client);
    assertEquals(await again.read(["b", "a", "c"]), [0, value, undefined]);
    const ttl = async (key: string) =>
      Number(await server.look.command("PTTL", `{smtpauth}:${key}`));
    const left = await ttl("a");
    assert(left > 30_000 && left <= 60_000, `${left}`);
    assertEquals(await ttl("b"), -1);
    await again.update(["a", "b"], (values) => {
      assertEquals(values, [value, 0]);
      return [{ key: "b", value: undefined, ...KEEP }];
    });
    assertEquals(await ttl("b"), -2);
    assertEquals(await store.read(["a", "b"]), [value, undefined]);
  });

  Deno.test(`newRedisStore() finds out what has changed, and writes over what is none of its own, with ${name}`, async () => {
    await using server = await startRedis(program);
    using client = await connectResp(server.port);
    const store = newRedisStore(client);
    await put(store, "a", 1);
    await server.look.command("SET", "{smtpauth}:a", "2");
    await server.look.command("RPUSH", "{smtpauth}:b", "x");
    await server.look.command("SET", "{smtpauth}:c", "no JSON");
    const seen: unknown[] = [];
    await store.update(["a", "b", "c"], (values) => {
      seen.push(values);
      return ["a", "b", "c"].map((key) => ({ key, value: key, ...KEEP }));
    });
    assertEquals(seen.at(-1), [2, undefined, undefined]);
    assertEquals(await store.read(["a", "b", "c"]), ["a", "b", "c"]);
  });

  Deno.test(`newRedisStore() loses no change of one key, 10,000 by 8 processes, with ${name}`, async () => {
    await using server = await startRedis(program);
    const script = new URL("../../support/redis_counter.ts", import.meta.url);
    const args = ["run", "--no-check", "--quiet", "--allow-net", script.href];
    const processes = Array.from(
      { length: 8 },
      (_, i) =>
        new Deno.Command(Deno.execPath(), {
          // Some do one at a time, others many.
          args: [...args, String(server.port), "1250", String(1 + 5 * (i % 4))],
          stdin: "piped",
          stdout: "piped",
        }).spawn(),
    );
    // Nobody begins before all are there.
    const readers = processes.map(({ stdout }) => stdout.getReader());
    await Promise.all(readers.map((reader) => reader.read()));
    await Promise.all(processes.map(async ({ stdin }) => {
      const writer = stdin.getWriter();
      await writer.write(new Uint8Array([10]));
      await writer.close();
    }));
    await Promise.all(readers.map((reader) => reader.cancel()));
    for (const { status } of processes) assert((await status).success);
    assertEquals(
      await server.look.command("GET", "{smtpauth}:l:count"),
      "10000",
    );
    const stats = String(await server.look.command("INFO", "commandstats"));
    const names = [...stats.matchAll(/cmdstat_(\w+):/g)].map(([, name]) =>
      name
    );
    // None of them looks at all keys.
    assertEquals(names.sort(), ["eval", "get", "mget", "set"]);
  });

  Deno.test(`newRedisStore() says what is wrong with a server that is full, or only to be read, with ${name}`, async () => {
    await using server = await startRedis(program);
    using client = await connectResp(server.port);
    const store = newRedisStore(client);
    await put(store, "a", 1);
    await server.look.command("CONFIG", "SET", "maxmemory", "1");
    const full = await assertRejects(
      async () => await put(store, "a", 2),
      Error,
    );
    assert(/OOM/.test(full.message), full.message);
    await server.look.command("CONFIG", "SET", "maxmemory", "0");
    await put(store, "a", 3);
    await server.look.command("REPLICAOF", "127.0.0.1", "1");
    const replica = await assertRejects(
      async () => await put(store, "a", 4),
      Error,
    );
    assert(/READONLY/.test(replica.message), replica.message);
    assertEquals(await store.read(["a"]), [3]);
  });
}
