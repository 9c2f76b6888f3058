import { DEFAULT_OFFER } from "../../auth/sasl/offer.ts";
import { OAUTHBEARER } from "../../auth/sasl/oauthbearer.ts";
import { PLAIN } from "../../auth/sasl/plain.ts";
import { XOAUTH2 } from "../../auth/sasl/xoauth2.ts";
import { newsOf } from "../support/events.ts";
import type { SmtpEvent } from "../../smtp/events.ts";
import { serveSmtp } from "../../smtp/listener.ts";
import { assert, assertEquals, assertThrows } from "../support/assert.ts";
import { base64 } from "../support/octets.ts";
import { decide } from "../support/decide.ts";
import { SessionClient } from "../support/session.ts";
import { SmtpClient } from "../../testing/client.ts";
import { TOKEN, token, WHY, WHY_NOT_NOW } from "../support/token_mechanism.ts";

const EHLO = "EHLO client.example.net\r\n";
const OFFER = [...DEFAULT_OFFER, TOKEN];
const RULES = { rules: { mechanisms: OFFER } };
const WRONG = `AUTH X-TOKEN ${token("ann", "wrong")}\r\n`;

function greeted(options = {}): SessionClient {
  const client = new SessionClient({ ...RULES, ...options });
  client.send(EHLO);
  return client;
}

/** The code and enhanced code of each line. */
function codes(output: string): string[] {
  return output.split("\r\n").slice(0, -1).map((line) => line.slice(0, 9));
}

Deno.test("Session offers the mechanisms of its rules, and takes no others", () => {
  const rows = [
    [OFFER, "250-AUTH PLAIN LOGIN X-TOKEN"],
    [[TOKEN, PLAIN], "250-AUTH X-TOKEN PLAIN"],
    [[TOKEN], "250-AUTH X-TOKEN"],
  ] as const;
  for (const [mechanisms, expected] of rows) {
    const client = new SessionClient({ rules: { mechanisms } });
    assertEquals(client.send(EHLO).split("\r\n").at(-3), expected);
    const login = client.send("AUTH LOGIN\r\n").slice(0, 9);
    assertEquals(login, mechanisms === OFFER ? "334 VXNlc" : "504 5.5.4");
  }
});

Deno.test("Session accepts by a mechanism of somebody's own, with and without an initial response", () => {
  const right = token("ann", "secret");
  for (const said of [`x-token ${right}`, `X-TOKEN\r\n${right}`]) {
    const client = greeted();
    assertEquals(codes(client.send(`AUTH ${said}\r\n`)).at(-1), "235 2.7.0");
    assertEquals(client.outcomes(), [
      { code: 235, reason: "ok", mechanism: "X-TOKEN", username: "ann" },
    ]);
  }
});

Deno.test("Session says why, reads one line, whatever it says, and refuses", () => {
  for (const line of ["", "AQ==", "not base64", "QUIT", "x".repeat(9_000)]) {
    for (const pieceSize of [Infinity, 1]) {
      const client = greeted();
      assertEquals(client.send(WRONG, pieceSize), `334 ${WHY}\r\n`);
      assertEquals(codes(client.send(`${line}\r\n`, pieceSize)), ["535 5.7.8"]);
      assertEquals(codes(client.send("NOOP\r\n")), ["250 2.0.0"]);
      assertEquals(client.outcomes(), [{
        code: 535,
        reason: "wrong-credentials",
        mechanism: "X-TOKEN",
        username: "ann",
      }]);
    }
  }
});

Deno.test("Session gives the words of the result to a client that was told why", () => {
  const client = greeted();
  client.send(`AUTH X-TOKEN ${token("closed", "x")}\r\n`);
  assertEquals(client.send("\r\n"), "535 5.7.8 Account closed, call 555\r\n");
});

Deno.test("Session cancels at an asterisk, and tells the refusal all the same", () => {
  const client = greeted();
  client.send(WRONG);
  assertEquals(codes(client.send("*\r\n")), ["501 5.7.0"]);
  assertEquals(client.outcomes().map(({ code }) => code), [535]);
});

Deno.test("Session ends the exchange at a line that is too long", () => {
  const client = greeted();
  client.send(WRONG);
  assertEquals(codes(client.send(`${"x".repeat(12_289)}\r\nNOOP\r\n`)), [
    "500 5.5.6",
    "250 2.0.0",
  ]);
  assertEquals(client.outcomes().map(({ code }) => code), [535]);
});

Deno.test("Session says why before a 454 too, if the mechanism wants it", () => {
  const decision = { decision: "authFailure" } as const;
  const client = greeted({ decide: () => decision });
  assertEquals(codes(client.send(WRONG)), ["454 4.7.0"]);
  const told = client.send(`AUTH X-TOKEN ${token("told", "x")}\r\n`);
  assertEquals(told, `334 ${WHY_NOT_NOW}\r\n`);
  assertEquals(codes(client.send("\r\n")), ["454 4.7.0"]);
  assertEquals(client.outcomes().map(({ code }) => code), [454, 454]);
});

Deno.test("Session counts such a 535 like others, and a throttled 454", () => {
  const failures = greeted();
  for (let i = 0; i < 2; i++) failures.send(`${WRONG}\r\n`);
  assertEquals(codes(failures.send(`${WRONG}\r\n`)).slice(1), [
    "535 5.7.8",
    "421 4.7.0",
  ]);
  const throttled = greeted({
    decide: () => ({ decision: "authFailure", reason: "throttled-pair" }),
  });
  const told = `AUTH X-TOKEN ${token("told", "x")}\r\n\r\n`;
  throttled.send(told.repeat(19));
  assertEquals(throttled.closed, false);
  assertEquals(codes(throttled.send(told)).slice(1), [
    "454 4.7.0",
    "421 4.7.0",
  ]);
});

Deno.test("Session has told the decision where the client leaves, or the listener stops", () => {
  const left = greeted();
  left.send(WRONG);
  assertEquals(left.outcomes().length, 1);
  assertEquals(left.session.abandoned(), undefined);

  const stopped = greeted();
  stopped.send(WRONG);
  stopped.session.stop();
  assertEquals(codes(stopped.run()), ["421 4.3.2"]);
  assertEquals(stopped.session.abandoned(), undefined);
  assertEquals(stopped.outcomes().length, 1);
});

Deno.test("Session keeps what is pipelined behind the line that is read", () => {
  const client = greeted();
  const output = client.send(
    `${WRONG}\r\nAUTH X-TOKEN ${token("ann", "secret")}\r\nNOOP\r\n`,
  );
  assertEquals(codes(output).slice(1), [
    "535 5.7.8",
    "235 2.7.0",
    "250 2.0.0",
  ]);
});

Deno.test("serveSmtp() takes mechanisms as an option, and tells one event for each AUTH", async () => {
  const events: SmtpEvent[] = [];
  await using server = serveSmtp({
    port: 0,
    provider: decide,
    mechanisms: OFFER,
    onEvent: (event) => events.push(event),
  }, () => {});
  using client = await SmtpClient.open(server.addrs[0]?.port ?? 0);
  await client.expect("220");
  const { lines } = await client.command("EHLO client", "250");
  assert(lines.includes("AUTH PLAIN LOGIN X-TOKEN"));
  await client.command(WRONG.trimEnd(), "334");
  await client.command("AQ==", "535");
  await client.command(`AUTH X-TOKEN ${token("ann", "secret")}`, "235");
  assertEquals(
    newsOf(events).map((event) =>
      event.kind === "auth" && [event.outcome, event.code, event.mechanism]
    ),
    [["invalid", 535, "X-TOKEN"], ["ok", 235, "X-TOKEN"]],
  );
});

Deno.test("serveSmtp() takes mechanisms by name, together with one's own", async () => {
  await using server = serveSmtp({
    port: 0,
    provider: decide,
    mechanisms: ["OAUTHBEARER", TOKEN, "PLAIN", XOAUTH2],
  }, () => {});
  using client = await SmtpClient.open(server.addrs[0]?.port ?? 0);
  await client.expect("220");
  const { lines } = await client.command("EHLO client", "250");
  assert(lines.includes("AUTH OAUTHBEARER X-TOKEN PLAIN XOAUTH2"));
  await client.command("AUTH LOGIN", "504");
  const message = base64("n,,\x01auth=Bearer secret\x01\x01");
  await client.command(`AUTH OAUTHBEARER ${message}`, "235");
});

Deno.test("Session names a user whom only the token names, and no other", () => {
  const outcome = { mechanism: "OAUTHBEARER" };
  const rows = [
    ["secret", "", { code: 235, reason: "ok", username: "ann" }],
    ["wrong", "AQ==\r\n", { code: 535, reason: "wrong-credentials" }],
  ] as const;
  for (const [secret, answer, end] of rows) {
    const client = greeted({ rules: { mechanisms: [OAUTHBEARER] } });
    const message = base64(`n,,\x01auth=Bearer ${secret}\x01\x01`);
    client.send(`AUTH OAUTHBEARER ${message}\r\n${answer}`);
    assertEquals(client.outcomes(), [{ ...outcome, ...end }]);
  }
});

Deno.test("serveSmtp() lets nobody in without a name: where neither client nor provider has one, 454", async () => {
  const events: SmtpEvent[] = [];
  await using server = serveSmtp({
    port: 0,
    provider: () => "authOk",
    mechanisms: [OAUTHBEARER],
    onEvent: (event) => events.push(event),
  }, () => {});
  using client = await SmtpClient.open(server.addrs[0]?.port ?? 0);
  await client.expect("220");
  await client.command("EHLO client", "250");
  const message = base64("n,,\x01auth=Bearer secret\x01\x01");
  await client.command(`AUTH OAUTHBEARER ${message}`, "454 4.7.0");
  assertEquals(
    newsOf(events).map((event) =>
      event.kind === "auth" && [event.outcome, event.reason, event.detail]
    ),
    [["failure", "provider-nonsense", "user"]],
  );
});

Deno.test("serveSmtp() refuses mechanisms that are none", () => {
  const { respond: _, ...half } = PLAIN;
  const rows: readonly unknown[] = [
    [],
    "PLAIN",
    ["CRAM-MD5"],
    [""],
    [PLAIN, PLAIN],
    [PLAIN, "PLAIN"],
    ["XOAUTH2", "xoauth2"],
    [half],
    [{ ...PLAIN, name: "plain" }],
    [{ ...PLAIN, name: "A B" }],
    [null],
  ];
  for (const mechanisms of rows) {
    const options = { port: 0, provider: decide, mechanisms };
    assertThrows(
      () => Reflect.apply(serveSmtp, undefined, [options, () => {}]),
      TypeError,
      "Cannot serve SMTP: mechanisms must be a list of PLAIN, LOGIN, XOAUTH2, OAUTHBEARER or mechanisms of your own, each once: got ",
    );
  }
});
