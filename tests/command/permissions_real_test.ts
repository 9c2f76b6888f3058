// What main.ts says that it lacks is enough, and no more is asked for: the line
// is pasted, as an operator would.

import {
  PASSWORD,
  runCommand,
  startListener,
  temporaryFolder,
  USER,
} from "../support/listener.ts";
import { assert, assertEquals, assertExists } from "../support/assert.ts";
import { freePort } from "../support/daemons.ts";
import { REDIS, startRedis } from "../support/redis_server.ts";
import { SmtpClient } from "../../testing/client.ts";

const LOCAL = { MEOWMAIL_SMTP_USER: USER, MEOWMAIL_SMTP_PASS: PASSWORD };

/** Starts with what the command says, and logs somebody in. */
async function startsAsTold(
  args: readonly string[],
  maildir: string,
): Promise<void> {
  const port = `${freePort()}`;
  const env = {
    ...LOCAL,
    MEOWMAIL_SMTP_PORT: port,
    MEOWMAIL_SMTP_MAILDIR: maildir,
  };
  const { stderr } = await runCommand({
    args,
    env,
    permissions: ["--allow-env"],
  });
  const [, told] = /add -P, or (.*)\n$/.exec(stderr) ?? [];
  assertExists(told, stderr);
  await using listener = await startListener({
    args,
    env,
    maildir,
    permissions: ["--allow-env", ...told.split(" ")],
  });
  using client = await SmtpClient.greeted(listener.port);
  await client.login(USER, "wrong", "535");
  await client.login(USER, PASSWORD);
  await client.command("QUIT", "221");
  await client.expectEnd();
  assertEquals((await listener.stop()).code, 0);
  const bad = listener.log().filter(({ level, event }) =>
    level !== "info" && event !== "auth"
  );
  assertEquals(bad, []);
}

const SETTINGS: Readonly<Record<string, (folder: string) => string[]>> = {
  "--dovecot-socket, --saslauthd-socket and --policy-socket": (folder) => [
    ...["--dovecot-socket", `${folder}/auth`],
    ...["--saslauthd-socket", `${folder}/mux`],
    ...["--policy-socket", `${folder}/policy`],
  ],
  "--shared-state kv:": (folder) => ["--shared-state", `kv:${folder}/state`],
  "--metrics-port and --nginx-port": () => [
    ...["--metrics-port", `${freePort()}`, "--nginx-port", `${freePort()}`],
    ...["--nginx-upstream", "127.0.0.1:25"],
  ],
};

for (const [what, argsIn] of Object.entries(SETTINGS)) {
  Deno.test(`main.ts starts with the permissions that it says it lacks: ${what}`, async () => {
    await using cleanUp = new AsyncDisposableStack();
    const folder = temporaryFolder(cleanUp);
    await startsAsTold(argsIn(folder), `${folder}/maildir`);
  });
}

Deno.test({
  name:
    "main.ts starts with the permissions that it says it lacks: --shared-state redis:",
  ignore: REDIS === undefined,
  fn: async () => {
    assertExists(REDIS);
    await using cleanUp = new AsyncDisposableStack();
    await using redis = await startRedis(REDIS);
    const place = `redis://127.0.0.1:${redis.port}`;
    const folder = temporaryFolder(cleanUp);
    await startsAsTold(["--shared-state", place], `${folder}/maildir`);
    // It was not done without.
    const keys = await redis.look.command("DBSIZE");
    assert(Number(keys) > 0);
  },
});
