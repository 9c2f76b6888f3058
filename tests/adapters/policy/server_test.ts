import { servePostfixPolicy } from "../../../adapters/policy/server.ts";
import type { PostfixPolicyOptions } from "../../../adapters/policy/server.ts";
import type { ServerEvent } from "../../../auth/events.ts";
import { rememberRights } from "../../../auth/rights/remember_rights.ts";
import { newMemoryStore } from "../../../auth/state/memory_store.ts";
import type { Store } from "../../../auth/state/store.ts";
import type { LoginRights } from "../../../auth/types.ts";
import { assert, assertEquals, assertRejects } from "../../support/assert.ts";
import { newRequest } from "../../support/auth_request.ts";
import { mustHappen } from "../../../testing/deadline.ts";
import { eventually } from "../../support/eventually.ts";
import { newsOf, withoutIds } from "../../support/events.ts";
import { connectTo } from "../../support/line_client.ts";
import { spyOnTimers } from "../../support/timer_spy.ts";

Deno.test.sanitizer({ ops: true, resources: true });

/** A policy server, with what it has told, and a login of ann. */
async function start(options: Partial<PostfixPolicyOptions> = {}) {
  const events: ServerEvent[] = [];
  const store = options.store ?? newMemoryStore();
  const server = await servePostfixPolicy({
    port: 0,
    onEvent: (event) => events.push(event),
    ...options,
    store,
  });
  const login = async (rights: LoginRights) => {
    const provider = rememberRights(
      () => ({ decision: "authOk", ...rights }),
      { store },
    );
    await provider(newRequest({ username: "ann" }));
  };
  return {
    server,
    events,
    login,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** A request with some attributes. */
function request(attributes: Readonly<Record<string, string>>): string {
  const all = { request: "smtpd_access_policy", ...attributes };
  return Object.entries(all).map(([name, value]) => `${name}=${value}\n`)
    .join("") + "\n";
}

const AT_RCPT = {
  protocol_state: "RCPT",
  sasl_username: "ann",
  sender: "ann@example.com",
};

const AT_END = {
  protocol_state: "END-OF-MESSAGE",
  sasl_username: "ann",
  recipient_count: "1",
};

Deno.test("servePostfixPolicy() asks the store about no name that is too long to be remembered", async () => {
  const store = newMemoryStore();
  let longest = 0;
  await using setting = await start({
    store: {
      ...store,
      read: (keys) => {
        longest = Math.max(longest, ...keys.map((key) => key.length));
        return store.read(keys);
      },
    },
  });
  using client = await connectTo(setting.server);
  // Deno KV, for one, takes no such key, and would pass for one that is away.
  const name = `ann+${"x".repeat(3_000)}`;
  await client.send(request({ ...AT_RCPT, sasl_username: name }));
  assertEquals(await client.lines(1), [
    "action=DEFER_IF_PERMIT 4.7.1 Your login is not known here any more, log in again",
  ]);
  assertEquals(longest, 0);
});

Deno.test("servePostfixPolicy() lets others ask between the requests that come at once on one connection", async () => {
  const asked: string[] = [];
  const store = newMemoryStore();
  await using setting = await start({
    store: {
      ...store,
      read: (keys) => {
        asked.push(keys.join(" "));
        return store.read(keys);
      },
    },
  });
  const { server } = setting;
  const as = (name: string) => request({ ...AT_RCPT, sasl_username: name });
  const count = 1_500;
  using busy = await connectTo(server);
  const sent = busy.send(as("busy").repeat(count));
  using other = await connectTo(server);
  await other.send(as("other"));
  await other.lines(2);
  await sent;
  await busy.lines(2 * count);
  assertEquals(asked.length, count + 1);
  assertEquals(asked.filter((key) => key.includes("other")).length, 1);
  assert(asked.at(-1)?.includes("busy"));
});

Deno.test("servePostfixPolicy() goes by what the last login has said", async () => {
  await using setting = await start();
  const { server, login, events } = setting;
  using client = await connectTo(server);
  const ask = async (attributes: Readonly<Record<string, string>>) => {
    await client.send(request(attributes));
    return await client.lines(2);
  };
  await login({
    senders: ["ann@example.com"],
    limits: { messagesPerMinute: 1 },
  });
  const foreign = { ...AT_RCPT, sender: "bob@example.com" };
  assertEquals(await ask(AT_RCPT), ["action=DUNNO", ""]);
  assertEquals(await ask(foreign), [
    "action=550 5.7.1 <bob@example.com> is not one of your addresses",
    "",
  ]);
  assertEquals(await ask({ ...AT_END, instance: "1" }), ["action=DUNNO", ""]);
  assertEquals(
    await ask({ ...AT_END, instance: "2", client_address: "192.0.2.7" }),
    [
      "action=451 4.7.1 Limit of 1 message a minute is reached, " +
      "try again in 60 seconds",
      "",
    ],
  );
  await login({ senders: ["bob@example.com"] });
  assertEquals(await ask(foreign), ["action=DUNNO", ""]);
  assertEquals(events.filter(({ kind }) => kind === "limitReached"), [{
    kind: "limitReached",
    username: "ann",
    remoteIp: "192.0.2.7",
    limit: "messagesPerMinute",
    most: 1,
  }]);
});

Deno.test("servePostfixPolicy() answers many requests in their order, over many connections", async () => {
  await using setting = await start({ recipientsPerDay: 300 });
  await setting.login({});
  const answers = await Promise.all(
    Array.from({ length: 20 }, async (_, i) => {
      using client = await connectTo(setting.server);
      const requests = Array.from(
        { length: 50 },
        (_, j) => request({ ...AT_END, instance: `${i}.${j}` }),
      );
      await client.send(requests.join(""));
      const lines = await client.lines(100);
      return lines.filter((line) => line !== "");
    }),
  );
  const all = answers.flat();
  assertEquals(all.length, 1000);
  assertEquals(all.filter((line) => line === "action=DUNNO").length, 300);
  assertEquals(
    all.filter((line) => line.startsWith("action=451 4.7.1 ")).length,
    700,
  );
});

Deno.test("servePostfixPolicy() ends a connection without an answer in trouble", async () => {
  const broken: Store = {
    read: () => {
      throw new Error("a fault");
    },
    update: () => {},
  };
  for (
    const [text, closed] of [
      ["nonsense\n\n", {
        reason: "bad-protocol",
        error: "a line that is no name=value",
      }],
      ["x".repeat(17_000), {
        reason: "bad-protocol",
        error: "a request that is too long",
      }],
    ] as const
  ) {
    await using setting = await start({ store: broken });
    using client = await connectTo(setting.server);
    await client.send(text);
    assertEquals(await client.end(), "");
    await eventually("the event", () => newsOf(setting.events).length === 1);
    assertEquals(withoutIds(newsOf(setting.events)), [
      { kind: "closed", ...closed, via: "policy", remoteIp: "" },
    ]);
  }
});

Deno.test("servePostfixPolicy() lets the counts pass, and no senders, where the store is away", async () => {
  const away = () => Promise.reject(new Error("away"));
  await using setting = await start({
    store: { read: away, update: away },
    messagesPerMinute: 1,
  });
  using client = await connectTo(setting.server);
  await client.send(request(AT_RCPT) + request(AT_END) + request(AT_END));
  assertEquals((await client.lines(6)).filter((line) => line !== ""), [
    "action=DEFER_IF_PERMIT 4.7.1 Your login is not known here any more, " +
    "log in again",
    "action=DUNNO",
    "action=DUNNO",
  ]);
});

Deno.test("servePostfixPolicy() waits for a request no longer than it may take", async () => {
  await using setting = await start();
  using timers = spyOnTimers();
  using client = await connectTo(setting.server);
  // Between requests a connection may rest for long.
  await eventually("the rest", () => timers.delays().includes(600_000));
  await client.send("request=smtpd");
  await eventually("the beginning", () => timers.delays().includes(5_000));
  timers.strike(5_000);
  assertEquals(await client.end(), "");
  assertEquals(withoutIds(newsOf(setting.events)), [
    { kind: "closed", reason: "idle", via: "policy", remoteIp: "" },
  ]);
});

Deno.test("servePostfixPolicy() gives the answer that is under way, and stops", async () => {
  const memory = newMemoryStore();
  const { promise: open, resolve } = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  await using setting = await start({
    store: {
      read: async (keys) => {
        asked.resolve();
        await open;
        return memory.read(keys);
      },
      update: memory.update,
    },
    storeTimeoutMs: 1000,
  });
  using idle = await connectTo(setting.server);
  using busy = await connectTo(setting.server);
  await busy.send(request(AT_RCPT));
  await asked.promise;
  const finished = setting.server.shutdown();
  assertEquals(await idle.end(), "");
  resolve();
  const [line = ""] = await busy.lines(2);
  assert(line.startsWith("action=DEFER_IF_PERMIT "));
  await mustHappen(finished, "the server ends");
});

Deno.test("servePostfixPolicy() throws without a store", async () => {
  await assertRejects(
    async () => {
      await Reflect.apply(servePostfixPolicy, undefined, [{ port: 0 }]);
    },
    TypeError,
    "Cannot serve Postfix policy: store must be an object: got undefined",
  );
});
