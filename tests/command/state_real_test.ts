// The state that processes share, in real servers and files: they count together,
// and while it is away, whatever ails it, logins go on.

import { readSome } from "../../net/conn.ts";
import { assert, assertEquals, assertFalse } from "../support/assert.ts";
import { testCertificate } from "../support/certificate.ts";
import type { Program } from "../support/daemons.ts";
import { freePort } from "../support/daemons.ts";
import { eventually } from "../support/eventually.ts";
import {
  type Listener,
  PASSWORD,
  runCommand,
  startListener,
  temporaryFolder,
  USER,
} from "../support/listener.ts";
import { holdRefusedPort, serveTcp } from "../support/raw_end.ts";
import {
  REDIS_PROGRAMS,
  type RedisOptions,
  type RedisServer,
  startRedis,
} from "../support/redis_server.ts";
import { type Served, startServing } from "../support/served.ts";
import { plain, SmtpClient } from "../../testing/client.ts";

Deno.test.sanitizer({ ops: true, resources: true });

/** Where a login is required, a hundred commands must do for it. */
const MANY = ["--no-require-auth", "--max-auth-failures", "1000"];

/** The code of a login. */
async function login(port: number, password = PASSWORD): Promise<string> {
  using client = await SmtpClient.greeted(port);
  await client.send(`AUTH PLAIN ${plain(USER, password)}`);
  return (await client.reply()).status.slice(0, 3);
}

/** Guesses at each of some listeners in turn, until nobody is asked any more. */
async function guesses(ports: readonly number[]): Promise<readonly string[]> {
  const codes: string[] = [];
  for (let i = 0; i < 30 && codes.at(-1) !== "454"; i++) {
    codes.push(await login(ports[i % ports.length] ?? 0, `guess ${i}`));
  }
  return codes;
}

/** What the log says of the state, less its numbers. */
function told({ log }: Served): readonly string[] {
  return log.filter(({ fields }) => fields.event === "state")
    .map(({ level, message }) =>
      `${level}: ${message.replaceAll(/[0-9]+/g, "0")}`
    );
}

function serving(
  cleanUp: DisposableStack,
  state: string,
  ...more: readonly string[]
): Promise<Served> {
  const maildir = `${temporaryFolder(cleanUp)}/maildir`;
  const args = ["--maildir", maildir, ...MANY, ...more];
  return startServing([...args, "--shared-state", state]);
}

/** So many that no guess is held up yet. */
const FEW = 12;

/** Lets two processes of the command share a state, guesses, and stops them. */
async function guessAtTwo(state: string): Promise<void> {
  await using cleanUp = new AsyncDisposableStack();
  const listeners: Listener[] = [];
  for (let i = 0; i < 2; i++) {
    const args = [...MANY, "--shared-state", state];
    listeners.push(cleanUp.use(await startListener({ args })));
  }
  for (let i = 0; i < FEW; i++) {
    const port = listeners[i % 2]?.port ?? 0;
    assertEquals(await login(port, `guess ${i}`), "535");
  }
  for (const listener of listeners) {
    assertEquals((await listener.stop()).code, 0);
    assertFalse(/away/.test(listener.stderr()), listener.stderr());
  }
}

/**
 * How many guesses an entry counts: of twelve one may have the 20 bits of
 * another, once in 16,000 runs, and costs nothing.
 */
function assertAllCounted(entry: unknown): void {
  const { count } = entry as { readonly count: number };
  assert(count > FEW - 2 && count <= FEW, `${count}`);
}

Deno.test("two processes count together in a file of Deno KV", async () => {
  using cleanUp = new DisposableStack();
  const path = `${temporaryFolder(cleanUp)}/state`;
  await guessAtTwo(`kv:${path}`);
  using kv = await Deno.openKv(path);
  const { value } = await kv.get(["smtpauth", `t:user ${USER}`]);
  assertAllCounted(value);
});

for (const program of REDIS_PROGRAMS) {
  Deno.test(`two processes count together in ${program.path}`, async () => {
    await using server = await startRedis(program);
    await guessAtTwo(`redis://127.0.0.1:${server.port}`);
    const key = `{smtpauth}:t:user ${USER}`;
    const value = await server.look.command("GET", key);
    assertAllCounted(JSON.parse(String(value)));
  });
}

/** What ails a server, how it is mended, and what the log says. */
interface Ailment {
  readonly what: string;
  readonly options?: RedisOptions;
  readonly break: (server: RedisServer) => Promise<unknown> | void;
  readonly mend: (
    server: RedisServer,
    program: Program,
  ) => Promise<RedisServer | undefined> | RedisServer | undefined | void;
  readonly says: RegExp;
}

const AILMENTS: readonly Ailment[] = [
  {
    what: "stops, and begins anew with nothing",
    break: (server) => server.stop(),
    mend: ({ port }, program) => startRedis(program, { port }),
    says: /^error: shared state: away: error: Error: .*: this process counts/,
  },
  {
    what: "hangs",
    break: (server) => server.signal("SIGSTOP"),
    mend: (server) => server.signal("SIGCONT"),
    says:
      /^error: shared state: away: error: Error: no reply in time: this process counts/,
  },
  {
    what: "is full",
    break: ({ look }) => look.command("CONFIG", "SET", "maxmemory", "1"),
    mend: async ({ look }) => {
      await look.command("CONFIG", "SET", "maxmemory", "0");
      return undefined;
    },
    says: /^error: shared state: away: error: .*OOM/,
  },
  {
    what: "becomes a replica, only to be read",
    break: ({ look }) => look.command("REPLICAOF", "127.0.0.1", "1"),
    mend: async ({ look }) => {
      await look.command("REPLICAOF", "NO", "ONE");
      return undefined;
    },
    says: /^error: shared state: away: error: .*READONLY/,
  },
];

for (const program of REDIS_PROGRAMS) {
  const name = program.path.replace(/.*\//, "");
  for (const { what, break: ail, mend, says } of AILMENTS) {
    Deno.test(`logins go on while ${name} ${what}; it is told once, and once when it is back`, async () => {
      using cleanUp = new DisposableStack();
      await using server = await startRedis(program);
      await using served = await serving(
        cleanUp,
        `redis://127.0.0.1:${server.port}`,
      );
      assertEquals(await login(served.port), "235");
      await ail(server);
      const expected = [...new Array(20).fill("535"), "454"];
      assertEquals(await guesses([served.port]), expected);
      assertEquals(told(served).length, 1);
      assert(says.test(told(served)[0] ?? ""), told(served)[0]);
      await using _mended = await mend(server, program) ?? server;
      // What was counted meanwhile is this process's own.
      await eventually("it is back", async () => {
        await login(served.port);
        return told(served).length > 1;
      });
      assertEquals(told(served)[1], "info: shared state: back after 0 ms");
      assertEquals(await login(served.port), "235");
    });
  }

  Deno.test(`a start does not wait for ${name} that is away`, async () => {
    using cleanUp = new DisposableStack();
    const port = freePort();
    await using served = await serving(cleanUp, `redis://127.0.0.1:${port}`);
    assertEquals(told(served).length, 1);
    assertEquals(await login(served.port), "235");
    await using _server = await startRedis(program, { port });
    await eventually("it is back", async () => {
      await login(served.port);
      return told(served).length > 1;
    });
  });

  Deno.test(`--shared-state has a password for ${name}, which stands nowhere; without it logins go on`, async () => {
    using cleanUp = new DisposableStack();
    const args = ["--requirepass", "canary-7f3a/@"];
    await using server = await startRedis(program, { args });
    const at = `127.0.0.1:${server.port}`;
    const good = `redis://:canary-7f3a%2F%40@${at}`;
    await using served = await serving(cleanUp, good);
    assertEquals(await login(served.port), "235");
    assertEquals(told(served), []);
    await server.look.command("AUTH", "canary-7f3a/@");
    const keys = await server.look.command("DBSIZE");
    assert(Number(keys) > 0);
    for (const bad of [`redis://${at}`, `redis://:canary-7f3a@${at}/1`]) {
      await using served = await serving(cleanUp, bad);
      assertEquals(await login(served.port), "235");
      assertEquals(await login(served.port, "wrong"), "535");
      assertEquals(told(served).length, 1);
      assert(/NOAUTH|WRONGPASS/.test(told(served)[0] ?? ""), told(served)[0]);
      assertFalse(JSON.stringify(served.log).includes("canary"));
    }
    for (
      const [url, code, says] of [
        [good, 0, "can be written to"],
        [`redis://:canary-7f3a@${at}`, 1, "put user and password into the URL"],
      ] as const
    ) {
      const folder = temporaryFolder(cleanUp);
      await Deno.writeTextFile(`${folder}/url`, `${url}\n`);
      const checked = await runCommand({
        args: ["--check"],
        env: { MEOWMAIL_SMTP_SHARED_STATE_FILE: `${folder}/url` },
        cwd: folder,
      });
      assertEquals(checked.code, code, checked.stdout);
      const line = checked.stdout.split("\n")
        .find((line) => line.includes("shared state")) ?? "";
      assert(line.includes(says), line);
      assertFalse(checked.stdout.includes("canary"));
    }
  });

  Deno.test(`--shared-state rediss:// asks ${name} for its certificate`, async () => {
    using cleanUp = new DisposableStack();
    const folder = temporaryFolder(cleanUp);
    const { cert, key } = await testCertificate();
    await Deno.writeTextFile(`${folder}/cert`, cert);
    await Deno.writeTextFile(`${folder}/key`, key);
    const port = freePort();
    const tls = ["--tls-port", String(port), "--tls-auth-clients", "no"];
    await using _server = await startRedis(program, {
      port,
      looks: false,
      args: [
        ...tls,
        ...["--tls-cert-file", `${folder}/cert`],
        ...["--tls-key-file", `${folder}/key`],
        ...["--tls-ca-cert-file", `${folder}/cert`],
      ],
    });
    const state = `rediss://localhost:${port}`;
    const ca = ["--shared-state-ca", `${folder}/cert`];
    await using served = await serving(cleanUp, state, ...ca);
    assertEquals(await login(served.port), "235");
    assertEquals(told(served), []);
    await using other = await serving(cleanUp, state);
    assertEquals(await login(other.port), "235");
    assertEquals(told(other).length, 1);
    assert(/certificate|self.signed|UnknownIssuer/i.test(told(other)[0] ?? ""));
  });
}

Deno.test("--check says of a shared state that can't be used what to do about it", async () => {
  using cleanUp = new DisposableStack();
  using nobody = await holdRefusedPort();
  await using noRedis = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response(),
  );
  const web = `127.0.0.1:${noRedis.addr.port}`;
  const cwd = temporaryFolder(cleanUp);
  const rows = [
    [`redis://${nobody.host}`, "refused: nobody listens there"],
    ["redis://nobody.invalid", "name not found: is it spelt right?"],
    [
      `redis://${web}`,
      'Unknown RESP type 72 "H": is it Redis there, and does it want rediss?',
    ],
    [
      `kv:${cwd}/none/state`,
      `cannot open --shared-state kv:${cwd}/none/state: unable to open database file: ${cwd}/none/state: is its folder there, and may this user write to it?`,
    ],
  ] as const;
  for (const [state, says] of rows) {
    const args = ["--check", "--users", "users", "--shared-state", state];
    await Deno.writeTextFile(`${cwd}/users`, `${USER}:{PLAIN}x\n`);
    const { code, stdout } = await runCommand({ args, cwd });
    assertEquals(code, 1, stdout);
    const line = stdout.split("\n")
      .find((line) => line.includes("shared state"));
    assertEquals(line, `error shared state ${state}: ${says}`);
  }
});

Deno.test("--unthrottle forgets a user's counts in a shared state, and says what it did", async () => {
  using cleanUp = new DisposableStack();
  const state = `kv:${temporaryFolder(cleanUp)}/state`;
  await using served = await serving(
    cleanUp,
    state,
    ...["--max-messages-per-minute", "1"],
  );
  const expected = [...new Array(20).fill("535"), "454"];
  assertEquals(await guesses([served.port]), expected);
  const unthrottle = (...args: readonly string[]) =>
    runCommand({ args: ["--unthrottle", ...args] });
  assertEquals(await unthrottle(USER, "--shared-state", state), {
    code: 0,
    stdout: `${USER}: forgotten: 20 wrong guesses\n`,
    stderr: "",
  });
  assertEquals(await login(served.port), "235");
  assertEquals(
    (await unthrottle("bob", "--shared-state", state)).stdout,
    "bob: nothing was counted\n",
  );
  const memory = await unthrottle(USER);
  assertEquals(memory.code, 2);
  assert(/needs --shared-state, not memory/.test(memory.stderr));
  const away = await unthrottle(
    USER,
    ...["--shared-state", `redis://127.0.0.1:${freePort()}`],
  );
  assertEquals(away.code, 1);
  assert(/^error: cannot write --shared-state redis:/.test(away.stderr));
});

Deno.test("main.ts does not wait for a denokv that says nothing", async () => {
  await using silent = serveTcp(async (conn, close) => {
    // Until the command has ended.
    while (await readSome(conn, new Uint8Array(4096)) !== null);
    close();
  });
  const at = `http://127.0.0.1:${silent.port}`;
  const started = await runCommand({
    args: ["--shared-state", at],
    env: { DENO_KV_ACCESS_TOKEN: "token" },
  });
  assertEquals(started.code, 1);
  assertEquals(
    started.stderr,
    `error: cannot open --shared-state ${at}: no answer in 5000 ms\n`,
  );
});

Deno.test("SIGUSR2 forgets all counts in memory, and the log says so", async () => {
  await using listener = await startListener({ args: MANY });
  for (let i = 0; i < FEW; i++) {
    assertEquals(await login(listener.port, `guess ${i}`), "535");
  }
  listener.signal("SIGUSR2");
  await listener.logged(/SIGUSR2: forgotten: .* \([1-9][0-9]* counts\)/);
  // As many more, and none is held up for it.
  for (let i = 0; i < FEW; i++) {
    assertEquals(await login(listener.port, `more ${i}`), "535");
  }
  assertEquals(await login(listener.port), "235");
  assertEquals((await listener.stop()).code, 0);
});
