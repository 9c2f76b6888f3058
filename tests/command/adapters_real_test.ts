import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { serveHttp } from "../support/http_end.ts";
import {
  PASSWORD,
  runCommand,
  startListener,
  temporaryFolder,
  USER,
} from "../support/listener.ts";
import { mustHappen } from "../../testing/deadline.ts";
import { plain, SmtpClient } from "../../testing/client.ts";

/** Says something to a unix socket and reads until a pattern has come. */
async function converse(
  path: string,
  said: Uint8Array,
  pattern: RegExp,
): Promise<string> {
  using conn = await Deno.connect({ transport: "unix", path });
  await conn.write(said);
  let heard = "";
  const space = new Uint8Array(4096);
  while (!pattern.test(heard)) {
    const octets = await mustHappen(conn.read(space), `it says ${pattern}`);
    if (octets === null) {
      throw new Error(`The adapter has closed behind ${heard}`);
    }
    heard += new TextDecoder().decode(space.subarray(0, octets));
  }
  return heard;
}

const text = (line: string) => new TextEncoder().encode(line);

function dovecotAuth(password: string): Uint8Array {
  return text(
    `VERSION\t1\t0\nCPID\t7\nAUTH\t1\tPLAIN\tservice=smtp\trip=192.0.2.7\tresp=${
      plain(USER, password)
    }\n`,
  );
}

/** Four fields, each behind its length. */
function saslauthdQuestion(password: string): Uint8Array {
  const fields = [USER, password, "smtp", ""].map(text);
  return new Uint8Array(fields.flatMap((field) => [0, field.length, ...field]));
}

Deno.test("main.ts answers at its port and at all adapters, with one log, and leaves no socket behind", async () => {
  await using cleanUp = new AsyncDisposableStack();
  const folder = temporaryFolder(cleanUp);
  const [auth, mux] = [`${folder}/auth`, `${folder}/mux`];
  await using listener = await startListener({
    args: [
      ...["--dovecot-socket", auth, "--saslauthd-socket", mux],
      ...["--socket-mode", "600"],
      ...["--nginx-port", "0", "--nginx-upstream", "127.0.0.1:2526"],
    ],
    env: { MEOWMAIL_SMTP_NGINX_SECRET: "known-to-both" },
  });
  await listener.logged(/listening on [^"]* for nginx/);
  assertEquals((Deno.statSync(auth).mode ?? 0) & 0o777, 0o600);

  assertMatch(
    await converse(auth, dovecotAuth(PASSWORD), /^(OK|FAIL)\t/m),
    new RegExp(`^OK\t1\tuser=${USER}`, "m"),
  );
  assertMatch(
    await converse(auth, dovecotAuth("wrong"), /^(OK|FAIL)\t.*\n/m),
    new RegExp(`^FAIL\t1\tuser=${USER}`, "m"),
  );
  assertEquals(
    await converse(mux, saslauthdQuestion(PASSWORD), /OK|NO/),
    "\0\x02OK",
  );
  const port = /listening on 127\.0\.0\.1:([0-9]+) for nginx/
    .exec(listener.stderr())?.[1];
  const client = Deno.createHttpClient({});
  cleanUp.defer(() => client.close());
  const response = await fetch(`http://127.0.0.1:${port}/`, {
    client,
    headers: {
      "auth-method": "plain",
      "auth-user": USER,
      "auth-pass": encodeURIComponent(PASSWORD),
      "x-auth-key": "known-to-both",
    },
  });
  await response.body?.cancel();
  assertEquals(response.headers.get("auth-status"), "OK");
  using smtp = await SmtpClient.greeted(listener.port);
  await smtp.login(USER, PASSWORD);
  smtp.close();

  assertEquals((await listener.stop()).code, 0);
  const logins = listener.log().filter(({ event }) => event === "auth");
  assertEquals(logins.map(({ via, outcome }) => [via, outcome]), [
    ["dovecot", "ok"],
    ["dovecot", "invalid"],
    ["saslauthd", "ok"],
    ["nginx", "ok"],
    ["smtp", "ok"],
  ]);
  assertEquals([...Deno.readDirSync(folder)], []);
});

Deno.test("main.ts closes the Dovecot adapter's connection for an outage, and answers after it", async () => {
  await using cleanUp = new AsyncDisposableStack();
  const auth = `${temporaryFolder(cleanUp)}/auth`;
  let status = 500;
  await using end = serveHttp(() => Response.json({ ok: true }, { status }));
  await using _listener = await startListener({
    authUrl: end.url,
    args: ["--dovecot-socket", auth],
  });
  const question = dovecotAuth(PASSWORD);
  let closed = false;
  try {
    await converse(auth, question, /^(OK|FAIL)\t/m);
  } catch {
    closed = true;
  }
  assert(closed);
  status = 200;
  assertMatch(await converse(auth, question, /^(OK|FAIL)\t/m), /^OK\t1\t/m);
});

Deno.test("main.ts says in one line that an adapter can't be opened, and opens nothing", async () => {
  await using cleanUp = new AsyncDisposableStack();
  const file = `${temporaryFolder(cleanUp)}/file`;
  Deno.writeTextFileSync(file, "");
  const { code, stderr } = await runCommand({
    args: ["--port", "0", "--dovecot-socket", file],
    env: { MEOWMAIL_SMTP_USER: USER, MEOWMAIL_SMTP_PASS: PASSWORD },
  });
  assertEquals(code, 1);
  assertEquals(
    stderr,
    `error: cannot open --dovecot-socket ${file}: ${file} is there already and is no socket\n`,
  );
  assertEquals(Deno.readTextFileSync(file), "");
});

Deno.test("main.ts offers the mechanisms of --mechanisms at its port and at the Dovecot socket", async () => {
  await using cleanUp = new AsyncDisposableStack();
  const auth = `${temporaryFolder(cleanUp)}/auth`;
  await using endpoint = serveHttp(() => Response.json({ ok: false }));
  await using listener = await startListener({
    authUrl: endpoint.url,
    args: ["--dovecot-socket", auth, "--mechanisms", "XOAUTH2,OAUTHBEARER"],
  });
  const said = await converse(auth, text("VERSION\t1\t0\nCPID\t7\n"), /DONE/);
  assertEquals(said.match(/^MECH.*$/gm), [
    "MECH\tXOAUTH2\tplaintext",
    "MECH\tOAUTHBEARER\tplaintext",
  ]);
  using client = await SmtpClient.open(listener.port);
  await client.expect("220");
  const { lines } = await client.command("EHLO client.example.net", "250");
  assert(lines.includes("AUTH XOAUTH2 OAUTHBEARER"));
  await client.command("AUTH PLAIN", "504 5.5.4");
});
