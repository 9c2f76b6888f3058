/**
 * What every adapter must do, seen by a mail client of the server behind it.
 *
 * @module
 */

import { assertEquals } from "./assert.ts";
import { LOGINS, type TestEndpoint } from "../../testing/endpoint.ts";
import type { FaultName } from "../../testing/faults.ts";
import type { Login } from "../../testing/habits.ts";
import { base64 } from "./octets.ts";
import { plain, SmtpClient } from "../../testing/client.ts";

/** A mechanism that every server offers. */
export type Mechanism = "PLAIN" | "PLAIN, challenged" | "LOGIN";

const MECHANISMS: readonly Mechanism[] = [
  "PLAIN",
  "PLAIN, challenged",
  "LOGIN",
];

/** Where the server is and what it says. */
export interface AdapterCheck {
  readonly port: number;
  readonly endpoint: TestEndpoint;
  /** Its reply to a right password. Default: `235 2.7.0`. */
  readonly ok?: string;
  /** Its reply to a wrong password, code and enhanced code. */
  readonly invalid: string;
  /** Its reply when nobody can tell. */
  readonly failure: string;
}

/** What the server answers to one login. */
export async function tryLogin(
  port: number,
  { username, password }: Login,
  mechanism: Mechanism = "PLAIN",
): Promise<string> {
  using client = await SmtpClient.greeted(port);
  switch (mechanism) {
    case "PLAIN":
      await client.send(`AUTH PLAIN ${plain(username, password)}`);
      break;
    case "PLAIN, challenged":
      await client.send("AUTH PLAIN");
      await client.expect("334");
      await client.send(plain(username, password));
      break;
    case "LOGIN":
      await client.send("AUTH LOGIN");
      await client.expect("334");
      await client.send(base64(username));
      await client.expect("334");
      await client.send(base64(password));
      break;
    default:
      mechanism satisfies never;
  }
  const { status } = await client.reply();
  return status;
}

/** Right and wrong passwords, by every mechanism, all at once. */
export async function checkDecisions(
  { port, invalid, ok = "235 2.7.0" }: AdapterCheck,
): Promise<void> {
  const nobody = { username: "nobody@example.com", password: "x" };
  const cases = LOGINS.flatMap((login) =>
    MECHANISMS.flatMap((mechanism) => [
      [login, mechanism, ok] as const,
      [
        { ...login, password: `${login.password}x` },
        mechanism,
        invalid,
      ] as const,
    ])
  );
  const replies = await Promise.all(
    [...cases, [nobody, "PLAIN", invalid] as const].map(
      async ([login, mechanism, expected]) => ({
        login,
        mechanism,
        expected,
        reply: await tryLogin(port, login, mechanism),
      }),
    ),
  );
  for (const { login, mechanism, expected, reply } of replies) {
    assertEquals(reply, expected, `${login.username} by ${mechanism}`);
  }
}

/**
 * Every kind of outage is temporary, and the next login after it works. All
 * checks share one endpoint.
 */
export async function checkOutages(...checks: AdapterCheck[]): Promise<void> {
  const faults: readonly FaultName[] = ["500", "hang", "refused"];
  for (const fault of faults) {
    await checks[0]?.endpoint.break(fault);
    await Promise.all(checks.map((check) => checkOutage(check, fault)));
    await checks[0]?.endpoint.break("none");
    for (const { port, ok = "235 2.7.0" } of checks) {
      assertEquals(await tryLogin(port, LOGINS[0]), ok, `after ${fault}`);
    }
  }
}

async function checkOutage(
  { port, failure }: AdapterCheck,
  fault: FaultName,
): Promise<void> {
  const [login] = LOGINS;
  for (const mechanism of ["PLAIN", "LOGIN"] as const) {
    for (const password of [login.password, "wrong"]) {
      const status = await tryLogin(port, { ...login, password }, mechanism);
      assertEquals(status, failure, `${mechanism}: ${fault}`);
    }
  }
}
