import { rememberRights } from "../../../auth/rights/remember_rights.ts";
import {
  RIGHTS_KEEP_MS,
  RightsMemory,
} from "../../../auth/rights/rights_memory.ts";
import { newMemoryStore } from "../../../auth/state/memory_store.ts";
import type { Store, StoreWrite } from "../../../auth/state/store.ts";
import type { AuthProvider, LoginRights } from "../../../auth/types.ts";
import { assert, assertEquals, assertThrows } from "../../support/assert.ts";
import { newRequest } from "../../support/auth_request.ts";

const NOW = Date.UTC(2026, 10, 26);

/** A provider that says yes, with rights, and a memory of what it has said. */
function newSetting() {
  const store = newMemoryStore();
  const writes: StoreWrite[] = [];
  const noting: Store = {
    read: store.read,
    update: (keys, change) =>
      store.update(keys, (values) => {
        const written = change(values);
        writes.push(...written);
        return written;
      }),
  };
  const clock = { now: NOW };
  let rights: LoginRights = {};
  const provider = rememberRights(() => ({ decision: "authOk", ...rights }), {
    store: noting,
    now: () => clock.now,
  });
  const login = async (username: string, said: LoginRights) => {
    rights = said;
    return await provider(newRequest({ username }));
  };
  const memory = new RightsMemory(store, () => clock.now);
  return { login, memory, clock, writes };
}

Deno.test("rememberRights() remembers the last answer under the canonical and the typed name", async () => {
  const { login, memory } = newSetting();
  const said = {
    user: "ann@example.com",
    senders: ["ann@example.com", "@team.example"],
    limits: { recipientsPerDay: 500 },
  };
  const result = await login("ann", { ...said, context: { secret: 1 } });
  assertEquals(result, {
    decision: "authOk",
    ...said,
    context: { secret: 1 },
  });
  assertEquals(await memory.recall("ann@example.com"), said);
  assertEquals(await memory.recall("ann"), said);
  assertEquals(await memory.recall("bob"), undefined);
  // The next answer takes its place, whatever it leaves out.
  await login("ann", { user: "ann@example.com" });
  assertEquals(await memory.recall("ann"), { user: "ann@example.com" });
});

Deno.test("rememberRights() takes a canonical name before one that somebody has typed", async () => {
  const { login, memory } = newSetting();
  await login("ann@example.com", { user: "ann@example.com", senders: [] });
  // Another user, who types the first one's canonical name.
  await login("ann@example.com", { user: "mallory" });
  assertEquals(await memory.recall("ann@example.com"), {
    user: "ann@example.com",
    senders: [],
  });
  assertEquals(await memory.recall("mallory"), { user: "mallory" });
});

Deno.test("rememberRights() writes what has changed, and the rest once an hour", async () => {
  const { login, clock, writes } = newSetting();
  await login("ann", { senders: ["ann@example.com"] });
  assertEquals(writes.map(({ keepMs, share }) => [keepMs, share]), [
    [RIGHTS_KEEP_MS, "right"],
  ]);
  clock.now += 3_599_999;
  await login("ann", { senders: ["ann@example.com"] });
  assertEquals(writes.length, 1);
  clock.now++;
  await login("ann", { senders: ["ann@example.com"] });
  assertEquals(writes.length, 2);
  await login("ann", { senders: [] });
  assertEquals(writes.length, 3);
});

Deno.test("rememberRights() remembers neither refusals nor failures nor passwords", async () => {
  const store = newMemoryStore();
  const keys: string[] = [];
  const noting: Store = {
    read: (asked) => {
      keys.push(...asked);
      return store.read(asked);
    },
    update: store.update,
  };
  const answers = ["authInvalid", "authFailure", "authOk"] as const;
  for (const answer of answers) {
    const provider: AuthProvider = () => answer;
    const asked = rememberRights(provider, { store: noting });
    const { decision } = await asked(newRequest({
      username: "ann",
      password: "correct horse",
    }));
    assertEquals(decision, answer);
  }
  assertEquals(keys, ["r:user ann"]);
  assert(!JSON.stringify(store.read(keys)).includes("correct horse"));
});

Deno.test("rememberRights() remembers no name and no answer beyond any measure", async () => {
  const { login, memory, writes } = newSetting();
  const long = "a".repeat(321);
  await login(long, { senders: [] });
  assertEquals(await memory.recall(long), undefined);
  await login("", { user: "" });
  const many = Array.from({ length: 3000 }, (_, i) => `${i}@example.com`);
  await login("ann", { senders: many });
  assertEquals(await memory.recall("ann"), undefined);
  assertEquals(writes.length, 0);
  await login("ann", { senders: many.slice(0, 1000) });
  assertEquals((await memory.recall("ann"))?.senders?.length, 1000);
  await login("ann", { senders: many });
  assertEquals(await memory.recall("ann"), undefined);
});

Deno.test("rememberRights() answers whatever the store does", async () => {
  const broken = () => Promise.reject(new Error("away"));
  const never = () => new Promise<never>(() => {});
  for (const act of [broken, never]) {
    const provider = rememberRights(() => "authOk", {
      store: { read: act, update: act },
      storeTimeoutMs: 1,
    });
    const { decision } = await provider(newRequest());
    assertEquals(decision, "authOk");
  }
});

Deno.test("RightsMemory takes what is no answer for nothing", async () => {
  const good = { rights: { user: "ann" }, at: NOW };
  const recalled = async (value: unknown) => {
    const store: Store = { read: () => [value, undefined], update: () => {} };
    return await new RightsMemory(store, () => NOW).recall("ann");
  };
  assertEquals(await recalled(good), { user: "ann" });
  for (
    const bad of [
      null,
      "ann",
      [],
      {},
      { rights: good.rights },
      { at: NOW },
      { ...good, rights: { user: 1 } },
      { ...good, rights: { user: "ann", senders: "ann@example.com" } },
      { ...good, rights: { user: "ann", senders: [1] } },
      { ...good, rights: { user: "ann", limits: { recipientsPerDay: -1 } } },
    ]
  ) {
    assertEquals(await recalled(bad), undefined);
  }
});

Deno.test("rememberRights() throws without a store", () => {
  assertThrows(
    () => Reflect.apply(rememberRights, undefined, [() => "authOk", {}]),
    TypeError,
    "Cannot remember rights: store must be an object: got undefined",
  );
});
