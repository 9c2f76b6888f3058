import { withThrottle } from "../../../../auth/guards/throttle/throttle.ts";
import {
  newKvThrottleStore,
  type ThrottleKv,
} from "../../../../auth/guards/throttle/kv_store.ts";
import type { ThrottleEntry } from "../../../../auth/guards/throttle/store.ts";
import {
  assert,
  assertEquals,
  assertNotEquals,
  assertRejects,
  assertThrows,
} from "../../../support/assert.ts";
import { outcomeOf, watched } from "../../../support/asked_provider.ts";

// Off unless asked for since Deno 2.8: no timer, connection or body may be left.
Deno.test.sanitizer({ ops: true, resources: true });

const ENTRY: ThrottleEntry = {
  ...{ count: 1, home: 0, late: 0, shared: false, typed: "" },
  at: 1000,
  keepMs: 60_000,
  guesses: [1, 2],
  networks: [{ user: "ann", network: "192.0.2.0/24", at: 1 }],
};

/** A database in a file, as several processes share one. */
async function newFile(): Promise<{ path: string } & AsyncDisposable> {
  const folder = await Deno.makeTempDir();
  return {
    path: `${folder}/kv.sqlite`,
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

Deno.test("newKvThrottleStore() reads what was written, by another process too", async () => {
  await using file = await newFile();
  using kv = await Deno.openKv(file.path);
  using otherKv = await Deno.openKv(file.path);
  const store = newKvThrottleStore(kv);
  const other = newKvThrottleStore(otherKv);
  assertEquals(await store.read(["a", "b"]), [undefined, undefined]);
  await store.update(["a", "b"], () => [ENTRY, { ...ENTRY, count: 2 }]);
  assertEquals(await other.read(["b", "a"]), [{ ...ENTRY, count: 2 }, ENTRY]);
  await other.update(["a", "b"], ([a]) => [a, undefined]);
  assertEquals(await store.read(["a", "b"]), [ENTRY, undefined]);
});

Deno.test("newKvThrottleStore() loses no update when several write at once", async () => {
  await using file = await newFile();
  using kv = await Deno.openKv(file.path);
  using otherKv = await Deno.openKv(file.path);
  const stores = [newKvThrottleStore(kv), newKvThrottleStore(otherKv)];
  for (let round = 0; round < 5; round++) {
    await Promise.all(
      stores.flatMap((store) =>
        [1, 2, 3, 4].map(() =>
          store.update(["a"], ([entry]) => [{
            ...ENTRY,
            count: (entry?.count ?? 0) + 1,
          }])
        )
      ),
    );
  }
  const [entry] = await stores[0]?.read(["a"]) ?? [];
  assertEquals(entry?.count, 40);
});

Deno.test("newKvThrottleStore() writes nothing where nothing has changed", async () => {
  using kv = await Deno.openKv(":memory:");
  const store = newKvThrottleStore(kv, { prefix: ["x"] });
  await store.update(["a"], () => [ENTRY]);
  const before = await kv.get(["x", "entries", "a"]);
  await store.update(["a", "b"], (entries) => entries);
  const after = await kv.get(["x", "entries", "a"]);
  assertEquals(after.versionstamp, before.versionstamp);
});

Deno.test("newKvThrottleStore() lets entries expire", async () => {
  using kv = await Deno.openKv(":memory:");
  const expiries: (number | undefined)[] = [];
  const spied: ThrottleKv = {
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
  const store = newKvThrottleStore(spied);
  await store.update(["a"], () => [{ ...ENTRY, keepMs: 1234.5 }]);
  assertEquals(expiries, [1235]);
});

Deno.test("newKvThrottleStore() takes what it cannot have written for nothing", async () => {
  using kv = await Deno.openKv(":memory:");
  const store = newKvThrottleStore(kv);
  const values = [
    null,
    7,
    "text",
    [],
    {},
    { ...ENTRY, count: NaN },
    { ...ENTRY, at: "now" },
    { ...ENTRY, home: undefined },
    { ...ENTRY, late: "1" },
    { ...ENTRY, shared: 0 },
    { ...ENTRY, typed: null },
    { ...ENTRY, keepMs: undefined },
    { ...ENTRY, guesses: ["1"] },
    { ...ENTRY, guesses: {} },
    { ...ENTRY, networks: [null] },
    { ...ENTRY, networks: [{ user: "ann", network: 1, at: 1 }] },
    { ...ENTRY, networks: [{ network: "192.0.2.0/24", at: 1 }] },
  ];
  for (const value of values) {
    await kv.set(["smtpauth", "throttle", "entries", "a"], value);
    assertEquals(await store.read(["a"]), [undefined], Deno.inspect(value));
    await store.update(["a"], ([entry]) => [entry ?? ENTRY]);
    assertEquals(await store.read(["a"]), [ENTRY], "and writes over it");
  }
});

Deno.test("newKvThrottleStore() makes one secret for all, or takes one", async () => {
  await using file = await newFile();
  using kv = await Deno.openKv(file.path);
  using otherKv = await Deno.openKv(file.path);
  const secrets = await Promise.all(
    [kv, otherKv, kv].map((each) => newKvThrottleStore(each).secret?.()),
  );
  const [first] = secrets;
  assert(first !== undefined);
  assertEquals(first.length, 32);
  assertEquals(secrets, [first, first, first]);
  assertEquals(await newKvThrottleStore(otherKv).secret?.(), first);
  const elsewhere = newKvThrottleStore(kv, { prefix: ["elsewhere"] });
  assertNotEquals(await elsewhere.secret?.(), first);
  const secret = new Uint8Array(32).fill(7);
  assertEquals(await newKvThrottleStore(kv, { secret }).secret?.(), secret);
});

Deno.test("newKvThrottleStore() refuses a short secret, unquoted", async () => {
  using kv = await Deno.openKv(":memory:");
  const error = assertThrows(
    () => newKvThrottleStore(kv, { secret: new Uint8Array(31).fill(77) }),
    RangeError,
  );
  assertEquals(
    error.message,
    "Cannot create throttle store: secret must be >= 32 octets: got 31",
  );
});

Deno.test("newKvThrottleStore() rejects where the database does, or never yields", async () => {
  const kv = await Deno.openKv(":memory:");
  kv.close();
  const store = newKvThrottleStore(kv);
  await assertRejects(async () => await store.read(["a"]), Error);
  await assertRejects(
    async () => await store.update(["a"], () => [ENTRY]),
    Error,
  );
  await assertRejects(async () => await store.secret?.(), Error);
  using open = await Deno.openKv(":memory:");
  let tries = 0;
  const busy = newKvThrottleStore({
    getMany: (keys) => open.getMany([...keys]),
    atomic: () => {
      tries++;
      return open.atomic().check({ key: ["x"], versionstamp: "0".repeat(20) });
    },
  });
  const error = await assertRejects(
    async () => await busy.update(["a"], () => [ENTRY]),
    Error,
  );
  assertEquals(
    [tries, error.message],
    [16, "Cannot write throttle store: others write all the time"],
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
    withThrottle(provider, { ...options, store: newKvThrottleStore(each) })
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
