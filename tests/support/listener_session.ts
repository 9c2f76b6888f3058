/**
 * What the tests of a running listener have in common.
 *
 * @module
 */

import { assertEquals } from "./assert.ts";
import { eventually } from "./eventually.ts";
import { type Listener, type LogLine, PASSWORD, USER } from "./listener.ts";
import { filesIn } from "./maildir.ts";
import { type ConnectOptions, SmtpClient } from "../../testing/client.ts";

/** Longer than any test may take, in milliseconds. */
export const FOREVER = "60000";

/** A client that has logged in. */
export async function loggedIn(
  port: number,
  options?: ConnectOptions,
): Promise<SmtpClient> {
  const client = await SmtpClient.greeted(port, options);
  await client.login(USER, PASSWORD);
  return client;
}

/** The log lines of a kind, once there are so many. */
export function events(
  listener: Listener,
  kind: string,
  count = 1,
): Promise<LogLine[]> {
  return eventually(`${count} log lines about ${kind}`, () => {
    const lines = listener.stderr().endsWith("\n")
      ? listener.log().filter(({ event }) => event === kind)
      : [];
    return lines.length >= count && lines;
  });
}

/** Neither in `new/` nor in `tmp/` there is anything. */
export function assertNothingKept({ maildir }: Listener): void {
  assertEquals(filesIn(maildir, "new"), []);
  assertEquals(filesIn(maildir, "tmp"), []);
}
