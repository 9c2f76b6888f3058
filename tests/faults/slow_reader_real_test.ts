import { assert, assertEquals } from "../support/assert.ts";
import { mustHappen } from "../../testing/deadline.ts";
import { eventually } from "../support/eventually.ts";
import { type LogLine, startListener } from "../support/listener.ts";
import { clientsHeld } from "../support/sockets.ts";
import { sendMail, watch, watchable } from "../support/watch.ts";

/** How many clients send commands and read no reply. */
const READERS = 50;

/**
 * What all of them together may cost, in KiB: mostly garbage, of which busy
 * programs have some tens of MiB before it is collected.
 */
const MOST_KIB = 96 * 1024;

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
      // With a login to wait for they would be told to go before.
      args: ["--idle-timeout", "3000", "--no-require-auth"],
    });
    const { before, held, assertRecovered } = await watch(listener);
    const readers = spawnReaders(listener.port);
    let over = false;
    const ended = readers.status.finally(() => over = true);
    let most = 0;
    const measuring = setInterval(() => {
      most = Math.max(most, held().rssKiB - before.rssKiB);
    }, 100);
    try {
      await eventually(
        "they are there",
        () => clientsHeld(listener.port).size >= READERS,
      );
      await sendMail(listener.port, "meanwhile");
      await mustHappen(ended, "the last of them is cut off", LIMIT_MS);
    } finally {
      clearInterval(measuring);
      if (!over) readers.kill("SIGKILL");
      await mustHappen(ended, "the clients' process ends");
    }
    await assertRecovered();
    const log = listener.log().filter(({ event }) => event !== undefined);
    const isCut = ({ reason }: LogLine) => reason === "idle";
    const cut = log.filter(isCut);
    assert(cut.length >= READERS, `${cut.length} are cut off`);
    const isMail = ({ event }: LogLine) => event === "message";
    const meanwhile = log.slice(0, log.findIndex(isCut)).filter(isMail);
    assertEquals(meanwhile.length, 2, "the first, and the one meanwhile");
    assert(most <= MOST_KIB, `${most} KiB`);
  },
});
