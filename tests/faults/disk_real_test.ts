import { assert, assertEquals } from "../support/assert.ts";
import { startListener } from "../support/listener.ts";
import { filesIn, messagesIn } from "../support/maildir.ts";
import { mayMount, smallDisk } from "../support/small_disk.ts";
import type { SmtpClient } from "../../testing/client.ts";
import { loggedIn, watch, watchable } from "../support/watch.ts";

const mountable = watchable && mayMount();

const LINE = `${"x".repeat(998)}\r\n`;

/** Sends a message of so many thousand octets. */
async function send(
  client: SmtpClient,
  kilobytes: number,
  status: string,
): Promise<void> {
  await client.envelope();
  await client.sendRaw(`${LINE.repeat(kilobytes)}.\r\n`);
  await client.expect(status);
}

Deno.test({
  name:
    "main.ts answers 452 4.3.1 while the disk is full, to many at once too, and 250 when there is room",
  ignore: !mountable,
  fn: async () => {
    using disk = smallDisk("size=1m");
    assert(disk !== undefined);
    const maildir = `${disk.path}/maildir`;
    await using listener = await startListener({ maildir });
    const { assertRecovered } = await watch(listener);
    using client = await loggedIn(listener.port);
    for (let i = 0; i < 3; i++) await send(client, 3000, "452 4.3.1");
    await send(client, 10, "250 2.0.0");

    // Nothing at all fits any more.
    const filler = `${disk.path}/filler`;
    Deno.writeFileSync(filler, new Uint8Array(), { create: true });
    fill(filler);
    await Promise.all(Array.from({ length: 20 }, async () => {
      using other = await loggedIn(listener.port);
      await send(other, 1, "452 4.3.1");
      await send(other, 300, "452 4.3.1");
      await other.command("NOOP", "250");
    }));
    assertEquals(filesIn(maildir, "tmp"), []);
    Deno.removeSync(filler);
    await send(client, 300, "250 2.0.0");
    client.close();
    await assertRecovered();
    assertEquals(messagesIn(maildir).length, 4);
  },
});

Deno.test({
  name: "main.ts answers 452 4.3.1 while no more files fit on the disk",
  ignore: !mountable,
  fn: async () => {
    using disk = smallDisk("nr_inodes=8,size=1m");
    assert(disk !== undefined);
    const maildir = `${disk.path}/maildir`;
    await using listener = await startListener({ maildir });
    const { assertRecovered } = await watch(listener);
    using client = await loggedIn(listener.port);
    await send(client, 1, "250 2.0.0");
    await send(client, 1, "250 2.0.0");
    await send(client, 1, "452 4.3.1");
    await send(client, 300, "452 4.3.1");
    emptyFolder(`${maildir}/new`);
    client.close();
    await assertRecovered();
  },
});

Deno.test({
  name: "main.ts answers 452 4.3.1 while the disk is read-only",
  ignore: !mountable,
  fn: async () => {
    using disk = smallDisk("size=1m");
    assert(disk !== undefined);
    const maildir = `${disk.path}/maildir`;
    await using listener = await startListener({ maildir });
    const { assertRecovered } = await watch(listener);
    assert(disk.setReadOnly(true));
    using client = await loggedIn(listener.port);
    await send(client, 1, "452 4.3.1");
    await send(client, 300, "452 4.3.1");
    assert(disk.setReadOnly(false));
    await send(client, 1, "250 2.0.0");
    client.close();
    await assertRecovered();
    assertEquals(messagesIn(maildir).length, 3);
  },
});

/** What is taken away under the listener while a message is on its way. */
const TAKEN = ["", "/tmp", "/new"] as const;

for (const taken of TAKEN) {
  Deno.test({
    name:
      `main.ts answers 451 4.3.0 while maildir${taken} is gone, and 250 when it is back`,
    ignore: !watchable,
    fn: async () => {
      await using listener = await startListener();
      const { maildir } = listener;
      const { assertRecovered } = await watch(listener);
      using client = await loggedIn(listener.port);
      await client.envelope();
      // So large that it is on the disk already.
      await client.sendRaw(LINE.repeat(300));
      Deno.removeSync(maildir + taken, { recursive: true });
      await client.send(".");
      await client.expect("451 4.3.0");
      await send(client, 1, "451 4.3.0");
      await send(client, 300, "451 4.3.0");
      for (const folder of ["tmp", "new", "cur"]) {
        Deno.mkdirSync(`${maildir}/${folder}`, { recursive: true });
      }
      assertEquals(filesIn(maildir, "tmp"), []);
      await send(client, 1, "250 2.0.0");
      client.close();
      await assertRecovered();
      const errors = listener.log().filter(({ level }) => level === "error");
      assertEquals(errors.length, 3);
    },
  });
}

/** Writes until there is no room. */
function fill(path: string): void {
  using file = Deno.openSync(path, { append: true });
  for (let size = 65_536; size >= 1;) {
    try {
      file.writeSync(new Uint8Array(size));
    } catch {
      size = Math.floor(size / 2);
    }
  }
}

function emptyFolder(path: string): void {
  for (const { name } of Deno.readDirSync(path)) {
    Deno.removeSync(`${path}/${name}`);
  }
}
