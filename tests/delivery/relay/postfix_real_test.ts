// Postfix as the next hop.

import {
  assert,
  assertEquals,
  assertExists,
  assertMatch,
} from "../../support/assert.ts";
import { testCertificate } from "../../support/certificate.ts";
import { daemonTest } from "../../support/daemons.ts";
import { eventually } from "../../support/eventually.ts";
import { POSTFIX } from "../../support/postfix.ts";
import {
  HOP_PASSWORD,
  HOP_USER,
  type PostfixHop,
  startPostfixHop,
} from "../../support/postfix_hop.ts";
import { newTestRelay, send, type TestRelay } from "../../support/relay.ts";

Deno.test.sanitizer({ ops: true, resources: true });

/** Headers of a whole message, which Postfix adds nothing to. */
function headers(subject: string): string {
  return [
    "From: ann@example.org",
    "Date: Mon, 23 Nov 2026 18:05:09 +0000",
    "Message-Id: <1@example.org>",
    `Subject: ${subject}`,
    "\r\n",
  ].join("\r\n");
}

const TAKEN = ["250 2.1.5", "250 2.0.0"];

/** A relay that logs in by a service of Postfix. */
function relayTo(
  { submission, submissions, open }: PostfixHop,
  service: "smtp" | "starttls" | "smtps",
  ca: string,
  password: string | undefined = HOP_PASSWORD,
): TestRelay {
  const port =
    { smtp: open, starttls: submission, smtps: submissions }[service];
  return newTestRelay({
    url: `${service}://localhost:${port}`,
    ca,
    ...(service === "smtp" ? {} : { username: HOP_USER, password }),
  });
}

daemonTest(POSTFIX, "takes what a relay hands on", async (program, t) => {
  const certificate = await testCertificate();
  const { cert } = certificate;
  await using hop = await startPostfixHop(program, certificate);
  let count = 0;

  for (const service of ["smtp", "starttls", "smtps"] as const) {
    await t.step(
      `${service}: a message with dots, over one connection`,
      async () => {
        using relay = relayTo(hop, service, cert);
        for (const subject of ["one", "two"]) {
          const body = [
            headers(`${service} ${subject}`),
            ".\r\n..a\r\nb\r\n",
          ];
          assertEquals(await send(relay, { body }), TAKEN);
        }
        const texts = await hop.arrived(count += 2);
        const text = texts.find((each) => each.includes(`${service} two`)) ??
          "";
        assertMatch(
          text,
          /\nReceived: from laptop \(\[192\.0\.2\.7\]\)\n\tby relay\.example\.net with ESMTPSA id c1;\n\t.* \+0000\nFrom: .*\nDate: .*\nMessage-Id: .*\nSubject: \w+ two\n\n\.\n\.\.a\nb\n$/,
        );
        assertEquals(relay.events, []);
      },
    );
  }

  await t.step("the login is the relay's", () => {
    const logins = hop.log().matchAll(
      /sasl_method=(\w+), sasl_username=(\S+)/g,
    );
    assertEquals(
      [...logins].map(([, method, user]) => [method, user]),
      // One line for each message.
      Array(4).fill(["PLAIN", HOP_USER]),
    );
  });

  await t.step("a wrong password is 451 4.7.0", async () => {
    using relay = relayTo(hop, "starttls", cert, "wrong");
    assertEquals(await send(relay), ["451 4.7.0"]);
    assertEquals(relay.events.map(({ reason, detail }) => [reason, detail]), [
      ["relay-credentials", "535 5.7.8"],
    ]);
  });

  await t.step("each recipient gets its own reply", async () => {
    using relay = relayTo(hop, "smtp", cert);
    const recipients = [
      "bob@example.net",
      "nobody@example.net",
      "eve@example.com",
    ];
    assertEquals(
      await send(relay, { recipients }),
      ["250 2.1.5", "550 5.1.1", "554 5.7.1", "250 2.0.0"],
    );
    await hop.arrived(++count);
  });

  await t.step("a size that is too large is refused at MAIL", async () => {
    using relay = relayTo(hop, "smtp", cert);
    const parameters = { size: 30_000_001 };
    assertEquals(await send(relay, { mail: { parameters } }), ["552 5.3.4"]);
    assertEquals(await send(relay), TAKEN);
    await hop.arrived(++count);
  });

  await t.step(
    "a message that is too large is refused at its end",
    async () => {
      using relay = relayTo(hop, "smtp", cert);
      const line = `${"x".repeat(998)}\r\n`;
      const body = Array.from({ length: 480 }, () => line.repeat(64));
      assertEquals(await send(relay, { body }), ["250 2.1.5", "552 5.3.4"]);
    },
  );

  await t.step("8-bit and UTF-8 mail goes as it is", async () => {
    using relay = relayTo(hop, "smtp", cert);
    const parameters = { body: "8BITMIME", smtpUtf8: true } as const;
    assertEquals(
      await send(relay, {
        mail: { sender: "\u00e4@example.org", parameters },
        recipients: ["\u00fc@example.net"],
        body: [headers("gr\u00fc\u00dfe"), "\u00f6\r\n"],
      }),
      TAKEN,
    );
    const texts = await hop.arrived(++count);
    assert(texts.some((text) => text.includes("gr\u00fc\u00dfe\n\n\u00f6\n")));
  });

  await t.step("a message that breaks off never arrives", async () => {
    using relay = relayTo(hop, "starttls", cert);
    function* leaving(): Generator<string> {
      yield "Subject: half\r\n\r\n.\r\n";
      throw new Error("gone");
    }
    const sent = send(relay, { body: leaving() });
    assertEquals(await sent.catch((error: Error) => error.message), "gone");
    assertEquals(await send(relay), TAKEN);
    const texts = await hop.arrived(++count);
    assert(!texts.some((text) => text.includes("half")));
  });
});

daemonTest(
  POSTFIX,
  "loses nothing of 50 clients while it restarts",
  async (program) => {
    const certificate = await testCertificate();
    await using hop = await startPostfixHop(program, certificate);
    using relay = relayTo(hop, "smtp", certificate.cert);
    let failed = 0;
    let sent = 0;
    const restarted = Promise.withResolvers<void>();
    const client = async (name: number) => {
      for (let message = 0; message < 6; message++) {
        const id = `c${name}-${message}`;
        const body = [`Subject: ${id}\r\n\r\n`];
        for (;;) {
          const replies = await send(relay, { mail: { id }, body });
          const last = replies.at(-1) ?? "";
          if (++sent === 100) {
            hop.restart().then(restarted.resolve, restarted.reject);
          }
          if (last === "250 2.0.0") break;
          assertMatch(last, /^451 4\.4\.[12]$/);
          if (++failed > 10) await restarted.promise;
        }
      }
    };
    await Promise.all(Array.from({ length: 50 }, (_, name) => client(name)));
    await restarted.promise;
    const unknown = new Set(
      relay.events.filter(({ reason }) => reason === "relay-unknown")
        .map(({ id }) => id),
    );
    const ids = Array.from(
      { length: 50 },
      (_, name) =>
        Array.from({ length: 6 }, (_, message) => `c${name}-${message}`),
    ).flat();
    // Postfix delivers a little later what it has taken.
    const copies = await eventually("every message", async () => {
      const counts = countSubjects(await hop.arrived(ids.length));
      return ids.every((id) => counts.has(id)) && counts;
    });
    for (const [id, count] of copies) {
      assert(count === 1 || unknown.has(id), `${id}: ${count}`);
    }
    assert(failed > 0, "the restart was noticed");
  },
);

/**
 * How often Postfix has taken each message. What has one name in its queue was
 * taken once: a Postfix that is stopped between delivering a message and taking
 * it out of the queue delivers it again.
 */
function countSubjects(texts: readonly string[]): Map<string, number> {
  const names = new Map<string, Set<string>>();
  for (const text of texts) {
    const subject = /^Subject: (.*)$/m.exec(text)?.[1] ?? "";
    const queued = /\(Postfix\) with ESMTPS? id ([0-9A-Za-z]+)$/m.exec(text)
      ?.[1];
    assertExists(queued, text);
    names.set(subject, (names.get(subject) ?? new Set()).add(queued));
  }
  return new Map([...names].map(([subject, { size }]) => [subject, size]));
}
