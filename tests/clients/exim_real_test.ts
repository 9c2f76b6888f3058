// Exim, which passes mail on to a smarthost. In plain text it says `.` and QUIT
// in one write and closes its half of the connection before the reply.

import { assertEquals, assertMatch } from "../support/assert.ts";
import { mustHappen } from "../../testing/deadline.ts";
import { temporaryFolder } from "../support/listener.ts";
import { type Ending, type Job, oneByOne, testClient } from "./checks.ts";
import {
  assertSameOctets,
  bodyOf,
  MESSAGE,
  storedMessages,
} from "./messages.ts";
import {
  type Client,
  clientTest,
  findProgram,
  HELO,
  LOGIN,
  newBench,
  RECIPIENTS,
  run,
  SENDER,
} from "./support.ts";

const EXIM: Client = findExim();

/** Others than root can't have it use a configuration of their own. */
function findExim(): Client {
  const root = Deno.uid() === 0;
  return {
    name: "Exim",
    program: root ? findProgram("exim4") ?? findProgram("exim") : undefined,
    missing: root
      ? "there is no exim4 (Debian package exim4-daemon-light)"
      : "it can be told what to do only by root",
  };
}

type EximJob = Pick<Job, "mechanism" | "trusted" | "login"> & {
  readonly target: Pick<Job["target"], "mode" | "port">;
};

/**
 * Has Exim deliver one message. It ends at once, and well; what has become of the
 * message is in its log: to how many recipients it was delivered, and why not.
 */
async function exim(program: string, job: EximJob): Promise<Ending> {
  using cleanUp = new DisposableStack();
  const folder = temporaryFolder(cleanUp);
  // It works as a user of its own, whoever starts it.
  Deno.chmodSync(folder, 0o755);
  for (const name of ["spool", "log"]) {
    Deno.mkdirSync(`${folder}/${name}`);
    Deno.chmodSync(`${folder}/${name}`, 0o777);
  }
  if (job.trusted !== undefined) {
    Deno.copyFileSync(job.trusted, `${folder}/trusted.pem`);
  }
  const config = `${folder}/exim.conf`;
  Deno.writeTextFileSync(config, configuration(job, folder));
  const { code, stderr } = await run(program, {
    // In the foreground, and dots end nothing.
    args: ["-C", config, "-odf", "-oi", "-f", SENDER, ...RECIPIENTS],
    stdin: MESSAGE,
  });
  assertEquals(code, 0, stderr);
  const log = Deno.readTextFileSync(`${folder}/log/mainlog`);
  return { status: log.match(DELIVERED)?.length ?? 0, shown: log };
}

function configuration(job: EximJob, folder: string): string {
  const { target, mechanism, login = LOGIN } = job;
  const username = quoted(login.username);
  const password = quoted(login.password);
  const tls = [
    "  hosts_require_tls = *",
    `  tls_verify_certificates = ${folder}/trusted.pem`,
    "  tls_verify_hosts = *",
    "  tls_verify_cert_hostnames =",
  ];
  return [
    `spool_directory = ${folder}/spool`,
    `log_file_path = ${folder}/log/%slog`,
    `primary_hostname = ${HELO}`,
    "keep_environment =",
    "disable_ipv6",
    "begin routers",
    "smarthost:",
    "  driver = manualroute",
    "  transport = submission",
    `  route_data = 127.0.0.1::${target.port}`,
    "  self = send",
    "begin transports",
    "submission:",
    "  driver = smtp",
    "  allow_localhost",
    "  hosts_require_auth = *",
    "  authenticated_sender = someone+else=x@example.com",
    ...(target.mode === "plain text" ? [] : tls),
    ...(target.mode === "implicit TLS" ? ["  protocol = smtps"] : []),
    "begin retry",
    "* * F,1h,1h",
    "begin authenticators",
    "login:",
    "  driver = plaintext",
    `  public_name = ${mechanism}`,
    mechanism === "PLAIN"
      ? `  client_send = ^${username}^${password}`
      : `  client_send = : ${username} : ${password}`,
    "",
  ].join("\n");
}

/** A text in a string that is expanded, in a list, with ^ for NUL. */
function quoted(text: string): string {
  const octets = new TextEncoder().encode(text.replaceAll("^", "^^"));
  return Array.from(
    octets,
    (octet) => `\\x${octet.toString(16).padStart(2, "0")}`,
  ).join("");
}

/** The log's word for a delivery, one line a recipient. */
const DELIVERED = /^\S+ \S+ \S+ [=-]> .* C="250 2\.0\.0 Queued as .*"$/gm;

testClient({
  ...EXIM,
  send: oneByOne(exim),
  expects: {
    sent: { status: RECIPIENTS.length, shows: [/ Completed$/m] },
    // It keeps the message for later.
    wrong: {
      status: 0,
      shows: [
        /authenticator failed .* 535 5\.7\.8 /m,
        / == bob@example\.net /,
      ],
    },
    outage: {
      status: 0,
      shows: [/ == bob@example\.net .* defer .*: 454 4\.7\.0 /],
    },
  },
  bodyOnly: true,
});

clientTest(
  EXIM,
  "gets its 250 though it has closed its half before, and may write xtext",
  async (program) => {
    await using bench = await newBench();
    const { port, listener } = bench.targets[0];
    await using relay = holdReplyToData(port);
    const target = { mode: "plain text", port: relay.port } as const;
    const { status, shown } = await exim(program, {
      target,
      mechanism: "PLAIN",
    });
    assertEquals(status, RECIPIENTS.length, shown);
    assertMatch(shown, / Completed$/m);
    const { client, server } = await mustHappen(relay.ended, "the relay ends");
    assertMatch(client, / AUTH=someone\+2belse\+3dx@example\.com\r\n/);
    assertMatch(client, /\r\n\.\r\nQUIT\r\n$/);
    assertMatch(server, /\r\n354 .*\r\n250 .*\r\n221 .*\r\n$/);
    const stored = storedMessages(listener);
    assertEquals(stored.map(({ recipients }) => recipients), [RECIPIENTS]);
    for (const { octets } of stored) {
      assertSameOctets(bodyOf(octets), bodyOf(MESSAGE));
    }
  },
);

/** What client and server have said, each by itself. */
interface Said {
  readonly client: string;
  readonly server: string;
}

/** A relay that passes one connection on to a listener. */
interface Relay extends AsyncDisposable {
  readonly port: number;
  /** What the two have said; once both ends are closed. */
  readonly ended: Promise<Said>;
}

/**
 * Passes everything on at once, but what comes behind the 354: that only when
 * the client has closed its half. A client that would wait for it before that
 * waits for ever.
 */
function holdReplyToData(port: number): Relay {
  const cleanUp = new DisposableStack();
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  cleanUp.defer(() => listener.close());
  async function relay(): Promise<Said> {
    const client = await listener.accept();
    cleanUp.defer(() => client.close());
    const server = await Deno.connect({ hostname: "127.0.0.1", port });
    cleanUp.defer(() => server.close());
    const clientHasClosed = passOn(client, server);
    let saidByServer = "";
    const decoder = new TextDecoder();
    for await (const octets of chunksOf(server)) {
      if (/^354 /m.test(saidByServer)) await clientHasClosed;
      saidByServer += decoder.decode(octets, { stream: true });
      await writeAll(client, octets);
    }
    return { client: await clientHasClosed, server: saidByServer };
  }
  const ended = relay();
  return {
    port: listener.addr.port,
    ended,
    [Symbol.asyncDispose]: async () => {
      cleanUp.dispose();
      await ended.catch(() => {});
    },
  };
}

/** Passes on all that one side says, and that it has closed its half. */
async function passOn(from: Deno.TcpConn, to: Deno.TcpConn): Promise<string> {
  let said = "";
  const decoder = new TextDecoder();
  for await (const octets of chunksOf(from)) {
    said += decoder.decode(octets, { stream: true });
    await writeAll(to, octets);
  }
  await to.closeWrite();
  return said;
}

async function* chunksOf(conn: Deno.TcpConn): AsyncGenerator<Uint8Array> {
  const space = new Uint8Array(65_536);
  for (;;) {
    const count = await conn.read(space);
    if (count === null) return;
    yield space.slice(0, count);
  }
}

async function writeAll(to: Deno.TcpConn, octets: Uint8Array): Promise<void> {
  for (let at = 0; at < octets.length;) {
    at += await to.write(octets.subarray(at));
  }
}
