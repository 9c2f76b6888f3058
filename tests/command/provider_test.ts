import { readInvocation } from "../../command/invocation.ts";
import { RightsMemory } from "../../auth/rights/rights_memory.ts";
import { newMemoryStore } from "../../auth/state/memory_store.ts";
import { openProvider } from "../../command/provider.ts";
import { assertEquals } from "../support/assert.ts";
import { outcomeOf } from "../support/asked_provider.ts";
import { newFakeDovecot } from "../support/fake_dovecot.ts";

// Off unless asked for since Deno 2.8: no timer, connection or body may be left.
Deno.test.sanitizer({ ops: true, resources: true });

Deno.test("openProvider() asks Dovecot no more at once than --auth-concurrency", async () => {
  const asked = Promise.withResolvers<string>();
  const busy = Promise.withResolvers<void>();
  await using dovecot = newFakeDovecot(async (connection) => {
    await connection.say("VERSION\t1\t2\nMECH\tPLAIN\nSPID\t1\nDONE\n");
    await connection.line();
    await connection.line();
    asked.resolve(await connection.line());
    await busy.promise;
    await connection.say("OK\t1\tuser=ann\n");
    const [, id] = (await connection.line()).split("\t");
    await connection.say(`OK\t${id}\tuser=ann\n`);
    await connection.line();
  });
  const invocation = readInvocation(
    [
      ...["--auth-dovecot", `127.0.0.1:${dovecot.port}`],
      ...["--auth-concurrency", "1", "--no-throttle"],
    ],
    () => ({}),
    () => new Uint8Array(),
  );
  if (invocation.kind !== "serve") throw new Error(invocation.kind);
  using opened = await openProvider(invocation.settings, undefined, {
    log: () => {},
    store: newMemoryStore(),
  });
  const ask = () => outcomeOf(opened.provider);
  const [first, second] = [ask(), ask()];
  await asked.promise;
  assertEquals(await ask(), ["authFailure", "backend-busy"]);
  busy.resolve();
  assertEquals([await first, await second], [["authOk", "ok"], [
    "authOk",
    "ok",
  ]]);
});

Deno.test("openProvider() asks about tokens over the network, and no local user", async () => {
  const asked: string[] = [];
  await using dovecot = newFakeDovecot(async (connection) => {
    await connection.say(
      "VERSION\t1\t2\nMECH\tPLAIN\nMECH\tXOAUTH2\nSPID\t1\nDONE\n",
    );
    for (;;) {
      const [command, id, mechanism = ""] = (await connection.line())
        .split("\t");
      if (command !== "AUTH") continue;
      asked.push(mechanism);
      await connection.say(`FAIL\t${id}\n`);
    }
  });
  const invocation = readInvocation(
    [
      ...["--auth-dovecot", `127.0.0.1:${dovecot.port}`, "--no-throttle"],
      ...["--mechanisms", "PLAIN,XOAUTH2"],
    ],
    () => ({ MEOWMAIL_SMTP_USER: "ann", MEOWMAIL_SMTP_PASS: "secret" }),
    () => new Uint8Array(),
  );
  if (invocation.kind !== "serve") throw new Error(invocation.kind);
  using opened = await openProvider(invocation.settings, undefined, {
    log: () => {},
    store: newMemoryStore(),
  });
  const ask = (mechanism: string) =>
    outcomeOf(opened.provider, {
      username: "ann",
      password: "secret",
      mechanism,
    });
  assertEquals(await ask("PLAIN"), ["authOk", "ok"]);
  assertEquals(asked, []);
  assertEquals(await ask("XOAUTH2"), ["authInvalid", "wrong-credentials"]);
  assertEquals(asked, ["XOAUTH2"]);
});

Deno.test("openProvider() remembers what logins have said for a policy service, of this process or another", async () => {
  for (
    const [args, isRemembered] of [
      [[], false],
      [["--policy-socket", "./policy"], true],
      [["--shared-state", "kv:./state"], true],
    ] as const
  ) {
    const invocation = readInvocation(
      args,
      () => ({ MEOWMAIL_SMTP_USER: "ann", MEOWMAIL_SMTP_PASS: "secret" }),
      () => new Uint8Array(),
    );
    if (invocation.kind !== "serve") throw new Error(invocation.kind);
    const store = newMemoryStore();
    using opened = await openProvider(invocation.settings, undefined, {
      log: () => {},
      store,
    });
    const login = { username: "ann", password: "secret" };
    assertEquals(await outcomeOf(opened.provider, login), ["authOk", "ok"]);
    const known = await new RightsMemory(store, Date.now).recall("ann");
    assertEquals(known, isRemembered ? { user: "ann" } : undefined);
  }
});
