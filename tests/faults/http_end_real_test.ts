import { assert, assertEquals } from "../support/assert.ts";
import type { FaultName } from "../../testing/faults.ts";
import { eventually } from "../support/eventually.ts";
import { LOGINS, newTestEndpoint } from "../../testing/endpoint.ts";
import {
  type Listener,
  PASSWORD,
  startListener,
  USER,
} from "../support/listener.ts";
import { plain, SmtpClient } from "../../testing/client.ts";
import { watch, watchable } from "../support/watch.ts";

const AUTH_TIMEOUT_MS = 600;

/** Who logs in where watch() does. */
const USER_LOGIN = { username: USER, password: PASSWORD };

/** What the endpoint suffers from, and how the log calls it. */
const FAULTS: readonly (readonly [FaultName, string])[] = [
  ["hang", "backend-timeout"],
  ["reset", "backend-unreachable"],
  ["not HTTP", "backend-unreachable"],
  ["slow", "backend-timeout"],
  ["closed", "backend-unreachable"],
  ["cut in head", "backend-unreachable"],
  ["cut in body", "backend-unreachable"],
  ["endless", "backend-size"],
];

/** The reasons of all AUTH commands of a user, once so many are in the log. */
function reasonsOf(
  listener: Listener,
  username: string,
  count: number,
): Promise<unknown[]> {
  return eventually("the log is written", () => {
    if (!listener.stderr().endsWith("\n")) return undefined;
    const reasons = listener.log()
      .filter((entry) => entry.event === "auth" && entry.username === username)
      .map(({ reason }) => reason);
    return reasons.length === count && reasons;
  });
}

Deno.test({
  name:
    "main.ts answers 454 4.7.0 to many at once whatever the endpoint suffers from, and 235 right after",
  ignore: !watchable,
  fn: async () => {
    await using end = await newTestEndpoint({ users: [USER_LOGIN] });
    await using listener = await startListener({
      authUrl: end.url,
      args: ["--auth-timeout", `${AUTH_TIMEOUT_MS}`],
    });
    const { assertRecovered } = await watch(listener);
    for (const [fault, reason] of FAULTS) {
      await end.break(fault);
      await Promise.all(Array.from({ length: 10 }, async () => {
        using client = await SmtpClient.greeted(listener.port);
        // The same connection may try again, and is not held guilty.
        for (let tries = 0; tries < 2; tries++) {
          await client.login(`ann ${fault}`, "secret", "454 4.7.0");
        }
        await client.command("MAIL FROM:<a@example.org>", "530 5.7.0");
        await client.command("QUIT", "221");
      }));
      const user = `ann ${fault}`;
      const reasons = new Set(await reasonsOf(listener, user, 20));
      assertEquals([...reasons], [reason], fault);
      await end.break("none");
      // The first good login, not the second.
      await assertRecovered();
    }
  },
});

Deno.test({
  name: "main.ts hangs up on an endpoint whose client leaves, however it ails",
  ignore: !watchable,
  fn: async () => {
    await using end = await newTestEndpoint({ users: [USER_LOGIN] });
    await using listener = await startListener({
      authUrl: end.url,
      args: ["--auth-timeout", "60000"],
    });
    const { assertRecovered } = await watch(listener);
    for (const fault of ["hang", "slow"] as const) {
      await end.break(fault);
      await Promise.all(Array.from({ length: 20 }, async (_, i) => {
        using client = await SmtpClient.greeted(listener.port);
        await client.send(`AUTH PLAIN ${plain("ann", "secret")}`);
        if (i % 2 === 0) await client.closeWrite();
      }));
      await end.break("none");
      await assertRecovered();
    }
  },
});

Deno.test({
  name:
    "main.ts answers 454 4.7.0 while nobody listens at the endpoint, and 235 once it is back",
  ignore: !watchable,
  fn: async () => {
    await using end = await newTestEndpoint();
    const { username, password } = LOGINS[0];
    await using listener = await startListener({ authUrl: end.url });
    for (let outage = 0; outage < 3; outage++) {
      using client = await SmtpClient.greeted(listener.port);
      await end.break("refused");
      await client.login(username, password, "454 4.7.0");
      await end.break("none");
      await client.login(username, password, "235 2.7.0");
    }
    const reasons = await reasonsOf(listener, username, 6);
    assert(
      reasons.every((reason, i) =>
        reason === (i % 2 === 0 ? "backend-unreachable" : "ok")
      ),
    );
  },
});
