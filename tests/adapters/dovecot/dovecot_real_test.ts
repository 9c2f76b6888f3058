// A real Dovecot as the provider, asked over its unix socket and over TCP.

import { newDovecotAuthProvider } from "../../../adapters/dovecot/provider.ts";
import type { ReadyProvider } from "../../../auth/types.ts";
import { serveSmtp } from "../../../smtp/listener.ts";
import { assert, assertEquals } from "../../support/assert.ts";
import { newRequest } from "../../support/auth_request.ts";
import { longToken } from "../../support/bearer_steps.ts";
import { serveHttp } from "../../support/http_end.ts";
import { outcomeOf } from "../../support/asked_provider.ts";
import { daemonTest } from "../../support/daemons.ts";
import {
  BROKEN,
  DOVECOT,
  ELSEWHERE,
  newDovecot,
  NO_LOGIN,
} from "../../support/dovecot.ts";
import { LOGINS } from "../../../testing/endpoint.ts";
import { tryLogin } from "../../support/adapter_check.ts";

/** The decision and its reason. */
async function ask(
  provider: ReadyProvider,
  username: string,
  password: string,
): Promise<string> {
  return (await outcomeOf(provider, { username, password })).join(" ");
}

const [ANN] = LOGINS;

daemonTest(DOVECOT, "is asked as a provider", async ({ path }, t) => {
  await using dovecot = newDovecot(path);
  let daemon = await dovecot.start();
  try {
    using overUnix = newDovecotAuthProvider({ path: dovecot.path });
    using overTcp = newDovecotAuthProvider({ port: dovecot.port });

    await t.step("all at once, over unix and TCP", async () => {
      await Promise.all([overUnix, overTcp].map(async (provider) => {
        const rows = [
          ...LOGINS.map(({ username, password }) =>
            [username, password, "authOk ok"] as const
          ),
          [ANN.username, "x", "authInvalid wrong-credentials"],
          ["nobody@example.com", "x", "authInvalid wrong-credentials"],
          [NO_LOGIN, "x", "authInvalid wrong-credentials"],
          [ELSEWHERE, "x", "authFailure backend-answer"],
          [BROKEN, "x", "authFailure backend-status"],
        ] as const;
        const answers = await Promise.all(
          rows.map(([username, password]) => ask(provider, username, password)),
        );
        assertEquals(answers, rows.map(([, , expected]) => expected));
      }));
    });
    await t.step(
      "a wrong password does not slow down the right one",
      async () => {
        const began = performance.now();
        const answer = await ask(overUnix, ANN.username, ANN.password);
        assertEquals(answer, "authOk ok");
        assert(performance.now() - began < 1_500);
      },
    );
    await t.step("a Dovecot that hangs is an outage", async () => {
      using hurried = newDovecotAuthProvider({
        path: dovecot.path,
        timeoutMs: 300,
      });
      const { username, password } = ANN;
      assertEquals(await ask(hurried, username, password), "authOk ok");
      const auth = authProcess(daemon.pid);
      Deno.kill(auth, "SIGSTOP");
      try {
        assertEquals(
          await ask(hurried, username, password),
          "authFailure backend-timeout",
        );
      } finally {
        Deno.kill(auth, "SIGCONT");
      }
      assertEquals(await ask(hurried, username, password), "authOk ok");
    });
    await t.step("a restart costs nothing once it is back", async () => {
      const { username, password } = ANN;
      await daemon[Symbol.asyncDispose]();
      assertEquals(
        await ask(overUnix, username, password),
        "authFailure backend-unreachable",
      );
      daemon = await dovecot.start();
      assertEquals(await ask(overUnix, username, password), "authOk ok");
      assertEquals(await ask(overTcp, username, password), "authOk ok");
    });
    await t.step("its users are the listener's", async () => {
      await using server = serveSmtp(
        { port: 0, provider: overUnix },
        () => {},
      );
      const port = server.addrs[0]?.port ?? 0;
      for (const login of LOGINS) {
        assertEquals(await tryLogin(port, login, "LOGIN"), "235 2.7.0");
      }
      const wrong = { ...ANN, password: "x" };
      assertEquals(await tryLogin(port, wrong), "535 5.7.8");
    });
  } finally {
    await daemon[Symbol.asyncDispose]();
  }
});

/** The process of a Dovecot that answers its clients. */
function authProcess(master: number): number {
  const { stdout } = new Deno.Command("ps", {
    args: ["-o", "pid=,args=", "--ppid", String(master)],
  }).outputSync();
  const line = new TextDecoder().decode(stdout).split("\n")
    .find((each) => each.trim().endsWith("dovecot/auth"));
  return Number(line?.trim().split(" ")[0]);
}

daemonTest(DOVECOT, "is asked about tokens", async ({ path }) => {
  await using issuer = serveHttp(({ body }) => {
    const token = new URLSearchParams(body).get("token") ?? "";
    if (token.startsWith("outage.")) return new Response("", { status: 500 });
    const active = token.startsWith("good.");
    const { username } = ANN;
    return Response.json({
      active,
      ...(active ? { username, scope: "mail" } : {}),
    });
  });
  await using dovecot = newDovecot(path, { introspectionUrl: issuer.url });
  await using _daemon = await dovecot.start();
  using provider = newDovecotAuthProvider({ path: dovecot.path });
  const cases = ["XOAUTH2", "OAUTHBEARER"].flatMap((mechanism) =>
    ["good", "bad", "outage"].map((word) => ({ mechanism, word }))
  );
  const answers = await Promise.all(cases.map(async ({ mechanism, word }) => {
    const result = await provider(newRequest({
      username: ANN.username,
      password: `${word}.${longToken(6144)}`,
      mechanism,
    }));
    return [mechanism, word, result];
  }));
  const yes = { decision: "authOk", user: ANN.username };
  // Of the two only XOAUTH2's error has the scope.
  const tokenError = {
    status: "invalid_token",
    openidConfiguration: "https://sso.example/.well-known/openid-configuration",
  };
  const withScope = { ...tokenError, scope: "mail" };
  const failure = { decision: "authFailure", reason: "backend-status" };
  assertEquals<unknown>(answers, [
    ["XOAUTH2", "good", yes],
    ["XOAUTH2", "bad", { decision: "authInvalid", tokenError: withScope }],
    ["XOAUTH2", "outage", failure],
    ["OAUTHBEARER", "good", yes],
    ["OAUTHBEARER", "bad", { decision: "authInvalid", tokenError }],
    ["OAUTHBEARER", "outage", failure],
  ]);
});
