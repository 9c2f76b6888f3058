/**
 * Sessions in each of their states, and what clients say to bring them there.
 *
 * @module
 */

import type { SessionAction } from "../../smtp/protocol/actions.ts";
import type { Session } from "../../smtp/protocol/session.ts";
import {
  type ClientOptions,
  latin1,
  newSession,
  SessionClient,
  textOf,
} from "./session.ts";

export const EHLO = "EHLO client.example.net\r\n";
export const LOGIN = "AUTH PLAIN AGFubgBzZWNyZXQ=\r\n";
export const WRONG = "AUTH PLAIN AGFubgB3cm9uZw==\r\n";
export const MAIL =
  "MAIL FROM:<ann@example.org>\r\nRCPT TO:<bob@example.net>\r\n";

export const OPEN: ClientOptions = { rules: { authRequired: false } };
export const CERTIFICATE: ClientOptions = {
  rules: { startTls: true },
  peer: { plainTextAuth: false },
};

/** A client that has said something, whose answers are not of interest. */
export function clientAfter(
  said: string,
  options: ClientOptions = {},
): SessionClient {
  const client = new SessionClient(options);
  client.send(said);
  client.actions.length = 0;
  return client;
}

/** The code and enhanced code of each line. */
export function codes(output: string): string[] {
  return output.split("\r\n").slice(0, -1).map((line) =>
    /^[0-9]{3}[- ](?:[0-9]\.[0-9]\.[0-9]+)?/.exec(line)?.[0].trim() ?? line
  );
}

/** The states that a session can be in. */
export type StateName =
  | "commands"
  | "sasl"
  | "deciding"
  | "upgrading"
  | "transaction"
  | "data"
  | "delivering"
  | "closed";

/** How to get there: what a client says, and what the session asks then. */
const STATES: Readonly<
  Record<StateName, readonly [string, SessionAction["kind"], ClientOptions]>
> = {
  commands: ["", "needData", {}],
  sasl: [`${EHLO}AUTH LOGIN YW5u\r\n`, "needData", {}],
  deciding: [`${EHLO}${LOGIN}`, "authenticate", {}],
  upgrading: ["STARTTLS\r\n", "startTls", CERTIFICATE],
  transaction: [`${EHLO}${MAIL}`, "needData", OPEN],
  data: [`${EHLO}${MAIL}DATA\r\n`, "message", OPEN],
  delivering: [`${EHLO}${MAIL}DATA\r\nx\r\n.\r\n`, "endOfMessage", OPEN],
  closed: ["QUIT\r\n", "close", {}],
};

/** All of them. */
export const STATE_NAMES: readonly StateName[] = [
  "commands",
  "sasl",
  "deciding",
  "upgrading",
  "transaction",
  "data",
  "delivering",
  "closed",
];

/** A session in a state, its last question open, all its output taken. */
export function sessionIn(state: StateName): Session {
  const [octets, last, options] = STATES[state];
  const session = newSession(options);
  session.receive(latin1(octets));
  while (session.next().kind !== last) {
    // Towards the question.
  }
  session.takeOutput();
  return session;
}

/** What a session says and does until it needs data or has closed. */
export function drain(session: Session): { output: string[]; last: string } {
  for (;;) {
    const { kind } = session.next();
    if (kind === "needData" || kind === "close") {
      return { output: codes(textOf(session.takeOutput())), last: kind };
    }
  }
}
