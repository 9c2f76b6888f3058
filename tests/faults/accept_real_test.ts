import { assert, assertEquals } from "../support/assert.ts";
import { testCertificate } from "../support/certificate.ts";
import { sayUntil } from "../support/cut_off.ts";
import { eventually } from "../support/eventually.ts";
import { serveHttp } from "../support/http_end.ts";
import { PASSWORD, startListener, USER } from "../support/listener.ts";
import { SmtpClient } from "../../testing/client.ts";
import { loggedIn, sendMail, watch, watchable } from "../support/watch.ts";

/** How many clients reset their connection before it can be accepted. */
const RESETS = 20;

Deno.test({
  name:
    "main.ts takes a client in behind twenty that reset before they were accepted, and takes that for no trouble",
  ignore: !watchable,
  fn: async () => {
    const certificate = await testCertificate();
    await using listener = await startListener({
      certificate,
      args: ["--allow-insecure-auth"],
    });
    const trusted = certificate.cert;
    const { assertRecovered } = await watch(listener);
    for (const port of [listener.port, listener.tlsPort]) {
      const reset = { after: 0, way: "reset", atOnce: true } as const;
      // While it can't accept, so that all of them come before that.
      listener.signal("SIGSTOP");
      await Promise.all(
        Array.from({ length: RESETS }, () => sayUntil(port, [], reset)),
      );
      listener.signal("SIGCONT");
      using client = await SmtpClient.open(
        port,
        port === listener.tlsPort ? { trusted } : {},
      );
      await client.expect("220");
      await client.command("QUIT", "221");
      await client.expectEnd();
    }
    await assertRecovered();
    const lines = listener.log().filter(({ event }) => event !== undefined);
    assertEquals(lines.filter(({ event }) => event === "acceptFailed"), []);
    assertEquals(lines.filter(({ event }) => event === "closed"), []);
  },
});

/** How many files may be opened beyond those of a listener at rest. */
const SPARE_FILES = 20;

Deno.test({
  name:
    "main.ts runs out of file descriptors, says so a few times, answers 451 and 454 to those it has, and recovers",
  ignore: !watchable,
  fn: async () => {
    // Connections that are kept for the next question need no new file.
    await using end = serveHttp(() =>
      Response.json({ ok: true }, { headers: { connection: "close" } })
    );
    await using listener = await startListener({ authUrl: end.url });
    const { pid, before, assertRecovered } = await watch(listener);
    using first = await loggedIn(listener.port);
    using second = await SmtpClient.greeted(listener.port);
    // As `ulimit -n` does, but with room for the start.
    limitFiles(pid, before.files + SPARE_FILES);

    const crowd = await Promise.all(
      Array.from(
        { length: 3 * SPARE_FILES },
        () => SmtpClient.open(listener.port),
      ),
    );
    try {
      await listener.logged(/"event":"acceptFailed"/);
      await first.envelope();
      await first.send("x", ".");
      await first.expect("451 4.3.0");
      await first.command("NOOP", "250");
      await second.login(USER, PASSWORD, "454 4.7.0");
      // How often it is told is tests/net/accept_test.ts's: once a minute.
      const failures = listener.log()
        .filter(({ event }) => event === "acceptFailed");
      assertEquals(failures.length, 1);
    } finally {
      crowd.forEach((client) => client.close());
    }
    await sendMail(listener.port, "behind the crowd");
    await second.login(USER, PASSWORD);
    first.close();
    second.close();
    await assertRecovered();
  },
});

/** util-linux has it on every Linux. */
function limitFiles(pid: number, files: number): void {
  const { success } = new Deno.Command("prlimit", {
    args: ["--pid", String(pid), `--nofile=${files}:${files}`],
  }).outputSync();
  assert(success, "prlimit");
}

/** How many clients connect and say nothing. */
const SILENT = 2000;

/** Connects many clients that will say nothing. */
async function openSilent(port: number): Promise<SmtpClient[]> {
  const clients: SmtpClient[] = [];
  while (clients.length < SILENT) {
    clients.push(
      ...await Promise.all(
        Array.from({ length: 100 }, () => SmtpClient.open(port)),
      ),
    );
  }
  return clients;
}

Deno.test({
  name:
    "main.ts serves a good client at once while 2,000 others say nothing, for 40 KiB each at most",
  ignore: !watchable,
  fn: async () => {
    await using listener = await startListener();
    const { before, held, assertRecovered } = await watch(listener);
    const clients = await openSilent(listener.port);
    try {
      await Promise.all(clients.map((client) => client.expect("220")));
      await sendMail(listener.port, "in the crowd");
      const { files, rssKiB } = held();
      assertEquals(files, before.files + SILENT);
      const each = (rssKiB - before.rssKiB) / SILENT;
      assert(each < 40, `${each} KiB`);
    } finally {
      clients.forEach((client) => client.close());
    }
    await assertRecovered();
  },
});

Deno.test({
  name:
    "main.ts --idle-timeout tells each of 2,000 silent clients 421 4.4.2 and closes",
  ignore: !watchable,
  fn: async () => {
    await using listener = await startListener({
      args: ["--idle-timeout", "1500"],
    });
    const { assertRecovered } = await watch(listener);
    const clients = await openSilent(listener.port);
    try {
      await Promise.all(clients.map(async (client) => {
        await client.expect("220", "421 4.4.2");
        await client.expectEnd();
      }));
    } finally {
      clients.forEach((client) => client.close());
    }
    await assertRecovered();
    const closed = await eventually("a line about each", () => {
      if (!listener.stderr().endsWith("\n")) return undefined;
      const lines = listener.log().filter(({ event }) => event === "closed");
      return lines.length >= SILENT && lines;
    });
    assertEquals(closed.length, SILENT);
  },
});
