import { decide, type Policy } from "../../../adapters/policy/policy.ts";
import {
  formatPolicyAction,
  type PolicyRequest,
} from "../../../adapters/policy/protocol.ts";
import { Quota } from "../../../auth/rights/quota.ts";
import { RightsMemory } from "../../../auth/rights/rights_memory.ts";
import { newMemoryStore } from "../../../auth/state/memory_store.ts";
import type { LoginRights, SendingLimits } from "../../../auth/types.ts";
import { assertEquals, assertRejects } from "../../support/assert.ts";

const REQUEST: PolicyRequest = {
  state: "RCPT",
  user: "ann",
  sender: "ann@example.com",
  recipients: 0,
  remoteIp: "192.0.2.7",
  instance: "1",
};

/** A policy after ann has logged in, and what it says. */
async function newSetting(
  rights?: LoginRights,
  limits: SendingLimits = {},
  more: Partial<Policy> = {},
) {
  const store = newMemoryStore();
  const memory = new RightsMemory(store, Date.now);
  if (rights !== undefined) {
    await memory.remember("ann", { decision: "authOk", ...rights });
  }
  const quota = new Quota({
    store,
    storeTimeoutMs: 1000,
    limits,
    now: () => Date.UTC(2026, 10, 26),
    report: () => {},
  });
  const policy = {
    rights: memory,
    quota,
    unknownUsers: "defer",
    ...more,
  } as const;
  return async (about: Partial<PolicyRequest> = {}) =>
    formatPolicyAction(await decide(policy, { ...REQUEST, ...about }))
      .replace("action=", "").trim();
}

const END = { state: "END-OF-MESSAGE", recipients: 1 };

const FOREIGN = "550 5.7.1 <bob@example.com> is not one of your addresses";

Deno.test("decide() lets a user be who the login has said, and nobody else", async () => {
  const said = await newSetting({
    senders: ["ann@example.com", "@ann.example"],
  });
  for (const state of ["MAIL", "RCPT"]) {
    assertEquals(await said({ state }), "DUNNO");
    assertEquals(await said({ state, sender: "x@ann.example" }), "DUNNO");
    assertEquals(await said({ state, sender: "" }), "DUNNO");
    assertEquals(await said({ state, sender: "bob@example.com" }), FOREIGN);
  }
  const nobody = await newSetting({ senders: [] });
  assertEquals(
    await nobody(),
    "550 5.7.1 <ann@example.com> is not one of your addresses",
  );
  assertEquals(await nobody({ sender: "" }), "DUNNO");
  const anybody = await newSetting({});
  assertEquals(await anybody({ sender: "bob@example.com" }), "DUNNO");
});

Deno.test("decide() says nothing about who has not logged in, nor at other times", async () => {
  const said = await newSetting({ senders: [] }, { messagesPerMinute: 1 });
  assertEquals(await said({ user: "" }), "DUNNO");
  for (const instance of ["1", "2", "3"]) {
    assertEquals(await said({ ...END, user: "", instance }), "DUNNO");
  }
  for (const state of ["CONNECT", "EHLO", "HELO", "DATA", "VRFY", "ETRN", ""]) {
    assertEquals(await said({ state }), "DUNNO");
  }
});

Deno.test("decide() counts at the end of a message, and each message once", async () => {
  const said = await newSetting({}, { recipientsPerDay: 3 });
  const over = "451 4.7.1 Limit of 3 recipients a day is reached, " +
    "try again in 8 hours";
  assertEquals(await said({ ...END, recipients: 2 }), "DUNNO");
  // Postfix asks again when it got no answer.
  assertEquals(await said({ ...END, recipients: 2 }), "DUNNO");
  assertEquals(await said({ ...END, recipients: 2, instance: "2" }), over);
  assertEquals(await said({ ...END, instance: "3" }), "DUNNO");
  assertEquals(await said({ ...END, instance: "4" }), over);
  assertEquals(await said({ ...END, instance: "3" }), "DUNNO");
  // At RCPT nothing is counted, and nobody is refused for it.
  assertEquals(await said({ instance: "5" }), "DUNNO");
});

Deno.test("decide() counts every message where Postfix names none", async () => {
  const said = await newSetting({}, { messagesPerMinute: 2 });
  const codes = [];
  for (const instance of ["", "", "x".repeat(101), "x".repeat(101)]) {
    codes.push((await said({ ...END, instance })).slice(0, 5));
  }
  assertEquals(codes, ["DUNNO", "DUNNO", "451 4", "451 4"]);
});

Deno.test("decide() goes by the limits of the login's answer, and counts one user as one", async () => {
  const said = await newSetting(
    { user: "ann@example.com", limits: { messagesPerMinute: 1 } },
    { messagesPerMinute: 5, recipientsPerDay: 10 },
  );
  assertEquals(await said({ ...END }), "DUNNO");
  assertEquals(
    await said({ ...END, user: "ann@example.com", instance: "2" }),
    "451 4.7.1 Limit of 1 message a minute is reached, try again in 60 seconds",
  );
  const free = await newSetting({ limits: { messagesPerMinute: 0 } }, {
    messagesPerMinute: 1,
  });
  for (const instance of ["1", "2", "3"]) {
    assertEquals(await free({ ...END, instance }), "DUNNO");
  }
});

Deno.test("decide() defers senders whose login it does not know, and counts nothing for them", async () => {
  const said = await newSetting(undefined, { messagesPerMinute: 1 });
  assertEquals(
    await said(),
    "DEFER_IF_PERMIT 4.7.1 Your login is not known here any more, log in again",
  );
  assertEquals(await said({ sender: "" }), "DUNNO");
  for (const instance of ["1", "2"]) {
    assertEquals(await said({ ...END, instance }), "DUNNO");
  }
  const lenient = await newSetting(undefined, {}, { unknownUsers: "pass" });
  assertEquals(await lenient(), "DUNNO");
});

Deno.test("decide() rejects where nobody can tell", async () => {
  const said = await newSetting({}, {}, {
    rights: new RightsMemory({
      read: () => Promise.reject(new Error("away")),
      update: () => {},
    }, Date.now),
  });
  await assertRejects(() => said(), Error, "away");
});
