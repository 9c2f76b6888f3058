/**
 * What the tests of a running listener have in common.
 *
 * @module
 */

import { assertEquals } from "./assert.ts";
import { eventually } from "./eventually.ts";
import {
  type Listener,
  type LogLine,
  PASSWORD,
  startListener,
  USER,
} from "./listener.ts";
import { filesIn } from "./maildir.ts";
import { type ConnectOptions, SmtpClient } from "../../testing/client.ts";
import { mustHappen } from "../../testing/deadline.ts";
import { newTestEndpoint } from "../../testing/endpoint.ts";

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

/** A listener, and an endpoint that is asked and does not answer. */
export interface HeldListener {
  readonly listener: Listener;
  /** Resolves once the endpoint is asked. */
  readonly asked: () => Promise<void>;
  /** Has it answer, as it would have. */
  readonly answer: () => void;
  /** Resolves once it sees that nobody waits for its answer any more. */
  readonly gaveUp: () => Promise<void>;
}

/** Starts an endpoint that knows the user, and a listener that asks it. */
export async function startHeld(
  cleanUp: AsyncDisposableStack,
): Promise<HeldListener> {
  const { promise: asked, resolve: ask } = Promise.withResolvers<void>();
  const { promise: told, resolve: answer } = Promise.withResolvers<undefined>();
  const { promise: gaveUp, resolve: giveUp } = Promise.withResolvers<void>();
  const users = [{ username: USER, password: PASSWORD }];
  const endpoint = cleanUp.use(await newTestEndpoint({ users }));
  await endpoint.break(({ signal }) => {
    signal.addEventListener("abort", () => giveUp());
    ask();
    return told;
  });
  const args = ["--auth-timeout", FOREVER];
  const listener = cleanUp.use(
    await startListener({ authUrl: endpoint.url, args }),
  );
  return {
    listener,
    asked: () => mustHappen(asked, "the endpoint is asked"),
    answer: () => answer(undefined),
    gaveUp: () => mustHappen(gaveUp, "the endpoint sees its client leave"),
  };
}
