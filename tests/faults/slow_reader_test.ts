import { assert } from "../support/assert.ts";
import { mustHappen } from "../support/deadline.ts";
import { startListener } from "../support/listener.ts";
import { sendMail, watch, watchable } from "../support/watch.ts";

/** How many clients send commands and read no reply. */
const READERS = 50;

/**
 * What all of them together may cost, in KiB: mostly garbage, of which busy
 * programs have some tens of MiB before it is collected.
 */
const MOST_KIB = 96 * 1024;

/** How long a good client may take meanwhile, in milliseconds. */
const PATIENCE_MS = 500;

/** When to give up waiting for the last of them to be cut off, in milliseconds. */
const LIMIT_MS = 30_000;

/** The short command with the longest reply. */
const COMMAND = "EHLO a\r\n";

/**
 * A process with many clients that write commands until the listener cuts them
 * off. It ends when all are.
 */
function spawnReaders(port: number): Deno.ChildProcess {
  const script = `
    const octets = new TextEncoder().encode(${
    JSON.stringify(COMMAND)
  }.repeat(7000));
    await Promise.all(Array.from({ length: ${READERS} }, async () => {
      const conn = await Deno.connect({ hostname: "127.0.0.1", port: ${port} });
      try { for (;;) await conn.write(octets); } catch { conn.close(); }
    }));`;
  return new Deno.Command(Deno.execPath(), {
    args: ["eval", "--quiet", "--no-config", script],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
}

Deno.test({
  name:
    "main.ts cuts clients off that pipeline thousands of commands and never read, keeps little of it, and serves others meanwhile",
  ignore: !watchable,
  fn: async () => {
    await using listener = await startListener({
      args: ["--idle-timeout", "1500"],
    });
    const { before, held, assertRecovered } = await watch(listener);
    const readers = spawnReaders(listener.port);
    let over = false;
    const ended = readers.status.finally(() => over = true);
    let most = 0;
    let slowest = 0;
    try {
      const measuring = setInterval(() => {
        most = Math.max(most, held().rssKiB - before.rssKiB);
      }, 100);
      try {
        const end = performance.now() + LIMIT_MS;
        while (!over) {
          const began = performance.now();
          assert(began < end, "the clients are never cut off");
          await sendMail(listener.port, "meanwhile");
          slowest = Math.max(slowest, performance.now() - began);
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      } finally {
        clearInterval(measuring);
      }
    } finally {
      if (!over) readers.kill("SIGKILL");
      await mustHappen(ended, "the clients' process ends");
    }
    await assertRecovered();
    const cut = listener.log().filter(({ reason }) => reason === "idle");
    assert(cut.length >= READERS, `${cut.length} are cut off`);
    assert(most <= MOST_KIB, `${most} KiB`);
    assert(slowest < PATIENCE_MS, `${Math.round(slowest)} ms`);
  },
});
