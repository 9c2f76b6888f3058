import { withThrottle } from "../../../auth/guards/throttle/throttle.ts";
import { type KvDatabase, newKvStore } from "../../../auth/state/kv_store.ts";
import { assert, assertEquals, assertRejects } from "../../support/assert.ts";
import { outcomeOf, watched } from "../../support/asked_provider.ts";
import { put } from "../../support/store.ts";

// Off unless asked for since Deno 2.8: no timer, connection or body may be left.
Deno.test.sanitizer({ ops: true, resources: true });

const VALUE = { at: 1000, guesses: [1, 2] };
const KEEP = { keepMs: 60_000, share: "login" } as const;

/** A database in a file, as several processes share one. */
async function newFile(): Promise<{ path: string } & AsyncDisposable> {
  const folder = await Deno.makeTempDir();
  return {
    path: `${folder}/kv.sqlite`,
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

Deno.test("newKvStore() reads what was written, by another process too", async () => {
  await using file = await newFile();
  using kv = await Deno.openKv(file.path);
  using otherKv = await Deno.openKv(file.path);
  const store = newKvStore(kv);
  const other = newKvStore(otherKv);
  assertEquals(await store.read(["a", "b"]), [undefined, undefined]);
  await store.update(["a", "b"], () => [
    { key: "a", value: VALUE, ...KEEP },
    { key: "b", value: 0, ...KEEP },
  ]);
  assertEquals(await other.read(["b", "a"]), [0, VALUE]);
  await other.update(["a", "b"], (values) => {
    assertEquals(values, [VALUE, 0]);
    return [{ key: "b", value: undefined, ...KEEP }];
  });
  assertEquals(await store.read(["a", "b"]), [VALUE, undefined]);
});

Deno.test("newKvStore() loses no update when several write at once", async () => {
  await using file = await newFile();
  using kv = await Deno.openKv(file.path);
  using otherKv = await Deno.openKv(file.path);
  const stores = [newKvStore(kv), newKvStore(otherKv)];
  for (let round = 0; round < 5; round++) {
    await Promise.all(
      stores.flatMap((store) =>
        [1, 2, 3, 4].map(() =>
          store.update(["a"], ([count]) => [
            { key: "a", value: Number(count ?? 0) + 1, ...KEEP },
          ])
        )
      ),
    );
  }
  assertEquals(await stores[0]?.read(["a"]), [40]);
});

Deno.test("newKvStore() writes nothing where nothing is to be written", async () => {
  using kv = await Deno.openKv(":memory:");
  const store = newKvStore(kv, { prefix: ["x"] });
  await put(store, "a", VALUE);
  const before = await kv.get(["x", "a"]);
  await store.update(["a", "b"], () => []);
  const after = await kv.get(["x", "a"]);
  assertEquals(after.versionstamp, before.versionstamp);
  assertEquals(after.value, VALUE);
});

Deno.test("newKvStore() writes only if all that was read is still there", async () => {
  using kv = await Deno.openKv(":memory:");
  const store = newKvStore(kv);
  const seen: unknown[] = [];
  await store.update(["a", "b"], (values) => {
    seen.push(values);
    // Another writer, between reading and writing.
    if (seen.length === 1) kv.set(["smtpauth", "b"], 1);
    return [{ key: "a", value: 7, ...KEEP }];
  });
  assertEquals(seen, [[undefined, undefined], [undefined, 1]]);
});

Deno.test("newKvStore() lets values expire, or not", async () => {
  using kv = await Deno.openKv(":memory:");
  const expiries: (number | undefined)[] = [];
  const spied: KvDatabase = {
    getMany: (keys) => kv.getMany([...keys]),
    atomic: () => {
      const atomic = kv.atomic();
      const set = atomic.set.bind(atomic);
      atomic.set = (key, value, options) => {
        expiries.push(options?.expireIn);
        return set(key, value, options);
      };
      return atomic;
    },
  };
  const store = newKvStore(spied);
  await put(store, "a", VALUE, { keepMs: 1234.5 });
  await put(store, "b", VALUE, { keepMs: Infinity });
  assertEquals(expiries, [1235, undefined]);
});

Deno.test("newKvStore() rejects where the database does, or never yields", async () => {
  const kv = await Deno.openKv(":memory:");
  kv.close();
  const store = newKvStore(kv);
  await assertRejects(async () => await store.read(["a"]), Error);
  await assertRejects(async () => await put(store, "a", VALUE), Error);
  using open = await Deno.openKv(":memory:");
  using cleanUp = new DisposableStack();
  const { now } = performance;
  cleanUp.defer(() => performance.now = now);
  let tries = 0;
  performance.now = () => 7 * tries;
  const busy = newKvStore({
    getMany: (keys) => open.getMany([...keys]),
    atomic: () => {
      tries++;
      return open.atomic().check({ key: ["x"], versionstamp: "0".repeat(20) });
    },
  }, { timeoutMs: 20 });
  const error = await assertRejects(
    async () => await put(busy, "a", VALUE),
    Error,
  );
  assertEquals(
    [tries, error.message],
    [3, "Cannot write KV store: others write all the time"],
  );
});

Deno.test("withThrottle() shares counts, guesses and trust through a Deno.Kv", async () => {
  await using file = await newFile();
  using kv = await Deno.openKv(file.path);
  using otherKv = await Deno.openKv(file.path);
  const { provider, asked } = watched(({ password }) =>
    password === "right" ? "authOk" : "authInvalid"
  );
  const options = { delayMs: 0, storeTimeoutMs: 1000, pairLimit: 4 };
  const [one, other] = [kv, otherKv].map((each) =>
    withThrottle(provider, { ...options, store: newKvStore(each) })
  );
  assert(one !== undefined && other !== undefined);
  const home = "192.0.2.7";
  assertEquals(await outcomeOf(one, { password: "right", remoteIp: home }), [
    "authOk",
    "ok",
  ]);
  // Each guess is made through both: the second time it costs nothing.
  for (const password of ["1", "2", "3"]) {
    for (const each of [one, other, one, other]) {
      const wrong = { password, remoteIp: "198.51.100.1" };
      assertEquals(await outcomeOf(each, wrong), [
        "authInvalid",
        "wrong-credentials",
      ]);
    }
  }
  const last = { password: "4", remoteIp: "198.51.100.2" };
  assertEquals(await outcomeOf(other, last), [
    "authInvalid",
    "wrong-credentials",
  ]);
  const before = asked.length;
  for (const each of [one, other]) {
    assertEquals(
      await outcomeOf(each, { password: "right", remoteIp: "198.51.100.99" }),
      ["authFailure", "throttled-pair"],
    );
  }
  assertEquals(asked.length, before);
  for (const each of [one, other]) {
    assertEquals(
      await outcomeOf(each, { password: "right", remoteIp: home }),
      ["authOk", "ok"],
    );
  }
});
