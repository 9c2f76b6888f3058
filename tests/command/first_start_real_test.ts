import { isInstalled } from "../support/daemons.ts";
import {
  assertEquals,
  assertFalse,
  assertMatch,
  assertNotEquals,
  assertStringIncludes,
} from "../support/assert.ts";
import { testCertificate } from "../support/certificate.ts";
import { mustHappen } from "../../testing/deadline.ts";
import {
  type CommandResult,
  type Listener,
  type ListenerOptions,
  startListener,
} from "../support/listener.ts";
import { onlyMessageIn } from "../support/maildir.ts";
import { SmtpClient } from "../../testing/client.ts";

/** What a first start has printed. */
function printed(stdout: string) {
  const [, username = ""] = /^user: (.+)$/m.exec(stdout) ?? [];
  const [, password = ""] = /^password: (.+)$/m.exec(stdout) ?? [];
  const pastes = stdout.split("\n").filter((line) => line.startsWith("curl"));
  return { username, password, pastes };
}

function firstStart(options: ListenerOptions): Promise<Listener> {
  return startListener({ ...options, firstStart: true });
}

Deno.test("main.ts makes up another login for each first start, prints it once and logs it never", async () => {
  await using one = await firstStart({});
  await using two = await firstStart({});
  for (const listener of [one, two]) {
    const { username, password, pastes } = printed(listener.stdout());
    assertMatch(password, /^\S{16,}$/);
    assertEquals(pastes.length, 1);
    using client = await SmtpClient.greeted(listener.port);
    await client.login(username, "wrong", "535 5.7.8");
    await client.login(username, password);
    await client.command("QUIT", "221");
    await listener.stop();
    assertFalse(listener.stderr().includes(password));
  }
  assertNotEquals(printed(one.stdout()), printed(two.stdout()));
});

async function paste(line: string): Promise<CommandResult> {
  const child = new Deno.Command("sh", {
    args: ["-c", line],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  try {
    const { code, stdout, stderr } = await mustHappen(
      child.output(),
      "the pasted line ends",
    );
    const decoder = new TextDecoder();
    return {
      code,
      stdout: decoder.decode(stdout),
      stderr: decoder.decode(stderr),
    };
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
}

for (const tls of [false, true]) {
  Deno.test({
    name: `main.ts prints a line to paste that delivers a first message${
      tls ? " over STARTTLS" : ""
    } (needs curl)`,
    ignore: !isInstalled("curl"),
    fn: async () => {
      await using listener = await firstStart(
        tls ? { certificate: await testCertificate() } : {},
      );
      const { username, pastes: [line = ""] } = printed(listener.stdout());
      const { code, stderr } = await paste(line);
      assertEquals(code, 0, stderr);
      const message = onlyMessageIn(listener.maildir);
      assertStringIncludes(message, "Subject: Hello");
      assertStringIncludes(message, "It works.");
      assertStringIncludes(message, tls ? " with ESMTPSA " : " with ESMTPA ");
      assertStringIncludes(listener.stdout(), "./maildir/new");
      const [auth] = listener.log().filter(({ event }) => event === "auth");
      assertEquals(auth?.username, username);
    },
  });
}
