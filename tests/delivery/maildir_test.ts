import type { Envelope, SmtpMessage } from "../../smtp/protocol/envelope.ts";
import { openMaildir } from "../../delivery/maildir.ts";
import * as replies from "../../smtp/protocol/replies.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertThrows,
} from "../support/assert.ts";
import { temporaryFolder } from "../support/listener.ts";
import { latin1, textOf } from "../support/session.ts";
import { mayMount, smallDisk } from "../support/small_disk.ts";

const ENVELOPE: Envelope = {
  sender: "ann@example.com",
  recipients: ["bob@example.org"],
  parameters: {},
  remoteIp: "192.0.2.7",
  heloName: "laptop",
  esmtp: true,
  tls: false,
};

/** A message whose pieces are the receiver's, as those of a connection. */
function messageOf(...pieces: Uint8Array<ArrayBuffer>[]): SmtpMessage {
  const own = pieces.map((piece) => piece.slice());
  return { envelope: ENVELOPE, body: ReadableStream.from(own) };
}

function namesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}

/** What stands behind the trace lines, one character for each octet. */
function behindTrace(path: string): string {
  const text = textOf(Deno.readFileSync(path));
  return text.slice(text.indexOf(" +0000\r\n") + 8);
}

Deno.test("openMaildir() makes the folders, for nobody else to read", () => {
  using cleanUp = new DisposableStack();
  const path = `${temporaryFolder(cleanUp)}/deep/maildir`;
  openMaildir(path, "mx.example.com");
  assertEquals(namesIn(path), ["cur", "new", "tmp"]);
  assertEquals(namesIn(`${path}/tmp`), []);
  for (const folder of ["", "/cur", "/new", "/tmp"]) {
    assertEquals((Deno.statSync(path + folder).mode ?? 0) & 0o777, 0o700);
  }
});

Deno.test("openMaildir() keeps the exact octets, under a name that it replies", async () => {
  using cleanUp = new DisposableStack();
  const path = temporaryFolder(cleanUp);
  const deliver = openMaildir(path, "mx.example.com:25");
  const pieces = [
    latin1("X: y\r\n"),
    ...[1, 70_000, 65_536, 3].map((size, i) =>
      new Uint8Array(size).map((_, at) => (at * 7 + i) & 255)
    ),
  ];
  const reply = await deliver(messageOf(...pieces));
  assert(reply);
  assertEquals([reply.code, reply.enhanced], [250, "2.0.0"]);
  const [name = ""] = namesIn(`${path}/new`);
  assertMatch(
    name,
    /^[0-9]+\.P[0-9]+Q[0-9]+R[0-9a-f]{8}\.mx\.example\.com\\07225$/,
  );
  assertEquals(reply.text, `Queued as ${name.slice(0, name.indexOf(".mx"))}`);
  assertEquals(namesIn(`${path}/tmp`), []);
  const whole = pieces.map(textOf).join("");
  assert(behindTrace(`${path}/new/${name}`) === whole);
  assertEquals((Deno.statSync(`${path}/new/${name}`).mode ?? 0) & 0o777, 0o600);
});

Deno.test("openMaildir() keeps messages that arrive together apart", async () => {
  using cleanUp = new DisposableStack();
  const path = temporaryFolder(cleanUp);
  const deliver = openMaildir(path, "mx");
  const other = openMaildir(path, "mx");
  await Promise.all(
    Array.from(
      { length: 50 },
      (_, i) => (i % 2 ? deliver : other)(messageOf(latin1(`X: ${i}\r\n`))),
    ),
  );
  const bodies = namesIn(`${path}/new`)
    .map((name) => behindTrace(`${path}/new/${name}`));
  assertEquals(
    bodies.sort(),
    Array.from({ length: 50 }, (_, i) => `X: ${i}\r\n`).sort(),
  );
});

/** Messages, and what must stand between our lines and theirs. */
const BEGINNINGS = [
  ["Subject: hello\r\n\r\ntext\r\n", ""],
  ["Received: from elsewhere\r\nX-Original-To: eve@x.test\r\n\r\n", ""],
  ["\r\ntext of a message without a header\r\n", ""],
  ["", ""],
  ["UPS on battery power\r\n", "\r\n"],
  [" folded\r\n", "\r\n"],
  ["\tfolded\r\n", "\r\n"],
  ["From ann Mon Jul 6 12:00:00 2026\r\nTo: bob\r\n", "\r\n"],
  [`${"x".repeat(2_000)}\r\n`, "\r\n"],
  ["no line end", "\r\n"],
  ["noline", "\r\n"],
] as const;

Deno.test("openMaildir() keeps text that begins at once apart from its own lines", async () => {
  for (const [text, separator] of BEGINNINGS) {
    for (const size of [Infinity, 1, 3]) {
      using cleanUp = new DisposableStack();
      const path = temporaryFolder(cleanUp);
      const pieces: Uint8Array<ArrayBuffer>[] = [];
      for (let at = 0; at < text.length; at += size) {
        pieces.push(latin1(text.slice(at, at + size)));
      }
      await openMaildir(path, "mx")(messageOf(...pieces));
      const [name = ""] = namesIn(`${path}/new`);
      assertEquals(behindTrace(`${path}/new/${name}`), separator + text);
    }
  }
});

Deno.test("openMaildir() leaves nothing of a message that breaks off", async () => {
  using cleanUp = new DisposableStack();
  const path = temporaryFolder(cleanUp);
  const deliver = openMaildir(path, "mx");
  const body = ReadableStream.from((async function* () {
    yield new Uint8Array(100_000);
    await Promise.resolve();
    throw new Error("the client has left");
  })());
  await assertRejects(
    async () => await deliver({ envelope: ENVELOPE, body }),
    Error,
    "the client has left",
  );
  assertEquals([namesIn(`${path}/tmp`), namesIn(`${path}/new`)], [[], []]);
});

Deno.test("openMaildir() throws when the maildir has been taken away", async () => {
  using cleanUp = new DisposableStack();
  const path = `${temporaryFolder(cleanUp)}/maildir`;
  const deliver = openMaildir(path, "mx");
  Deno.removeSync(path, { recursive: true });
  await assertRejects(
    async () => await deliver(messageOf(new Uint8Array(1))),
    Deno.errors.NotFound,
  );
});

Deno.test("openMaildir() refuses a bad configuration, and makes no folder of it", () => {
  using cleanUp = new DisposableStack();
  const folder = temporaryFolder(cleanUp);
  const rows = [
    [[undefined], "path must be a path: got undefined"],
    [[""], "path must be a path: got an empty string"],
    [[7], "path must be a path: got 7"],
    [[`${folder}/m`, ""], "serverName must be a host name"],
    [[`${folder}/m`, "mx\r\nX: y"], "serverName must be a host name"],
  ] as const;
  for (const [args, told] of rows) {
    // As a caller without types may call it.
    const open = () => Reflect.apply(openMaildir, undefined, args);
    assertThrows(open, TypeError, `Cannot open Maildir: ${told}`);
  }
  assertEquals([...Deno.readDirSync(folder)], []);
});

Deno.test("openMaildir() throws at once where it can't write", () => {
  using cleanUp = new DisposableStack();
  const path = temporaryFolder(cleanUp);
  Deno.writeTextFileSync(`${path}/file`, "");
  let thrown = false;
  try {
    openMaildir(`${path}/file/maildir`, "mx");
  } catch {
    thrown = true;
  }
  assert(thrown);
});

Deno.test("openMaildir() cleans tmp/ of what is older than 36 hours, and of nothing else", () => {
  using cleanUp = new DisposableStack();
  const path = temporaryFolder(cleanUp);
  openMaildir(path, "mx");
  const hours = (n: number) => new Date(Date.now() - n * 3_600_000);
  for (const [name, age] of [["old", 37], ["young", 35]] as const) {
    Deno.writeTextFileSync(`${path}/tmp/${name}`, "");
    Deno.utimeSync(`${path}/tmp/${name}`, hours(age), hours(age));
    Deno.writeTextFileSync(`${path}/new/${name}`, "");
    Deno.utimeSync(`${path}/new/${name}`, hours(age), hours(age));
  }
  openMaildir(path, "mx");
  assertEquals(namesIn(`${path}/tmp`), ["young"]);
  assertEquals(namesIn(`${path}/new`), ["old", "young"]);
});

const mountable = mayMount();

Deno.test({
  name:
    "openMaildir() answers 452 4.3.1 on a full disk, and goes on when there is room",
  ignore: !mountable,
  fn: async () => {
    using disk = smallDisk("size=256k");
    const path = `${disk?.path}/maildir`;
    const deliver = openMaildir(path, "mx");
    for (const size of [60_000, 60_000]) {
      const large = messageOf(
        new Uint8Array(size * 3),
        new Uint8Array(size * 3),
      );
      assertEquals(await deliver(large), replies.storageFull);
      assertEquals(namesIn(`${path}/tmp`), []);
      assertEquals(namesIn(`${path}/new`), []);
    }
    const reply = await deliver(messageOf(new Uint8Array(1000)));
    assertEquals(reply?.code, 250);
  },
});

Deno.test({
  name: "openMaildir() answers 452 4.3.1 on a read-only disk",
  ignore: !mountable,
  fn: async () => {
    using disk = smallDisk("size=256k");
    const deliver = openMaildir(`${disk?.path}/maildir`, "mx");
    assert(disk?.setReadOnly(true));
    const reply = await deliver(messageOf(new Uint8Array(1000)));
    assertEquals(reply, replies.storageFull);
  },
});

Deno.test("openMaildir() bears files that leave tmp/ while it looks at them (issue 11)", () => {
  using cleanUp = new DisposableStack();
  const path = temporaryFolder(cleanUp);
  openMaildir(path, "mx.example.com");
  for (const name of ["a", "b", "c"]) {
    Deno.writeTextFileSync(`${path}/tmp/${name}`, "");
    Deno.utimeSync(`${path}/tmp/${name}`, 1, 1);
  }
  const { lstatSync } = Deno;
  cleanUp.defer(() => Object.assign(Deno, { lstatSync }));
  Object.assign(Deno, {
    // Another process delivers: what it looks at has just been renamed.
    lstatSync: (file: string) => {
      if (file.endsWith("/b")) Deno.renameSync(file, `${path}/new/b`);
      return lstatSync(file);
    },
  });
  openMaildir(path, "mx.example.com");
  assertEquals(namesIn(`${path}/tmp`), []);
  assertEquals(namesIn(`${path}/new`), ["b"]);
});

Deno.test("openMaildir() flushes the folders that hold new ones (issue 11)", () => {
  using cleanUp = new DisposableStack();
  const parent = temporaryFolder(cleanUp);
  const { openSync } = Deno;
  cleanUp.defer(() => Object.assign(Deno, { openSync }));
  const flushed: string[] = [];
  Object.assign(Deno, {
    openSync: (path: string, options?: Deno.OpenOptions) => {
      const file = openSync(path, options);
      const { syncSync } = file;
      return Object.assign(file, {
        syncSync: () => {
          flushed.push(path);
          syncSync.call(file);
        },
      });
    },
  });
  openMaildir(`${parent}/deep/maildir`, "mx.example.com");
  assertEquals(flushed, [
    `${parent}/deep/maildir`,
    `${parent}/deep`,
    parent,
  ]);
  flushed.length = 0;
  openMaildir(`${parent}/deep/maildir`, "mx.example.com");
  assertEquals(flushed, [], "there is nothing new");
  Deno.removeSync(`${parent}/deep/maildir/cur`);
  openMaildir(`${parent}/deep/maildir`, "mx.example.com");
  assertEquals(flushed, [`${parent}/deep/maildir`]);
});
