// The Dovecot provider and tokens, against servers that say what they are told to.

import { newDovecotAuthProvider } from "../../../adapters/dovecot/provider.ts";
import { startSasl } from "../../../auth/sasl/sasl.ts";
import { assertEquals, assertObjectMatch } from "../../support/assert.ts";
import { newRequest } from "../../support/auth_request.ts";
import { HANDSHAKE, newFakeDovecot } from "../../support/fake_dovecot.ts";
import { base64 } from "../../support/octets.ts";

Deno.test.sanitizer({ ops: true, resources: true });

const TOKEN_HANDSHAKE = HANDSHAKE.replace(
  "MECH\tLOGIN\n",
  "MECH\tXOAUTH2\tplaintext\nMECH\tOAUTHBEARER\tplaintext\n",
);

Deno.test("newDovecotAuthProvider() asks about tokens by their own mechanisms", async () => {
  const asked: string[] = [];
  await using server = newFakeDovecot(async (connection) => {
    await connection.say(TOKEN_HANDSHAKE);
    for (;;) {
      const line = await connection.line();
      const [command, id, mechanism] = line.split("\t");
      if (command !== "AUTH") continue;
      asked.push(`${mechanism} ${atob(line.split("resp=")[1] ?? "")}`);
      await connection.say(`OK\t${id}\tuser=ann\n`);
    }
  });
  using provider = newDovecotAuthProvider({ port: server.port });
  const rows = [
    ["XOAUTH2", "ann", "user=ann\x01auth=Bearer tok=\x01\x01"],
    ["OAUTHBEARER", "a,n=n", "n,a=a=2Cn=3Dn,\x01auth=Bearer tok=\x01\x01"],
    ["OAUTHBEARER", "", "n,,\x01auth=Bearer tok=\x01\x01"],
  ] as const;
  for (const [mechanism, username, message] of rows) {
    const request = newRequest({ mechanism, username, password: "tok=" });
    assertEquals(await provider(request), { decision: "authOk", user: "ann" });
    assertEquals(asked.pop(), `${mechanism} ${message}`);
    // Ours reads what the client side writes.
    const step = startSasl(mechanism, base64(message));
    assertObjectMatch(step, { username, password: "tok=" });
  }
});

Deno.test("newDovecotAuthProvider() reads why Dovecot refuses a token, and answers before the end", async () => {
  const whole = {
    status: "invalid_token",
    scope: "mail",
    "openid-configuration": "https://sso.example/x",
  };
  const { "openid-configuration": openidConfiguration, ...tokenError } = whole;
  const rows = [
    ["OAUTHBEARER", whole, { ...tokenError, openidConfiguration }, "AQ=="],
    ["OAUTHBEARER", { ...whole, scope: "", "openid-configuration": "" }, {
      status: "invalid_token",
    }, "AQ=="],
    ["XOAUTH2", { status: "401", schemes: "bearer", scope: "mail" }, {
      status: "invalid_token",
      scope: "mail",
    }, ""],
    ["XOAUTH2", { status: "403" }, { status: "insufficient_scope" }, ""],
    ["XOAUTH2", { status: "400" }, { status: "invalid_request" }, ""],
    ["XOAUTH2", { error: "no" }, undefined, ""],
    ["XOAUTH2", [], undefined, ""],
    ["XOAUTH2", null, undefined, ""],
  ] as const;
  for (const [mechanism, said, expected, dummy] of rows) {
    let answered = "";
    await using server = newFakeDovecot(async (connection) => {
      await connection.say(TOKEN_HANDSHAKE);
      await connection.line();
      await connection.line();
      const [, id] = (await connection.line()).split("\t");
      await connection.say(`CONT\t${id}\t${base64(JSON.stringify(said))}\n`);
      answered = await connection.line();
      await connection.say(`FAIL\t${id}\tuser=ann\n`);
      await connection.line();
    });
    using provider = newDovecotAuthProvider({ port: server.port });
    const request = newRequest({ mechanism, password: "tok" });
    assertEquals<unknown>(await provider(request), {
      decision: "authInvalid",
      ...(expected === undefined ? {} : { tokenError: expected }),
    });
    assertEquals(answered, `CONT\t1\t${dummy}`);
  }
});

Deno.test("newDovecotAuthProvider() takes no outage for a bad token, and no missing mechanism", async () => {
  const rows = [
    [HANDSHAKE, "", { reason: "backend-answer", detail: "mechanism" }],
    [TOKEN_HANDSHAKE, "FAIL\t1\ttemp\n", { reason: "backend-status" }],
    [TOKEN_HANDSHAKE, "CONT\t1\t\nFAIL\t1\tcode=temp_fail\n", {
      reason: "backend-status",
    }],
    [TOKEN_HANDSHAKE, "CONT\t1\t\nCONT\t1\t\n", {
      reason: "backend-answer",
    }],
  ] as const;
  for (const [handshake, answer, cause] of rows) {
    await using server = newFakeDovecot(async (connection) => {
      await connection.say(handshake);
      await connection.line();
      await connection.line();
      await connection.line();
      await connection.say(answer);
      for (;;) await connection.line();
    });
    using provider = newDovecotAuthProvider({ port: server.port });
    const request = newRequest({ mechanism: "OAUTHBEARER", password: "tok" });
    assertEquals<unknown>(await provider(request), {
      decision: "authFailure",
      ...cause,
    });
  }
});
