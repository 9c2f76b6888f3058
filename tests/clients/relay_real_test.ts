// Real clients in front of the command, a real Postfix behind it: what
// docs/relay.md prints, with the addresses of the tests.

import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { testCertificate } from "../support/certificate.ts";
import { daemonTest } from "../support/daemons.ts";
import {
  type Listener,
  type ListenerOptions,
  PASSWORD,
  startListener,
  temporaryFolder,
  USER,
} from "../support/listener.ts";
import { codeBlocks } from "../support/pages.ts";
import { POSTFIX } from "../support/postfix.ts";
import {
  HOP_PASSWORD,
  HOP_USER,
  type PostfixHop,
  startPostfixHop,
} from "../support/postfix_hop.ts";
import { findProgram, run } from "./support.ts";

Deno.test.sanitizer({ ops: true, resources: true });

const MESSAGE = [
  "From: ann@example.org",
  "Date: Mon, 23 Nov 2026 18:05:09 +0000",
  "Message-Id: <1@example.org>",
  "Subject: x",
  "",
  ".a dot in front",
  "the end",
  "",
].join("\r\n");

/** Starts the command in front of Postfix, as docs/relay.md does. */
function startInFront(
  hop: PostfixHop,
  ca: string,
  env: ListenerOptions["env"] = {},
): Promise<Listener> {
  const [page = ""] = codeBlocks("docs/relay.md", "sh");
  const flags = page.match(/--relay(?= starttls:)/g) ?? [];
  assertEquals(flags, ["--relay"]);
  return startListener({
    args: ["--relay", `starttls://localhost:${hop.submission}`],
    env: {
      MEOWMAIL_SMTP_RELAY_USER: HOP_USER,
      MEOWMAIL_SMTP_RELAY_PASS: HOP_PASSWORD,
      MEOWMAIL_SMTP_RELAY_CA: ca,
      ...env,
    },
    maildir: null,
  });
}

daemonTest(
  POSTFIX,
  "gets what swaks and curl hand to --relay",
  async (program, t) => {
    await using cleanUp = new AsyncDisposableStack();
    const folder = temporaryFolder(cleanUp);
    const certificate = await testCertificate();
    const ca = `${folder}/ca.pem`;
    Deno.writeTextFileSync(ca, certificate.cert);
    Deno.writeTextFileSync(`${folder}/message`, MESSAGE);
    await using hop = await startPostfixHop(program, certificate);
    await using listener = await startInFront(hop, ca);
    const swaks = (...args: string[]) =>
      run(findProgram("swaks") ?? "swaks", {
        args: [
          ...["--server", "127.0.0.1", "--port", String(listener.port)],
          ...["--from", USER, "--data", `@${folder}/message`],
          ...["--auth", "PLAIN", "--auth-user", USER],
          ...["--auth-password", PASSWORD, ...args],
        ],
      });
    let count = 0;

    await t.step(
      "swaks, with one recipient of three who is refused",
      async () => {
        const to = "bob@example.net,nobody@example.net,eve@example.net";
        const { stdout } = await swaks("--to", to);
        assertMatch(stdout, /<\*\* 550 5\.1\.1 /);
        assertMatch(stdout, /<- {2}250 2\.0\.0 Ok: queued as /);
        count += 2;
        const texts = await hop.arrived(count);
        assert(
          texts.every((text) => /\n\.a dot in front\nthe end\n/.test(text)),
        );
        assertMatch(texts[0] ?? "", /\tby \S+ with ESMTPA id \S+;\n/);
      },
    );

    await t.step("curl, twice", async () => {
      for (let times = 0; times < 2; times++) {
        const { code } = await run(findProgram("curl") ?? "curl", {
          args: [
            ...["--silent", "--url", `smtp://127.0.0.1:${listener.port}`],
            ...["--user", `${USER}:${PASSWORD}`, "--mail-from", USER],
            ...["--mail-rcpt", "bob@example.net"],
            ...["--upload-file", `${folder}/message`],
          ],
        });
        assertEquals(code, 0);
      }
      await hop.arrived(count += 2);
    });

    await t.step("whoever logs in there is the relay", () => {
      const users = [...hop.log().matchAll(/sasl_username=(\S+)/g)]
        .map(([, user]) => user);
      assertEquals([...new Set(users)], [HOP_USER]);
    });

    await t.step(
      "a client without the right password gets nowhere",
      async () => {
        const { code } = await swaks(
          "--to",
          "bob@example.net",
          "--auth-password",
          "wrong",
        );
        assertEquals(code, 28);
        assertEquals((await hop.arrived(count)).length, count);
      },
    );

    await t.step(
      "a wrong password of the relay's own is 451, and no 535",
      async () => {
        await using wrong = await startInFront(hop, ca, {
          MEOWMAIL_SMTP_RELAY_PASS: "wrong",
        });
        const { stdout } = await run(findProgram("swaks") ?? "swaks", {
          args: [
            ...["--server", "127.0.0.1", "--port", String(wrong.port)],
            ...["--from", USER, "--to", "bob@example.net"],
            ...["--auth", "PLAIN", "--auth-user", USER],
            ...["--auth-password", PASSWORD],
          ],
        });
        assertMatch(stdout, /<- {2}235 2\.7\.0 /);
        assertMatch(stdout, /<\*\* 451 4\.7\.0 /);
        assert(!stdout.includes("535"), stdout);
        const failures = wrong.log().filter(({ event }) => event === "relay");
        assertEquals(
          failures.map(({ level, reason, detail }) => [level, reason, detail]),
          [["error", "relay-credentials", "535 5.7.8"]],
        );
      },
    );
  },
);
