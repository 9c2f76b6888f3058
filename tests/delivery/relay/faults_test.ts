import { testCertificate } from "../../support/certificate.ts";
import { newTestCertificate } from "../../support/tls_certificate.ts";
import { assert, assertEquals, assertMatch } from "../../support/assert.ts";
import { eventually } from "../../support/eventually.ts";
import { newManualDeadlines } from "../../support/manual_deadlines.ts";
import { holdRefusedPort } from "../../support/raw_end.ts";
import { newTestRelay, send } from "../../support/relay.ts";
import { type HopStep, serveHop } from "../../support/scripted_hop.ts";

Deno.test.sanitizer({ ops: true, resources: true });

/**
 * What a client reads if the next hop fails at a step: the replies before, that
 * when the connection breaks, and how long is waited for the next hop.
 */
const STEPS = [
  ["greeting", "220 hop\r\n", [], "relay-unreachable", 300_000],
  ["EHLO", "250-hop\r\n250 PIPELINING\r\n", [], "relay-unreachable", 300_000],
  ["MAIL", "250 2.1.0 ok\r\n", [], "relay-closed", 300_000],
  ["RCPT", "250 2.1.5 ok\r\n", [], "relay-closed", 300_000],
  ["DATA", "354 go\r\n", ["250 2.1.5"], "relay-closed", 120_000],
  [".", "250 2.0.0 ok\r\n", ["250 2.1.5"], "relay-unknown", 600_000],
] as const satisfies readonly (readonly [
  HopStep,
  string,
  readonly string[],
  string,
  number,
])[];

const LAST = {
  "relay-unreachable": "451 4.4.1",
  "relay-closed": "451 4.4.2",
  "relay-unknown": "451 4.4.2",
} as const;

/** Sends a message through a next hop; tells replies and reasons. */
async function sendThrough(
  script: Parameters<typeof serveHop>[0],
): Promise<{ replies: string[]; reasons: string[]; dots: number }> {
  await using hop = serveHop(script);
  using relay = newTestRelay({ url: `smtp://127.0.0.1:${hop.port}` });
  const replies = await send(relay);
  relay.close();
  await hop.idle();
  return {
    replies,
    reasons: relay.events.map(({ reason }) => reason),
    dots: hop.lines().filter((line) => line === ".").length,
  };
}

for (const [step, reply, before, reason, waitMs] of STEPS) {
  Deno.test(`newRelay() answers 451 when the next hop closes at ${step}, at every octet of its reply`, async () => {
    for (let octets = 0; octets < reply.length; octets++) {
      const say = reply.slice(0, octets);
      for (const then of ["close", "reset"] as const) {
        // A reset needs something that was not read.
        if (then === "reset" && step !== "MAIL") continue;
        const script = { [step]: { say, then: "close" } } as const;
        assertEquals(
          await sendThrough({ script }),
          {
            replies: [...before, LAST[reason]],
            reasons: [reason],
            dots: step === "." ? 1 : 0,
          },
          `${octets} octets`,
        );
      }
    }
  });

  Deno.test(`newRelay() answers 451 4.4.1 when the next hop says 421 at ${step}`, async () => {
    const say = "421 4.3.2 going down\r\n";
    for (const answer of [say, { say, then: "close" }] as const) {
      const sent = await sendThrough({ script: { [step]: answer } });
      assertEquals(sent, {
        replies: [...before, "451 4.4.1"],
        reasons: ["relay-unreachable"],
        dots: step === "." ? 1 : 0,
      });
    }
  });

  Deno.test(`newRelay() answers 451 4.4.2 when the next hop hangs at ${step}`, async () => {
    await using hop = serveHop({ script: { [step]: { then: "hang" } } });
    const deadlines = newManualDeadlines();
    using relay = newTestRelay(
      { url: `smtp://127.0.0.1:${hop.port}` },
      deadlines,
    );
    const reached = hop.reached(step);
    const sending = send(relay);
    await reached;
    await deadlines.isRunning(waitMs);
    deadlines.expire();
    assertEquals(await sending, [...before, "451 4.4.2"]);
    assertEquals(
      relay.events.map(({ reason, detail }) => [reason, detail]),
      [[step === "." ? reason : "relay-timeout", "no reply in time"]],
    );
    await hop.idle();
  });

  Deno.test(`newRelay() answers 451 4.4.2 when the next hop says no SMTP at ${step}`, async () => {
    const { replies, reasons } = await sendThrough({
      script: { [step]: "250 ok\n" },
    });
    assertEquals(replies, [...before, "451 4.4.2"]);
    assertEquals(reasons, [step === "." ? reason : "relay-protocol"]);
  });
}

Deno.test("newRelay() tells of one failure once", async () => {
  await using hop = serveHop({ script: { RCPT: { then: "close" } } });
  using relay = newTestRelay({ url: `smtp://127.0.0.1:${hop.port}` });
  const recipients = ["a@example.net", "b@example.net", "c@example.net"];
  assertEquals(
    await send(relay, { recipients }),
    recipients.map(() => "451 4.4.2"),
  );
  assertEquals(relay.events, [{
    kind: "relay",
    reason: "relay-closed",
    detail: "closed by the next hop",
    hop: `127.0.0.1:${hop.port}`,
    id: "c1",
  }]);
});

Deno.test("newRelay() answers 451 4.4.1 where nobody listens", async () => {
  using refused = await holdRefusedPort();
  using relay = newTestRelay({ url: `smtp://${refused.host}` });
  assertEquals(await send(relay), ["451 4.4.1"]);
  assertEquals(relay.events.map(({ reason, detail }) => [reason, detail]), [
    ["relay-unreachable", "refused"],
  ]);
});

Deno.test("newRelay() answers 451 4.4.1 where the name is not known", async () => {
  using relay = newTestRelay({ url: "smtp://nobody.invalid" });
  assertEquals(await send(relay), ["451 4.4.1"]);
  assertEquals(relay.events.map(({ reason, detail }) => [reason, detail]), [
    ["relay-unreachable", "name not found"],
  ]);
});

Deno.test("newRelay() answers 451 4.4.1 where TLS is not good", async () => {
  const certificate = await testCertificate();
  const { cert: stranger } = await newTestCertificate();
  const ca = certificate.cert;
  for (
    const [url, implicitTls, options, detail] of [
      ["smtps://localhost", true, { ca: stranger }, "certificate not trusted"],
      ["smtps://localhost", true, {}, "certificate not trusted"],
      ["smtps://127.0.0.2", true, { ca }, "certificate for another name"],
      ["smtps://localhost", false, { ca }, "TLS error"],
      ["starttls://localhost", false, {}, "certificate not trusted"],
      ["starttls://127.0.0.2", false, { ca }, "certificate for another name"],
      ["smtp://localhost", false, { ca: stranger }, "certificate not trusted"],
    ] as const
  ) {
    const hostname = new URL(url).hostname.replace("localhost", "127.0.0.1");
    await using hop = serveHop({ certificate, implicitTls, hostname });
    using relay = newTestRelay({
      url: `${url}:${hop.port}`,
      username: "ann",
      password: "secret",
      ...options,
    });
    assertEquals(await send(relay), ["451 4.4.1"], url);
    assertEquals(
      relay.events.map(({ reason, detail }) => [reason, detail]),
      [["relay-tls", detail]],
      url,
    );
    const said = hop.packets().join();
    assert(!said.includes("AUTH") && !said.includes("MAIL"), said);
    await hop.idle();
  }
});

Deno.test("newRelay() answers 451 4.4.1 where STARTTLS is not offered, or not meant", async () => {
  const certificate = await testCertificate();
  await using without = serveHop();
  await using broken = serveHop({
    certificate,
    script: { STARTTLS: "454 4.7.0 no\r\n" },
  });
  for (
    const url of [
      `starttls://localhost:${without.port}`,
      `starttls://localhost:${broken.port}`,
      `smtp://localhost:${broken.port}`,
    ]
  ) {
    using relay = newTestRelay({ url });
    assertEquals(await send(relay), ["451 4.4.1"], url);
    assertEquals(relay.events.map(({ reason }) => reason), ["relay-tls"], url);
  }
  assertEquals(without.lines(), ["EHLO relay.example.net"]);
});

Deno.test("newRelay() waits 30 s for a connection's TLS, and lets go of the socket", async () => {
  await using hop = serveHop({ script: { greeting: { then: "hang" } } });
  const deadlines = newManualDeadlines();
  using relay = newTestRelay(
    { url: `smtps://localhost:${hop.port}` },
    deadlines,
  );
  const sending = send(relay);
  await eventually("the ClientHello", () => hop.packets().length > 0);
  await deadlines.isRunning(30_000);
  deadlines.expire();
  assertEquals(await sending, ["451 4.4.1"]);
  assertEquals(relay.events.map(({ reason, detail }) => [reason, detail]), [
    ["relay-tls", "no TLS handshake in time"],
  ]);
  await hop.idle();
});

Deno.test("newRelay() throws away what came in plain text behind the reply to STARTTLS", async () => {
  const certificate = await testCertificate();
  const injected =
    "250-hop\r\n250 AUTH LOGIN\r\n235 in\r\n250 ok\r\n250 ok\r\n";
  await using hop = serveHop({
    certificate,
    script: { STARTTLS: `220 go\r\n${injected}` },
  });
  using relay = newTestRelay({
    url: `starttls://localhost:${hop.port}`,
    ca: certificate.cert,
  });
  assertEquals(await send(relay), ["250 2.1.5", "250 2.0.0"]);
  assertEquals(hop.lines(), [
    "EHLO relay.example.net",
    "STARTTLS",
    "EHLO relay.example.net",
    "MAIL FROM:<ann@example.org>",
    "RCPT TO:<bob@example.net>",
    "DATA",
    ".",
  ]);
});

Deno.test("newRelay() takes no reply that was there before its command", async () => {
  for (
    const [step, say] of [
      ["greeting", "220 hop\r\n250 ok\r\n"],
      ["EHLO", "250 hop\r\n250 ok\r\n"],
      ["MAIL", "250 ok\r\n250 ok\r\n"],
      ["RCPT", "250 ok\r\n354 go\r\n"],
      ["DATA", "354 go\r\n250 ok\r\n"],
    ] as const
  ) {
    const { replies, reasons, dots } = await sendThrough({
      script: { [step]: say },
    });
    assertEquals(replies.at(-1), "451 4.4.2", step);
    assertEquals(reasons, ["relay-protocol"], step);
    assertEquals(dots, 0, step);
  }
});

Deno.test("newRelay() answers 451 4.7.0 and tells the log when its own login is refused", async () => {
  for (
    const [script, detail] of [
      [{ AUTH: "535 5.7.8 canary is wrong\r\n" }, "535 5.7.8"],
      [{ AUTH: "454 4.7.0 canary\r\n" }, "454 4.7.0"],
      [{ AUTH: "504 canary\r\n" }, "504"],
      [{ MAIL: "530 5.7.0 log in\r\n" }, "530 5.7.0 log in"],
    ] as const
  ) {
    await using hop = serveHop({ script, extensions: ["AUTH PLAIN"] });
    using relay = newTestRelay({
      url: `smtp://127.0.0.1:${hop.port}`,
      username: "ann",
      password: "canary",
    });
    assertEquals(await send(relay), ["451 4.7.0"], detail);
    assertEquals(relay.events.map(({ reason, detail }) => [reason, detail]), [
      ["relay-credentials", detail],
    ]);
    await hop.idle();
  }
});

Deno.test("newRelay() gives one of three recipients its refusal, and the others the message", async () => {
  await using hop = serveHop({
    script: {
      RCPT: (line) =>
        line.includes("<b@") ? "550 5.1.1 no\r\n" : "250 2.1.5 ok\r\n",
    },
  });
  using relay = newTestRelay({ url: `smtp://127.0.0.1:${hop.port}` });
  const recipients = ["a@example.net", "b@example.net", "c@example.net"];
  assertEquals(
    await send(relay, { recipients }),
    ["250 2.1.5", "550 5.1.1", "250 2.1.5", "250 2.0.0"],
  );
});

Deno.test("newRelay() hands on a refusal in the middle of a message, and no success", async () => {
  // More than any socket takes in: without a reader it would never end.
  function* endless(): Generator<string> {
    const line = "x".repeat(998) + "\r\n";
    for (let i = 0; i < 100_000; i++) yield line.repeat(64);
  }
  const rows = [
    ["552 5.3.4 too large\r\n", "552 5.3.4", []],
    ["451 4.3.1 full\r\n", "451 4.3.1", []],
    ["421 4.3.2 going\r\n", "451 4.4.1", ["relay-unreachable"]],
    ["250 2.0.0 got it\r\n", "451 4.4.2", ["relay-protocol"]],
  ] as const;
  for (const then of ["deaf", "close", "hang"] as const) {
    await Promise.all(rows.map(async ([say, reply, reasons]) => {
      await using hop = serveHop({ script: { body: { say, then } } });
      using relay = newTestRelay({ url: `smtp://127.0.0.1:${hop.port}` });
      const replies = await send(relay, { body: endless() });
      assertEquals(replies, ["250 2.1.5", reply], say);
      assertEquals(relay.events.map(({ reason }) => reason), [...reasons], say);
      assert(!hop.lines().includes("."), say);
    }));
  }
});

Deno.test("newRelay() waits with the client for a next hop that does not read, for 180 s", async () => {
  await using hop = serveHop({ script: { body: { then: "deaf" } } });
  const deadlines = newManualDeadlines();
  using relay = newTestRelay(
    { url: `smtp://127.0.0.1:${hop.port}` },
    deadlines,
  );
  let pieces = 0;
  function* endless(): Generator<string> {
    for (const piece = "x".repeat(65_536);; pieces++) yield piece;
  }
  const sending = send(relay, { body: endless() });
  let seen = -1;
  // Nothing tells that nothing happens: what the sockets hold is full.
  await eventually("the sockets are full", async () => {
    if (pieces > 0 && pieces === seen) return true;
    seen = pieces;
    await new Promise((resolve) => setTimeout(resolve, 100));
  });
  assert(pieces * 65_536 < 32 * 1024 * 1024, `${pieces} pieces`);
  await deadlines.isRunning(180_000);
  deadlines.expire();
  assertEquals(await sending, ["250 2.1.5", "451 4.4.2"]);
  assertEquals(relay.events.map(({ reason }) => reason), ["relay-timeout"]);
});

Deno.test("newRelay() loses nothing, and doubles nothing untold, when the next hop restarts under 50 clients", async () => {
  let taken = 0;
  await using hop = serveHop({
    script: {
      ".": () => {
        if (++taken % 60 > 0) return "250 2.0.0 taken\r\n";
        queueMicrotask(hop.drop);
        return { say: "250 2.0.0 ta", then: "close" };
      },
    },
  });
  using relay = newTestRelay({ url: `smtp://127.0.0.1:${hop.port}` });
  let failed = 0;
  const client = async (name: number) => {
    for (let message = 0; message < 10; message++) {
      const id = `c${name}-${message}`;
      for (;;) {
        const replies = await send(relay, {
          mail: { id },
          body: [`${id}\r\n`],
        });
        const last = replies.at(-1) ?? "";
        if (last === "250 2.0.0") break;
        assertMatch(last, /^451 4\.4\.[12]$/);
        failed++;
      }
    }
  };
  await Promise.all(Array.from({ length: 50 }, (_, name) => client(name)));
  const unknown = new Set(
    relay.events.filter(({ reason }) => reason === "relay-unknown")
      .map(({ id }) => id),
  );
  for (let name = 0; name < 50; name++) {
    for (let message = 0; message < 10; message++) {
      const id = `c${name}-${message}`;
      const copies = hop.messages().filter((text) =>
        text.endsWith(`\r\n${id}\r\n`)
      ).length;
      assert(copies === 1 || copies > 1 && unknown.has(id), `${id}: ${copies}`);
    }
  }
  assert(failed > 0, "the restarts were noticed");
});
