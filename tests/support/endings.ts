/**
 * Connections that end: what their clients say, who takes their mail, and what
 * came of it.
 *
 * @module
 */

import type { ConnectionContext } from "../../smtp/connection_context.ts";
import type { SmtpEvent } from "../../smtp/events.ts";
import type { HandConn } from "./hand_conn.ts";
import { RULES } from "./session.ts";

/** For who never comes to an end. */
export const never = (): Promise<never> => new Promise<never>(() => {});

/** A client's first line. */
export const EHLO = "EHLO x\r\n";

/** The same, and the beginning of a transaction. */
export const MAIL: string = `${EHLO}MAIL FROM:<ann@example.org>\r\n`;

/** A message that has begun, and whoever takes it never ends. */
export const BEGUN: string = `${MAIL}RCPT TO:<b@x>\r\nDATA\r\nhello\r\n`;

/** Whoever takes mail reads none of it, and never ends. */
export const DISK: Partial<ConnectionContext> = {
  rules: { ...RULES, authRequired: false },
  to: never,
};

/** Whoever takes mail reads all of it, and never ends. */
export const STORING: Partial<ConnectionContext> = {
  ...DISK,
  to: ({ body }) => body.pipeTo(new WritableStream()).then(never),
};

/** The code and enhanced code of each reply behind the greeting. */
export function repliesOf({ written }: HandConn): string[] {
  return written.join("").split("\r\n")
    .filter((line) => /^[0-9]{3} /.test(line) && !line.startsWith("220"))
    .map((line) =>
      /^[0-9]{3}(?: [0-9]\.[0-9]\.[0-9])?/.exec(line)?.[0] ?? line
    );
}

/** The reasons of `closed` events; others by their kind. */
export function wordsOf(events: readonly SmtpEvent[]): string[] {
  return events.map((event) =>
    event.kind === "closed" ? event.reason : event.kind
  );
}
