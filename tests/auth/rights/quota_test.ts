import type { LimitReachedEvent } from "../../../auth/events.ts";
import { Quota } from "../../../auth/rights/quota.ts";
import { newMemoryStore } from "../../../auth/state/memory_store.ts";
import type { Store } from "../../../auth/state/store.ts";
import type { SendingLimits } from "../../../auth/types.ts";
import { assert, assertEquals } from "../../support/assert.ts";

const ANN = { user: "ann", remoteIp: "192.0.2.7" };
const BOB = { user: "bob", remoteIp: "192.0.2.7" };

/** A quota with a clock that the test moves, and what it has told. */
function newQuota(
  limits: SendingLimits,
  { store = newMemoryStore(), now = Date.UTC(2026, 10, 26) }: {
    readonly store?: Store;
    readonly now?: number;
  } = {},
) {
  const events: LimitReachedEvent[] = [];
  const clock = { now };
  const quota = new Quota({
    store,
    storeTimeoutMs: 1000,
    limits,
    now: () => clock.now,
    report: (event) => events.push(event),
  });
  const charge = async (who = ANN, recipients = 1, once?: string) => {
    const outcome = await quota.charge(who, recipients, once);
    return "code" in outcome ? outcome.code : 250;
  };
  const ask = async (who = ANN, recipients = 1) =>
    (await quota.ask(who, recipients))?.code ?? 250;
  return { quota, clock, events, charge, ask };
}

Deno.test("Quota.charge() never lets more through than the limit, however many come at once", async () => {
  const store = newMemoryStore();
  // As of two processes that share a store.
  const quotas = [
    newQuota({ recipientsPerDay: 100 }, { store }),
    newQuota({ recipientsPerDay: 100 }, { store }),
  ] as const;
  const codes = await Promise.all(
    Array.from(
      { length: 1000 },
      (_, i) => quotas[i % 2 === 0 ? 0 : 1].charge(),
    ),
  );
  assertEquals(codes.filter((code) => code === 250).length, 100);
  assertEquals(codes.filter((code) => code === 451).length, 900);
});

Deno.test("Quota.charge() counts all of a message, or nothing of it", async () => {
  const { charge, ask, clock } = newQuota({
    recipientsPerDay: 10,
    messagesPerMinute: 2,
  });
  assertEquals(await charge(ANN, 8), 250);
  assertEquals(await charge(ANN, 3), 451);
  // The refused one has not cost a message either.
  assertEquals(await charge(ANN, 2), 250);
  assertEquals(await ask(), 451);
  // A minute later there is room for messages, not yet for recipients.
  clock.now += 60_000;
  assertEquals(await ask(), 451);
  clock.now += 86_400_000 / 10;
  assertEquals(await charge(), 250);
});

Deno.test("Quota.ask() counts nothing", async () => {
  const { charge, ask } = newQuota({ recipientsPerDay: 1 });
  assertEquals(await ask(), 250);
  assertEquals(await ask(), 250);
  assertEquals(await ask(ANN, 2), 451);
  assertEquals(await charge(), 250);
  assertEquals(await ask(), 451);
});

Deno.test("Quota counts users apart from each other, and clients without one by address", async () => {
  const { charge } = newQuota({ messagesPerMinute: 1 });
  assertEquals(await charge(ANN), 250);
  assertEquals(await charge(BOB), 250);
  assertEquals(await charge({ ...ANN, user: "Ann" }), 451);
  const printer = { remoteIp: "192.0.2.9" };
  const scanner = { remoteIp: "192.0.2.10" };
  const { quota } = newQuota({ messagesPerMinute: 1 });
  assert("refund" in await quota.charge(printer, 1));
  assert("code" in await quota.charge(printer, 1));
  assert("refund" in await quota.charge(scanner, 1));
});

Deno.test("Charge.refund() makes room again", async () => {
  const { quota, charge, clock } = newQuota({
    recipientsPerDay: 4,
    messagesPerMinute: 1,
  });
  const outcome = await quota.charge(ANN, 4);
  assert("refund" in outcome);
  clock.now += 1000;
  assertEquals(await charge(ANN, 1), 451);
  await outcome.refund();
  assertEquals(await charge(ANN, 4), 250);
  assertEquals(await charge(ANN, 1), 451);
});

Deno.test("Quota.charge() counts a message with a name once", async () => {
  const { charge } = newQuota({ recipientsPerDay: 3 });
  assertEquals(await charge(ANN, 2, "a"), 250);
  assertEquals(await charge(ANN, 2, "a"), 250);
  assertEquals(await charge(ANN, 2, "b"), 451);
  assertEquals(await charge(ANN, 1, "b"), 250);
  // It was counted, although it would not fit now.
  assertEquals(await charge(ANN, 2, "a"), 250);
  assertEquals(await charge(ANN, 1, "c"), 451);
});

Deno.test("Quota tells of each user and limit once a window, whichever process it is", async () => {
  const store = newMemoryStore();
  const limits = { recipientsPerDay: 1, messagesPerMinute: 5 };
  const first = newQuota(limits, { store });
  const second = newQuota(limits, { store });
  assertEquals(await first.charge(), 250);
  for (const { ask, charge } of [first, second, first]) {
    assertEquals(await ask(), 451);
    assertEquals(await charge(), 451);
  }
  const told = {
    kind: "limitReached",
    username: "ann",
    remoteIp: "192.0.2.7",
    limit: "recipientsPerDay",
    most: 1,
  } as const;
  assertEquals(first.events, [told]);
  assertEquals(second.events, []);
  assertEquals(await first.charge(BOB), 250);
  assertEquals(await first.ask(BOB), 451);
  assertEquals(first.events, [told, { ...told, username: "bob" }]);
  // The next day it is news again.
  second.clock.now += 86_400_000;
  assertEquals(await second.charge(), 250);
  assertEquals(await second.charge(), 451);
  assertEquals(second.events, [told]);
});

const BROKEN: Readonly<Record<string, () => Promise<never>>> = {
  "throws": () => {
    throw new Error("away");
  },
  "rejects": () => Promise.reject(new Error("away")),
};

for (const [how, broken] of Object.entries(BROKEN)) {
  Deno.test(`Quota lets everything pass where the store ${how}`, async () => {
    let asked = 0;
    const ask = () => {
      asked++;
      return broken();
    };
    const { charge, quota, events } = newQuota({ messagesPerMinute: 1 }, {
      store: { read: ask, update: ask },
    });
    for (let i = 0; i < 5; i++) {
      assertEquals(await quota.ask(ANN, 1), undefined);
      assertEquals(await charge(), 250);
    }
    assertEquals(events, []);
    // It is left alone for a while: each asking may take its time.
    assertEquals(asked, 1);
  });
}

Deno.test("Quota lets everything pass where the store does not answer", async () => {
  const never = () => new Promise<never>(() => {});
  const quota = new Quota({
    store: { read: never, update: never },
    storeTimeoutMs: 1,
    limits: { messagesPerMinute: 1 },
    now: Date.now,
    report: () => {},
  });
  assertEquals(await quota.ask(ANN, 1), undefined);
  assert("refund" in await quota.charge(ANN, 1));
});

Deno.test("Quota takes what is no time for nothing", async () => {
  const { charge } = newQuota({ messagesPerMinute: 1 }, {
    store: {
      read: (keys) => keys.map(() => "soon"),
      update: (keys, change) => void change(keys.map(() => NaN)),
    },
  });
  assertEquals(await charge(), 250);
  assertEquals(await charge(), 250);
});
