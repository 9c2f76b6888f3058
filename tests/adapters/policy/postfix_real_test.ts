// Postfix in front: logins by the Dovecot adapter, what users may send by the
// policy adapter, in one process, as docs/postfix.md prints it.

import { serveDovecotAuth } from "../../../adapters/dovecot/server.ts";
import { servePostfixPolicy } from "../../../adapters/policy/server.ts";
import type { AuthServer } from "../../../adapters/socket_server.ts";
import { rememberRights } from "../../../auth/rights/remember_rights.ts";
import { newMemoryStore } from "../../../auth/state/memory_store.ts";
import type { Store } from "../../../auth/state/store.ts";
import type { Accepted, AuthProvider } from "../../../auth/types.ts";
import { assertEquals, assertMatch } from "../../support/assert.ts";
import { testCertificate } from "../../support/certificate.ts";
import { daemonTest, freePort } from "../../support/daemons.ts";
import { codeBlocks, placed } from "../../support/pages.ts";
import { newPostfix, POSTFIX, POSTFIX_USER } from "../../support/postfix.ts";
import { SmtpClient } from "../../../testing/client.ts";

/** Each step has a user of its own: nobody's count is another's. */
const USERS: Readonly<Record<string, Omit<Accepted, "decision">>> = {
  own: { user: "own@example.com", senders: ["own@example.com"] },
  two: { limits: { recipientsPerDay: 3 } },
  many: { limits: { messagesPerMinute: 3 } },
  once: { limits: { messagesPerMinute: 1 } },
  late: { limits: { recipientsPerDay: 2 } },
  page: { senders: ["page@example.com"], limits: { recipientsPerDay: 3 } },
};

const provider: AuthProvider = ({ username }) => {
  const rights = USERS[username];
  return rights ? { decision: "authOk", ...rights } : "authInvalid";
};

/** What Postfix needs to take a message, and to throw it away. */
const MAIN = [
  "default_transport = discard:",
  "header_checks = regexp:/etc/postfix/header_checks",
  "smtpd_relay_restrictions = permit_sasl_authenticated, reject",
  "smtpd_client_connection_count_limit = 0",
  "twice = $smtpauth_policy, $smtpauth_policy",
  "",
].join("\n");

const SERVICES = [
  "cleanup unix n - n - 0 cleanup",
  "qmgr unix n - n 300 1 qmgr",
  "discard unix - - n - - discard",
  "bounce unix - - n - 0 bounce",
  "defer unix - - n - 0 bounce",
  "trace unix - - n - 0 bounce",
  "",
].join("\n");

const AUTH = {
  smtpd_tls_auth_only: "no",
  smtpd_sasl_auth_enable: "yes",
  smtpd_sender_restrictions: "$smtpauth_policy",
};

const TO = ["bob@example.net"];

/** What became of a message. */
interface Sent {
  readonly status: string;
  readonly text: string;
}

/** Sends a message; gives the first reply that is no 2xx or 3xx, or the last. */
async function send(
  client: SmtpClient,
  sender: string,
  recipients: readonly string[] = TO,
  subject = "x",
): Promise<Sent> {
  const commands = [
    `MAIL FROM:<${sender}>`,
    ...recipients.map((each) => `RCPT TO:<${each}>`),
    "DATA",
    `Subject: ${subject}\r\n\r\nhello\r\n.`,
  ];
  for (const command of commands) {
    await client.send(command);
    const { status, lines } = await client.reply();
    const isTaken = Number(status.slice(0, 3)) < 400;
    if (isTaken && command !== commands.at(-1)) continue;
    // Postfix does not forget a message that it has refused at its end.
    if (!isTaken) await client.command("RSET", "250");
    return { status, text: lines.join(" ") };
  }
  throw new Error("nothing was sent");
}

daemonTest(
  POSTFIX,
  "asks what users may send, as docs/postfix.md says",
  async (program, t) => {
    const blocks = codeBlocks("docs/postfix.md", "ini");
    const blockWith = (text: string) =>
      blocks.find((block) => block.includes(text)) ?? "";
    const authMain = blockWith("smtpd_sasl_type = dovecot");
    const policyMain = blockWith("smtpauth_policy = ");
    const policyMaster = blockWith("=$smtpauth_policy");
    const { cert, key } = await testCertificate();
    const pagePort = freePort();
    await using postfix = newPostfix(program, {
      services: {
        plain: { ...AUTH, smtpd_end_of_data_restrictions: "$smtpauth_policy" },
        twice: { ...AUTH, smtpd_end_of_data_restrictions: "$twice" },
      },
      main: authMain + placed(policyMain, { "timeout=10s": "timeout=1s" }) +
        MAIN,
      master: SERVICES +
        placed(policyMaster, {
          "submission inet": `127.0.0.1:${pagePort} inet`,
        }),
      ports: { page: pagePort },
      files: {
        "fullchain.pem": cert,
        "privkey.pem": key,
        "header_checks": "/^Subject: refuse/ REJECT not today\n",
      },
    });
    const { queue, ports } = postfix;
    let memory = newMemoryStore();
    let delayMs = 0;
    const store: Store = {
      read: async (keys) => {
        await new Promise((resolve) => setTimeout(resolve, delayMs));
        return memory.read(keys);
      },
      update: (keys, change) => memory.update(keys, change),
    };
    const openPolicy = () =>
      servePostfixPolicy({
        path: `${queue}/private/policy`,
        group: POSTFIX_USER,
        store,
        storeTimeoutMs: 1000,
      });
    await using _auth = await serveDovecotAuth({
      path: `${queue}/private/smtpauth`,
      group: POSTFIX_USER,
      provider: rememberRights(provider, { store, storeTimeoutMs: 1000 }),
    });
    let policy: AuthServer = await openPolicy();
    await using _policy = {
      [Symbol.asyncDispose]: () => policy.shutdown(),
    };
    await postfix.start();
    const login = async (user: string, service = "plain") => {
      const client = await SmtpClient.greeted(ports[service] ?? 0);
      await client.login(user, "secret");
      return client;
    };

    await t.step("own sender, foreign sender, none", async () => {
      using client = await login("own");
      assertEquals((await send(client, "own@example.com")).status, "250 2.0.0");
      assertEquals(await send(client, "eve@example.com"), {
        status: "550 5.7.1",
        text: "<eve@example.com>: Sender address rejected: " +
          "<eve@example.com> is not one of your addresses",
      });
      assertEquals((await send(client, "")).status, "250 2.0.0");
    });

    await t.step(
      "two recipients are two; over the limit it is 451",
      async () => {
        using client = await login("two");
        const from = "two@example.com";
        const both = [...TO, "eve@example.net"];
        assertEquals((await send(client, from, both)).status, "250 2.0.0");
        const refused = await send(client, from, both);
        assertEquals(refused, {
          status: "451 4.7.1",
          text: "<END-OF-MESSAGE>: End-of-data rejected: " +
            "Limit of 3 recipients a day is reached, try again in 8 hours",
        });
        assertEquals((await send(client, from)).status, "250 2.0.0");
        assertEquals((await send(client, from)).status, "451 4.7.1");
      },
    );

    await t.step("each message of a connection counts", async () => {
      using client = await login("many");
      const statuses: string[] = [];
      for (let i = 0; i < 4; i++) {
        statuses.push((await send(client, "many@example.com")).status);
      }
      assertEquals(statuses, [
        "250 2.0.0",
        "250 2.0.0",
        "250 2.0.0",
        "451 4.7.1",
      ]);
    });

    await t.step(
      "a message that is asked about twice counts once",
      async () => {
        using client = await login("once", "twice");
        const from = "once@example.com";
        assertEquals((await send(client, from)).status, "250 2.0.0");
        assertEquals((await send(client, from)).status, "451 4.7.1");
      },
    );

    await t.step(
      "what Postfix refuses before counts nothing, after that it does",
      async () => {
        using client = await login("late");
        const from = "late@example.com";
        const nobody = await send(client, from, ["<>"]);
        assertMatch(nobody.status, /^5/);
        assertEquals(await send(client, from, TO, "refuse"), {
          status: "550 5.7.1",
          text: "not today",
        });
        assertEquals((await send(client, from)).status, "250 2.0.0");
        assertEquals((await send(client, from)).status, "451 4.7.1");
      },
    );

    await t.step("a slow store delays the answer, and no more", async () => {
      using client = await login("own");
      delayMs = 300;
      assertEquals((await send(client, "own@example.com")).status, "250 2.0.0");
      assertEquals((await send(client, "eve@example.com")).status, "550 5.7.1");
      delayMs = 0;
    });

    await t.step("a login that is forgotten is to be made again", async () => {
      using client = await login("own");
      memory = newMemoryStore();
      const { status, text } = await send(client, "own@example.com");
      assertEquals(status, "450 4.7.1");
      assertMatch(text, /Your login is not known here any more, log in again$/);
      using again = await login("own");
      assertEquals((await send(again, "own@example.com")).status, "250 2.0.0");
    });

    await t.step(
      "while our process is down it is 451, then all is well",
      async () => {
        using client = await login("own");
        await policy.shutdown();
        const { status, text } = await send(client, "own@example.com");
        assertEquals(status, "451 4.3.5");
        assertMatch(text, /Server configuration problem$/);
        policy = await openPolicy();
        assertEquals(
          (await send(client, "own@example.com")).status,
          "250 2.0.0",
        );
      },
    );

    await t.step(
      "where our process does not answer it is 451, then all is well",
      async () => {
        using client = await login("own");
        await policy.shutdown();
        const path = `${queue}/private/policy`;
        const silent = Deno.listen({ transport: "unix", path });
        Deno.chmodSync(path, 0o666);
        const asked: Deno.Conn[] = [];
        const accepting = (async () => {
          for await (const conn of silent) asked.push(conn);
        })();
        assertEquals(
          (await send(client, "own@example.com")).status,
          "451 4.3.5",
        );
        silent.close();
        await accepting;
        for (const conn of asked) conn.close();
        // Postfix asks twice before it gives up.
        assertEquals(asked.length, 2);
        policy = await openPolicy();
        assertEquals(
          (await send(client, "own@example.com")).status,
          "250 2.0.0",
        );
      },
    );

    await t.step("the service as printed", async () => {
      using client = await SmtpClient.greeted(pagePort);
      await client.command("STARTTLS", "220");
      await client.beginTls(cert);
      await client.command("EHLO client.example.net", "250");
      await client.send(
        "MAIL FROM:<page@example.com>",
        "RCPT TO:<bob@example.net>",
      );
      await client.expect("250", "554 5.7.1");
      await client.command("RSET", "250");
      await client.login("page", "secret");
      const from = "page@example.com";
      assertEquals((await send(client, "eve@example.com")).status, "550 5.7.1");
      assertEquals((await send(client, "")).status, "250 2.0.0");
      const both = [...TO, "eve@example.net"];
      assertEquals((await send(client, from, both)).status, "250 2.0.0");
      assertEquals((await send(client, from)).status, "451 4.7.1");
    });
  },
);
