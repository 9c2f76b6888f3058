// nodemailer's smtp-server as the next hop, with XOAUTH2.

import { assert, assertEquals, assertMatch } from "../../support/assert.ts";
import { testCertificate } from "../../support/certificate.ts";
import { eventually } from "../../support/eventually.ts";
import { newTestRelay, send } from "../../support/relay.ts";
import { getSmtpServer } from "../../support/smtp_server_package.ts";

Deno.test.sanitizer({ ops: true, resources: true });

const installed = getSmtpServer();
if (installed === undefined) {
  console.warn("The tests with smtp-server are skipped: npm is out of reach");
}
addEventListener("unload", () => installed?.[Symbol.dispose]());

Deno.test({
  name: "smtp-server takes what a relay hands on",
  ignore: installed === undefined,
  fn: async (t) => {
    if (installed === undefined) return;
    const certificate = await testCertificate();
    await using hop = await installed.startHop(certificate);
    const relayWith = (token: string) =>
      newTestRelay({
        url: `starttls://localhost:${hop.port}`,
        ca: certificate.cert,
        username: "relay@example.org",
        oauth: {
          tokenUrl: "https://login.example.com/token",
          clientId: "id",
          clientSecret: "canary",
        },
        fetch: () => Promise.resolve(Response.json({ access_token: token })),
      });

    await t.step("by STARTTLS and XOAUTH2, over one connection", async () => {
      using relay = relayWith("t1");
      for (let times = 0; times < 2; times++) {
        const recipients = ["bob@example.net", "nobody@example.net"];
        const body = ["Subject: x\r\n\r\n", ".\r\n..a\r\nb\r\n"];
        assertEquals(
          await send(relay, { recipients, body }),
          ["250", "550", "250"],
        );
      }
      const [first] = await eventually("two messages", () => {
        const lines = hop.output().trim().split("\n");
        return lines.length === 2 && lines.map((line) => JSON.parse(line));
      });
      assertEquals(first.user, "relay@example.org");
      assertEquals(first.from, "ann@example.org");
      assertEquals(first.to, ["bob@example.net"]);
      assertMatch(first.message, /^Received: from laptop/);
      assert(first.message.endsWith("Subject: x\r\n\r\n.\r\n..a\r\nb\r\n"));
      assertEquals(relay.events, []);
    });

    await t.step("but a wrong token is 451 4.7.0", async () => {
      using relay = relayWith("t2");
      assertEquals(await send(relay), ["451 4.7.0"]);
      assertEquals(relay.events.map(({ reason, detail }) => [reason, detail]), [
        ["relay-credentials", "535"],
      ]);
    });
  },
});
