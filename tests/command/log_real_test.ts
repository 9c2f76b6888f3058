import { isInstalled } from "../support/daemons.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertNotMatch,
  assertStringIncludes,
} from "../support/assert.ts";
import { mustHappen } from "../../testing/deadline.ts";
import { eventually } from "../support/eventually.ts";
import {
  COMMAND_ARGS,
  type Listener,
  parseLog,
  PASSWORD,
  startListener,
  temporaryFolder,
  USER,
} from "../support/listener.ts";
import { filesIn } from "../support/maildir.ts";
import { SmtpClient } from "../../testing/client.ts";

/** One login, one wrong one, one message. */
async function someTraffic(listener: Listener): Promise<void> {
  using client = await SmtpClient.greeted(listener.port);
  await client.login(USER, "wrong", "535");
  await client.login(USER, PASSWORD);
  await client.envelope("ann@example.org", ["b@example.net", "c@example.net"]);
  await client.send("Subject: x", "", "y", ".", "QUIT");
  await client.expect("250", "221");
  await client.expectEnd();
}

Deno.test("main.ts --log json writes one object a line, with the fields of each event", async () => {
  await using listener = await startListener({ args: ["--log", "json"] });
  await someTraffic(listener);
  await listener.stop();
  const log = parseLog(listener.stderr());
  for (const { time, level, message } of log) {
    assertMatch(String(time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert(level === "info" || level === "warn");
    assert(typeof message === "string" && message !== "");
  }
  const [listening, wrong, right, mail, ...rest] = log;
  assertStringIncludes(
    String(listening?.message),
    `listening on 127.0.0.1:${listener.port}`,
  );
  assertMatch(String(wrong?.id), /^[0-9a-z]{14,}$/);
  const auth = {
    event: "auth",
    via: "smtp",
    id: wrong?.id,
    mechanism: "PLAIN",
    username: USER,
    remoteIp: "127.0.0.1",
    tls: false,
  };
  assertEquals<unknown>(fields(wrong), {
    ...auth,
    outcome: "invalid",
    code: 535,
    reason: "wrong-credentials",
    milliseconds: "number",
  });
  assertEquals<unknown>(fields(right), {
    ...auth,
    outcome: "ok",
    code: 235,
    reason: "ok",
    milliseconds: "number",
  });
  assertEquals<unknown>(fields(mail), {
    event: "message",
    via: "smtp",
    id: wrong?.id,
    code: 250,
    text: mail?.text,
    username: USER,
    sender: "ann@example.org",
    recipients: 2,
    refusedRecipients: 0,
    octets: 17,
    remoteIp: "127.0.0.1",
    tls: false,
  });
  const [name = ""] = filesIn(listener.maildir, "new");
  const [, id = "?"] = /^Queued as (\S+)$/.exec(String(mail?.text)) ?? [];
  assert(name.startsWith(id), "the log and the client know the file's name");
  assertEquals(rest.map(({ message }) => message), [
    "stopping on SIGTERM",
    "stopped",
  ]);
});

/** A line's own fields; a duration is only said to be one. */
function fields(line: Readonly<Record<string, unknown>> | undefined) {
  const { time: _, level: __, message: ___, ...own } = line ?? {};
  return "milliseconds" in own
    ? { ...own, milliseconds: typeof own.milliseconds }
    : own;
}

Deno.test("main.ts --log text writes a line for people per event, without colors where there is no terminal", async () => {
  await using listener = await startListener({ args: ["--log", "text"] });
  await someTraffic(listener);
  await listener.stop();
  assertMatch(
    listener.stderr(),
    new RegExp(
      [
        `^T info  listening on 127\\.0\\.0\\.1:${listener.port}`,
        `T warn  auth invalid ${USER} \\(wrong-credentials\\) from 127\\.0\\.0\\.1, PLAIN, plain text, \\d+ ms`,
        `T info  auth ok ${USER} from 127\\.0\\.0\\.1, PLAIN, plain text, \\d+ ms`,
        `T info  mail from <ann@example\\.org> to 2 recipients, 17 bytes, login ${USER}: 250 Queued as \\S+`,
        "T info  stopping on SIGTERM",
        "T info  stopped\n$",
      ].join("\n").replaceAll(
        "T ",
        "\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d[+-]\\d\\d:\\d\\d ",
      ),
    ),
  );
});

async function isRefused(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return false;
  } catch (error) {
    return error instanceof Deno.errors.ConnectionRefused;
  }
}

/** What a keyboard sends for a SIGINT. */
const CTRL_C = Uint8Array.of(3);

/** What the command writes to a terminal when it starts. */
async function startOnTerminal(noColor: boolean): Promise<string> {
  const { promise: listening, resolve } = Promise.withResolvers<void>();
  const command = [Deno.execPath(), ...COMMAND_ARGS, "--port", "0"]
    .map((word) => `'${word.replaceAll("'", "'\\''")}'`)
    .join(" ");
  await using cleanUp = new AsyncDisposableStack();
  const child = new Deno.Command("script", {
    args: ["-qec", command, "/dev/null"],
    cwd: temporaryFolder(cleanUp),
    // Deno itself reads NO_COLOR, and so do the tests' runners.
    env: { NO_COLOR: noColor ? "1" : "" },
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  let text = "";
  const collecting = (async () => {
    for await (
      const part of child.stdout.pipeThrough(new TextDecoderStream())
    ) {
      text += part;
      if (/listening on [^\n]*\n/.test(text)) resolve();
    }
  })();
  const keyboard = child.stdin.getWriter();
  try {
    await mustHappen(listening, "the command listens");
    await keyboard.write(CTRL_C);
    await mustHappen(child.status, "the command ends");
  } finally {
    await keyboard.close().catch(() => {});
    await Promise.all([child.status, collecting]);
  }
  const [, port] = /listening on 127\.0\.0\.1:([0-9]+)/.exec(text) ?? [];
  await eventually("the command has ended", () => isRefused(Number(port)));
  return text;
}

for (const noColor of [false, true]) {
  Deno.test({
    name: `main.ts writes the log as text on a terminal, ${
      noColor ? "without colors under NO_COLOR" : "with colors"
    } (needs script)`,
    ignore: !isInstalled("script"),
    fn: async () => {
      const text = await startOnTerminal(noColor);
      assertMatch(text, /user: demo/);
      assertNotMatch(text, /\{"time"/);
      assertEquals(text.includes("\x1b["), !noColor, text);
    },
  });
}
