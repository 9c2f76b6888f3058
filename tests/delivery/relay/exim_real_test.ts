// Exim as the next hop.

import { assertEquals, assertMatch } from "../../support/assert.ts";
import { testCertificate } from "../../support/certificate.ts";
import { daemonTest, freePort } from "../../support/daemons.ts";
import { eventually } from "../../support/eventually.ts";
import { EXIM, startExim } from "../../support/exim_daemon.ts";
import { newTestRelay, send } from "../../support/relay.ts";

Deno.test.sanitizer({ ops: true, resources: true });

const AUTHENTICATORS = [
  "login:",
  "  driver = plaintext",
  "  public_name = LOGIN",
  "  server_prompts = Username:: : Password::",
  "  server_condition = ${if and{{eq{$auth1}{ann}}{eq{$auth2}{secret}}}}",
  "  server_set_id = $auth1",
];

daemonTest(EXIM, "takes what a relay hands on", async ({ path }, t) => {
  const certificate = await testCertificate();
  const port = freePort();
  await using exim = await startExim(
    path,
    [port],
    AUTHENTICATORS,
    certificate,
    true,
  );
  const relayOf = (password: string) =>
    newTestRelay({
      url: `starttls://localhost:${port}`,
      ca: certificate.cert,
      username: "ann",
      password,
    });

  await t.step("by STARTTLS and LOGIN, over one connection", async () => {
    using relay = relayOf("secret");
    for (const subject of ["one", "two"]) {
      const body = [`Subject: ${subject}\r\n\r\n`, ".\r\n..a\r\nb\r\n"];
      const replies = await send(relay, { body });
      // It has no enhanced codes of its own.
      assertEquals(replies, ["250", "250"]);
    }
    const texts = await eventually(
      "two messages",
      () => exim.messages().length === 2 && exim.messages(),
    );
    const text = texts.find((each) => each.includes("Subject: two"));
    assertMatch(text ?? "", /\nReceived: from laptop \(\[192\.0\.2\.7\]\)\n/);
    assertMatch(text ?? "", /\n\n\.\n\.\.a\nb\n$/);
    assertMatch(exim.log(), /A=login:ann/);
    assertEquals(relay.events, []);
  });

  await t.step("with a reply for each recipient", async () => {
    using relay = relayOf("secret");
    const recipients = [
      "bob@example.net",
      "nobody@example.net",
      "eve@example.com",
    ];
    assertEquals(
      await send(relay, { recipients }),
      ["250", "550 5.1.1", "550 5.7.1", "250"],
    );
  });

  await t.step("but a wrong password is 451 4.7.0", async () => {
    using relay = relayOf("wrong");
    assertEquals(await send(relay), ["451 4.7.0"]);
    assertEquals(relay.events.map(({ reason, detail }) => [reason, detail]), [
      ["relay-credentials", "535"],
    ]);
  });
});
