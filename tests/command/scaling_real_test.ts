// docs/scaling.md, as printed: several processes on one port, and behind HAProxy
// with a shared state; one of them is killed, all are restarted, under load.

import { assert, assertEquals } from "../support/assert.ts";
import {
  type TestCertificate,
  testCertificate,
} from "../support/certificate.ts";
import { findProgram, freePort, startDaemon } from "../support/daemons.ts";
import { eventually } from "../support/eventually.ts";
import {
  type Listener,
  PASSWORD,
  startListener,
  temporaryFolder,
  USER,
} from "../support/listener.ts";
import { codeBlocks, placed, printedStart } from "../support/pages.ts";
import { REDIS_PROGRAMS, startRedis } from "../support/redis_server.ts";
import { plain, SmtpClient } from "../../testing/client.ts";

Deno.test.sanitizer({ ops: true, resources: true });

const [ONE_MACHINE = "", , , SEVERAL = ""] = codeBlocks(
  "docs/scaling.md",
  "sh",
);
const [HAPROXY = ""] = codeBlocks("docs/scaling.md", "haproxy");

/** Starts the command as a page prints it, with other places. */
function startPrinted(
  block: string,
  places: Readonly<Record<string, string>>,
  cwd: string,
): Promise<Listener> {
  const { env, args } = printedStart(placed(block, places));
  // No login but by what the page says.
  return startListener({ args, env, firstStart: true, maildir: null, cwd });
}

/** The users file that the page names, and its certificate. */
function etcIn(folder: string, { cert, key }: TestCertificate): string {
  Deno.mkdirSync(`${folder}/etc`);
  Deno.writeTextFileSync(`${folder}/etc/users`, `${USER}:{PLAIN}${PASSWORD}\n`);
  Deno.writeTextFileSync(`${folder}/etc/fullchain.pem`, cert);
  Deno.writeTextFileSync(`${folder}/etc/privkey.pem`, key);
  return `${folder}/etc`;
}

/** Clients that send one message after the other, until it is enough. */
class Load {
  /** The subjects of the messages that were answered 250. */
  readonly taken: string[] = [];
  /** Every code that a login was answered with. */
  readonly logins = new Map<string, number>();
  /** How many connections ended without an answer. */
  lost = 0;
  readonly #port: number;
  readonly #trusted: string | undefined;
  #isEnough = false;
  readonly #clients: Promise<unknown>;

  /** @param trusted The certificate to encrypt with; none: plain text. */
  constructor(port: number, clients: number, trusted?: string) {
    this.#port = port;
    this.#trusted = trusted;
    this.#clients = Promise.all(
      Array.from({ length: clients }, (_, i) => this.#work(i)),
    );
  }

  /** Waits until so many more have been taken. */
  more(count: number): Promise<unknown> {
    const most = this.taken.length + count;
    return eventually(
      `${count} more messages`,
      () => this.taken.length >= most,
      30_000,
    );
  }

  async end(): Promise<void> {
    this.#isEnough = true;
    await this.#clients;
  }

  async #work(client: number): Promise<void> {
    for (let i = 0; !this.#isEnough; i++) {
      try {
        await this.#send(`${client}-${i}`);
      } catch {
        this.lost++;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }

  async #send(subject: string): Promise<void> {
    using client = await SmtpClient.open(this.#port);
    await client.hello();
    if (this.#trusted !== undefined) {
      await client.startTls(this.#trusted);
      await client.command("EHLO client.example.net", "250");
    }
    await client.send(`AUTH PLAIN ${plain(USER, PASSWORD)}`);
    const code = (await client.reply()).status.slice(0, 3);
    this.logins.set(code, (this.logins.get(code) ?? 0) + 1);
    if (code !== "235") return;
    await client.envelope();
    await client.send(`Subject: ${subject}`, "", "x", ".");
    await client.expect("250");
    this.taken.push(subject);
  }
}

/** The subjects of all messages in a maildir. */
function subjectsIn(maildir: string): Set<string> {
  const files = [...Deno.readDirSync(`${maildir}/new`)];
  return new Set(files.flatMap(({ name }) => {
    const text = Deno.readTextFileSync(`${maildir}/new/${name}`);
    return /^Subject: (.*)\r$/m.exec(text)?.slice(1) ?? [];
  }));
}

/** Nothing that was answered 250 is lost, and nobody read 535 or 454. */
function assertGood(load: Load, maildir: string): void {
  const there = subjectsIn(maildir);
  assertEquals(load.taken.filter((subject) => !there.has(subject)), []);
  const codes = [...load.logins.keys()].filter((code) => code !== "421");
  assertEquals(codes, ["235"]);
}

Deno.test("two processes on one port: one is killed under load, then all are restarted", async () => {
  await using cleanUp = new AsyncDisposableStack();
  const folder = temporaryFolder(cleanUp);
  const port = freePort();
  const places = {
    "/etc/smtpauth": etcIn(folder, await testCertificate()),
    "2525": String(port),
    "/var/lib/smtpauth": folder,
    "/var/mail/out": `${folder}/out`,
  };
  const start = async () =>
    cleanUp.use(await startPrinted(ONE_MACHINE, places, folder));
  const [one, two] = await Promise.all([start(), start()]);
  const load = new Load(port, 6);
  try {
    await load.more(40);
    await one.kill();
    await load.more(40);
    const three = await start();
    await load.more(20);
    assertEquals((await two.stop()).code, 0);
    await load.more(20);
    const four = await start();
    assertEquals((await three.stop()).code, 0);
    await load.more(20);
    await load.end();
    assertEquals((await four.stop()).code, 0);
    // Each has had its share.
    for (const { stderr } of [two, three, four]) assert(/250/.test(stderr()));
  } finally {
    await load.end();
  }
  assertGood(load, `${folder}/out`);
});

const haproxy = findProgram("/usr/sbin/haproxy", "haproxy");
const [redis] = REDIS_PROGRAMS;

Deno.test({
  name:
    "two listeners behind HAProxy with one state: both are restarted, and no login is refused",
  ignore: haproxy === undefined || redis === undefined,
  fn: async () => {
    assert(haproxy !== undefined && redis !== undefined);
    await using cleanUp = new AsyncDisposableStack();
    const folder = temporaryFolder(cleanUp);
    const state = cleanUp.use(await startRedis(redis));
    const certificate = await testCertificate();
    const etc = etcIn(folder, certificate);
    const [front, ...ports] = [freePort(), freePort(), freePort()];
    const start = async (i: number) =>
      cleanUp.use(
        await startPrinted(SEVERAL, {
          "/etc/smtpauth": etc,
          "10.0.0.11": "127.0.0.1",
          "2525": String(ports[i]),
          "10.0.0.1 ": "127.0.0.1 ",
          "redis://10.0.0.5": `redis://127.0.0.1:${state.port}`,
          "/var/mail/out": `${folder}/out`,
        }, folder),
      );
    const [first, second] = await Promise.all([start(0), start(1)]);
    const config = placed(HAPROXY, {
      "10.0.0.11:2525": `127.0.0.1:${ports[0]}`,
      "10.0.0.12:2525": `127.0.0.1:${ports[1]}`,
      "bind :587": `bind 127.0.0.1:${front}`,
      "inter 1s": "inter 50ms rise 1 fall 1",
    });
    Deno.writeTextFileSync(`${folder}/haproxy.cfg`, config);
    cleanUp.use(
      await startDaemon(haproxy.path, {
        args: ["-db", "-f", `${folder}/haproxy.cfg`],
        ports: [front ?? 0],
        signal: "SIGKILL",
      }),
    );
    const load = new Load(front ?? 0, 6, certificate.cert);
    try {
      await load.more(30);
      assertEquals((await first.stop()).code, 0);
      await load.more(20);
      await start(0);
      await load.more(20);
      assertEquals((await second.stop()).code, 0);
      await load.more(20);
    } finally {
      await load.end();
    }
    assertGood(load, `${folder}/out`);
    const key = `{smtpauth}:t:user ${USER}`;
    const entry = String(await state.look.command("GET", key));
    // Whose address that is, the proxy has said; both have counted in one place.
    assert(entry.includes("127.0.0.0/24"), entry);
  },
});
