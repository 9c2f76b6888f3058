// The Dovecot provider against servers that say what they are told to.

import {
  type DovecotAuthProvider,
  type DovecotAuthProviderOptions,
  newDovecotAuthProvider,
} from "../../../adapters/dovecot/provider.ts";
import { serveDovecotAuth } from "../../../adapters/dovecot/server.ts";
import { assert, assertEquals, assertThrows } from "../../support/assert.ts";
import { decisionOf, outcomeOf } from "../../support/asked_provider.ts";
import { newRequest } from "../../support/auth_request.ts";
import { mustHappen } from "../../../testing/deadline.ts";
import {
  type FakeConnection,
  HANDSHAKE,
  newFakeDovecot,
} from "../../support/fake_dovecot.ts";
import { temporaryFolder } from "../../support/listener.ts";
import type { TcpEnd } from "../../support/raw_end.ts";
import { plain } from "../../../testing/client.ts";

Deno.test.sanitizer({ ops: true, resources: true });

/** Decision and reason for one question. */
async function ask(
  provider: DovecotAuthProvider,
  username = "ann",
): Promise<string> {
  return (await outcomeOf(provider, { username })).join(" ");
}

/** Shakes hands, and gives the questions one by one. */
async function greet(connection: FakeConnection): Promise<void> {
  await connection.say(HANDSHAKE);
  assertEquals(await connection.line(), "VERSION\t1\t1");
  assert(/^CPID\t[1-9][0-9]*$/.test(await connection.line()));
}

function providerOf(
  { port }: TcpEnd,
  timeoutMs = 2_000,
): DovecotAuthProvider {
  return newDovecotAuthProvider({ port, timeoutMs });
}

Deno.test("newDovecotAuthProvider() reads every kind of answer", async () => {
  const rows = [
    ["OK\t1\tuser=ann", "authOk ok"],
    ["OK\t1\tuser=ANN\toriginal_user=ann\tx=y", "authOk ok"],
    ["OK\t1", "authOk ok"],
    ["OK\t1\tuser=ann\tnologin", "authInvalid wrong-credentials"],
    [
      "OK\t1\tuser=ann\tnologin\treason=closed",
      "authInvalid wrong-credentials",
    ],
    ["OK\t1\tuser=ann\tproxy\thost=192.0.2.1", "authFailure backend-answer"],
    ["OK\t1\tuser=ann\thost=192.0.2.1", "authFailure backend-answer"],
    ["FAIL\t1\tuser=ann", "authInvalid wrong-credentials"],
    ["FAIL\t1", "authInvalid wrong-credentials"],
    ["FAIL\t1\tuser=ann\tuser_disabled", "authInvalid wrong-credentials"],
    ["FAIL\t1\tuser=ann\ttemp", "authFailure backend-status"],
    ["FAIL\t1\tuser=ann\tcode=temp_fail", "authFailure backend-status"],
    ["FAIL\t1\tcode=invalid_base64", "authInvalid wrong-credentials"],
    ["CONT\t1\tYQ==", "authFailure backend-answer"],
    ["FAIL\t2\tuser=ann\nOK\t7\nNEWS\t1\nOK\t1\tuser=ann", "authOk ok"],
  ] as const;
  for (const [answer, expected] of rows) {
    await using server = newFakeDovecot(async (connection) => {
      await greet(connection);
      assertEquals(
        await connection.line(),
        "AUTH\t1\tPLAIN\tservice=smtp\tnologin\tno-penalty\trip=192.0.2.7" +
          `\tresp=${plain("ann", "correct horse")}`,
      );
      await connection.say(`${answer}\n`);
      await connection.line();
    });
    using provider = providerOf(server);
    assertEquals(await ask(provider), expected, answer);
  }
});

Deno.test("newDovecotAuthProvider() takes Dovecot's own name for the user", async () => {
  const rows = [
    ["user=ann@example.com", { decision: "authOk", user: "ann@example.com" }],
    ["original_user=ann", { decision: "authOk" }],
    ["user=", {
      decision: "authFailure",
      reason: "backend-answer",
      detail: "user",
    }],
  ] as const;
  for (const [field, expected] of rows) {
    await using server = newFakeDovecot(async (connection) => {
      await greet(connection);
      await connection.line();
      await connection.say(`OK\t1\t${field}\n`);
      await connection.line();
    });
    using provider = providerOf(server);
    assertEquals<unknown>(await provider(newRequest()), expected);
  }
});

Deno.test("newDovecotAuthProvider() has many questions on one connection", async () => {
  await using server = newFakeDovecot(async (connection) => {
    await greet(connection);
    const ids: string[] = [];
    while (ids.length < 20) {
      ids.push((await connection.line()).split("\t")[1] ?? "");
    }
    // Real Dovecot answers out of order too: refusals are held back.
    for (const id of ids.reverse()) {
      const word = Number(id) % 2 === 0 ? "OK" : "FAIL";
      await connection.say(`${word}\t${id}\tuser=x\n`);
    }
    await connection.line();
  });
  using provider = providerOf(server);
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, i) => ask(provider, `user${i}`)),
  );
  assertEquals(
    answers,
    Array.from(
      { length: 20 },
      (_, i) =>
        (i + 1) % 2 === 0 ? "authOk ok" : "authInvalid wrong-credentials",
    ),
  );
  assertEquals(server.connections(), 1);
});

Deno.test("newDovecotAuthProvider() connects again after a loss", async () => {
  await using server = newFakeDovecot(async (connection, number) => {
    await greet(connection);
    const [, id] = (await connection.line()).split("\t");
    if (number === 1) return connection.close();
    await connection.say(`OK\t${id}\tuser=ann\n`);
    connection.close();
  });
  using provider = providerOf(server);
  assertEquals(await ask(provider), "authFailure backend-unreachable");
  assertEquals(await ask(provider), "authOk ok");
  // The server has closed the connection, known or not yet: nothing is lost.
  assertEquals(await ask(provider), "authOk ok");
});

Deno.test("newDovecotAuthProvider() asks once more on a connection that breaks, if it is an old one", async () => {
  const passwords: string[] = [];
  await using server = newFakeDovecot(async (connection, number) => {
    await greet(connection);
    for (;;) {
      const line = await connection.line();
      const [, id] = line.split("\t");
      passwords.push(
        `${number} ${atob(line.slice(line.indexOf("resp=") + 5))}`,
      );
      // The second question of the first connection, and all of the second.
      if (number === 2 || passwords.length === 2) return connection.close();
      await connection.say(`OK\t${id}\tuser=ann\n`);
    }
  });
  using provider = providerOf(server);
  assertEquals(await ask(provider), "authOk ok");
  assertEquals(await ask(provider), "authFailure backend-unreachable");
  assertEquals(await ask(provider), "authOk ok");
  assertEquals(passwords.map((each) => each[0]), ["1", "1", "2", "3"]);
});

Deno.test("newDovecotAuthProvider() gives up in time and tries another connection", async () => {
  await using server = newFakeDovecot(async (connection, number) => {
    await greet(connection);
    const [, id] = (await connection.line()).split("\t");
    if (number > 1) await connection.say(`OK\t${id}\tuser=ann\n`);
    await connection.line();
  });
  using provider = providerOf(server, 100);
  assertEquals(await ask(provider), "authFailure backend-timeout");
  assertEquals(await ask(provider), "authOk ok");
  assertEquals(server.connections(), 2);
});

Deno.test("newDovecotAuthProvider() leaves a connection that says nothing more, whatever it has said before", async () => {
  await using server = newFakeDovecot(async (connection, number) => {
    await greet(connection);
    const ids = [(await connection.line()).split("\t")[1]];
    if (number === 1) ids.push((await connection.line()).split("\t")[1]);
    await connection.say(`OK\t${ids[0]}\tuser=ann\n`);
    await connection.line();
  });
  using provider = providerOf(server, 100);
  assertEquals(await Promise.all([ask(provider), ask(provider)]), [
    "authOk ok",
    "authFailure backend-timeout",
  ]);
  assertEquals(await ask(provider), "authOk ok");
  assertEquals(server.connections(), 2);
});

Deno.test("newDovecotAuthProvider() leaves who talks without end", async () => {
  for (const line of ["NEWS\n", "MECH\tX\n", "CONT\t7\t\n", "OK\t7\n"]) {
    await using server = newFakeDovecot(async (connection) => {
      await greet(connection);
      for (;;) await connection.say(line.repeat(1_000));
    });
    using provider = providerOf(server);
    const answer = await ask(provider);
    assertEquals(answer, "authFailure backend-answer", line);
  }
});

Deno.test("newDovecotAuthProvider() cancels when the client has gone", async () => {
  const asked = Promise.withResolvers<void>();
  const cancelled = Promise.withResolvers<string>();
  await using server = newFakeDovecot(async (connection) => {
    await greet(connection);
    await connection.line();
    asked.resolve();
    cancelled.resolve(await connection.line());
    // Too late: nobody waits for it.
    await connection.say("OK\t1\tuser=ann\n");
    const [, id] = (await connection.line()).split("\t");
    await connection.say(`FAIL\t${id}\tuser=ann\n`);
    await connection.line();
  });
  using provider = providerOf(server);
  const gone = new AbortController();
  const answer = outcomeOf(provider, {}, gone.signal);
  await asked.promise;
  gone.abort();
  assertEquals(await answer, ["authFailure", "client-gone"]);
  assertEquals(await mustHappen(cancelled.promise, "CANCEL"), "CANCEL\t1");
  assertEquals(await ask(provider), "authInvalid wrong-credentials");
  assertEquals(server.connections(), 1);

  assertEquals(await outcomeOf(provider, {}, gone.signal), [
    "authFailure",
    "client-gone",
  ]);
});

Deno.test("newDovecotAuthProvider() does not trust other servers", async () => {
  const rows = [
    ["VERSION\t2\t0\n", "backend-answer"],
    ["VERSION\t1\t2\nMECH\tGSSAPI\nDONE\n", "backend-answer"],
    [`VERSION\t1\t2\n${"x".repeat(20_000)}\n`, "backend-answer"],
    ["220 mail.example.com ESMTP\n", "backend-timeout"],
    ["", "backend-timeout"],
  ] as const;
  for (const [greeting, reason] of rows) {
    await using server = newFakeDovecot(async (connection) => {
      await connection.say(greeting);
      for (;;) await connection.line();
    });
    using provider = providerOf(server, 150);
    assertEquals(await ask(provider), `authFailure ${reason}`, greeting);
  }
});

Deno.test("newDovecotAuthProvider() knows when nobody is there", async () => {
  using provider = newDovecotAuthProvider({ path: "/nowhere/at/all" });
  assertEquals(await ask(provider), "authFailure backend-unreachable");
  provider[Symbol.dispose]();
  assertEquals(await ask(provider), "authFailure backend-unreachable");
});

Deno.test("newDovecotAuthProvider() and serveDovecotAuth() are inverse", async () => {
  using cleanUp = new DisposableStack();
  const path = `${temporaryFolder(cleanUp)}/auth`;
  await using _server = await serveDovecotAuth({
    path,
    provider: ({ username, password, remoteIp }) =>
      username === "down"
        ? "authFailure"
        : password === "correct horse" && remoteIp === "192.0.2.7"
        ? "authOk"
        : "authInvalid",
  });
  using provider = newDovecotAuthProvider({ path });
  const names = ["ann", "jörg", "用户@例え.jp", "a b=c"];
  for (const name of names) {
    assertEquals(await ask(provider, name), "authOk ok");
  }
  const wrong = newRequest({ password: "x" });
  assertEquals(await decisionOf(provider, wrong), "authInvalid");
  assert((await ask(provider, "down")).startsWith("authFailure"));
  assertEquals(await ask(provider), "authOk ok");
});

Deno.test("newDovecotAuthProvider() refuses a bad configuration", () => {
  const rows: readonly (readonly [DovecotAuthProviderOptions, string])[] = [
    [{}, "either path or port must be given"],
    [{ path: "/x", port: 1 }, "either path or port must be given"],
    [{ path: "" }, "path must be the path of a socket file"],
    [{ path: "/x", hostname: "::1" }, "hostname needs port"],
    [
      { path: "/x", service: "a\tb" },
      "service must be up to 32 letters, digits",
    ],
  ];
  for (const [options, text] of rows) {
    assertThrows(
      () => newDovecotAuthProvider(options),
      TypeError,
      `Cannot create Dovecot provider: ${text}`,
    );
  }
  for (const options of [{ port: 0 }, { path: "/x", timeoutMs: 0 }]) {
    assertThrows(() => newDovecotAuthProvider(options), RangeError);
  }
});

Deno.test("newDovecotAuthProvider() asks all again on one new connection when one breaks under many questions", async () => {
  await using server = newFakeDovecot(async (connection, number) => {
    await greet(connection);
    for (let asked = 0;; asked++) {
      const [, id] = (await connection.line()).split("\t");
      // The first connection answers one, and is lost with twenty others.
      if (number === 1 && asked === 20) return connection.close();
      if (number === 1 && asked > 0) continue;
      await connection.say(`OK\t${id}\tuser=ann\n`);
    }
  });
  using provider = providerOf(server);
  assertEquals(await ask(provider), "authOk ok");
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, i) => ask(provider, `user${i}`)),
  );
  assertEquals(new Set(answers), new Set(["authOk ok"]));
  assertEquals(server.connections(), 2);
});
