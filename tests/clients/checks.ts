/**
 * What every client must be able to do, and what each must be told.
 *
 * @module
 */

import { assertEquals } from "../support/assert.ts";
import { assertSameOctets, bodyOf, storedMessages } from "./messages.ts";
import {
  type Bench,
  HELO,
  LOGIN,
  type Login,
  type Mechanism,
  MECHANISMS,
  type Mode,
  newAskingBench,
  newBench,
  RECIPIENTS,
  SENDER,
  type Target,
} from "./support.ts";

/** The protocol word of RFC 3848 for a login in this mode. */
function wordFor(mode: Mode): string {
  return mode === "plain text" ? "ESMTPA" : "ESMTPSA";
}

/** Sends one message by a client. Fails unless the client says it is sent. */
export type Send = (
  target: Target,
  mechanism: Mechanism,
  bench: Bench,
) => Promise<void>;

/**
 * Sends by every mechanism through every target and compares what has arrived.
 * With `bodyOnly` the client makes a header of its own.
 */
export async function checkEverywhere(
  send: Send,
  message: Uint8Array,
  { bodyOnly = false }: { readonly bodyOnly?: boolean } = {},
): Promise<void> {
  await using bench = await newBench();
  for (const target of bench.targets) {
    const before = storedMessages(target.listener).length;
    for (const mechanism of MECHANISMS) await send(target, mechanism, bench);
    const stored = storedMessages(target.listener).slice(before);
    const { mode } = target;
    assertEquals(
      stored.map(({ octets: _, ...envelope }) => envelope),
      MECHANISMS.map(() => ({
        sender: SENDER,
        recipients: RECIPIENTS,
        word: wordFor(mode),
      })),
      mode,
    );
    for (const { octets } of stored) {
      const part = bodyOnly ? bodyOf : (whole: Uint8Array) => whole;
      assertSameOctets(part(octets), part(message), `message over ${mode}`);
    }
  }
}

/** Logs in by every mechanism through every target, with a wrong password. */
export async function checkWrongPassword(
  attempt: (
    target: Target,
    mechanism: Mechanism,
    bench: Bench,
    login: Login,
  ) => Promise<void>,
): Promise<void> {
  await using bench = await newBench();
  const wrong = { ...LOGIN, password: `${LOGIN.password} ` };
  for (const target of bench.targets) {
    for (const mechanism of MECHANISMS) {
      await attempt(target, mechanism, bench, wrong);
    }
    assertEquals(storedMessages(target.listener), [], target.mode);
  }
}

/** One login by one mechanism. */
export interface LoginCase {
  readonly login: Login;
  readonly mechanism: Mechanism;
}

/**
 * Has a message sent with every login by every mechanism, and compares what the
 * endpoint was asked.
 */
export async function checkLogins(
  logins: readonly Login[],
  sendAll: (
    target: Target,
    cases: readonly LoginCase[],
    folder: string,
  ) => Promise<void>,
): Promise<void> {
  await using bench = await newAskingBench(() => Response.json({ ok: true }));
  const cases = logins.flatMap((login) =>
    MECHANISMS.map((mechanism) => ({ login, mechanism }))
  );
  await sendAll(bench.target, cases, bench.folder);
  const expected = cases.map(({ login, mechanism }): unknown => ({
    username: login.username,
    password: login.password,
    mechanism,
    remoteIp: "127.0.0.1",
    heloName: HELO,
  }));
  const { requests } = bench.endpoint;
  assertEquals(
    requests.map(({ body }): unknown => JSON.parse(body)),
    expected,
  );
  assertEquals(
    requests.map(({ method, headers }) => [
      method,
      headers.get("content-type"),
    ]),
    expected.map(() => ["POST", "application/json"]),
  );
  assertEquals(storedMessages(bench.listener).length, expected.length);
}

/** Logs in while the endpoint is out of order. */
export async function checkBrokenEndpoint(
  attempt: (
    target: Target,
    mechanism: Mechanism,
    folder: string,
  ) => Promise<void>,
): Promise<void> {
  await using bench = await newAskingBench(
    () => new Response("out of order", { status: 500 }),
  );
  for (const mechanism of MECHANISMS) {
    await attempt(bench.target, mechanism, bench.folder);
  }
  assertEquals(bench.endpoint.requests.length, MECHANISMS.length);
  assertEquals(storedMessages(bench.listener), []);
}
