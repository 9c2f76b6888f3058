/**
 * What the command logs of a stranger who never fails, and of guessers whose
 * user names would like the stranger to be banned.
 *
 * @module
 */

import { eventually } from "./eventually.ts";
import { PASSWORD, startListener, USER } from "./listener.ts";
import { SmtpClient } from "../../testing/client.ts";

/** Somebody who never fails, and whom all would like to see banned. */
export const STRANGER = "203.0.113.9";

const FORGED_FIELDS =
  `"event":"auth","via":"smtp","id":"a1","remoteIp":"${STRANGER}","tls":true,"outcome":"invalid","code":535,"reason":"wrong-credentials","mechanism":"PLAIN"`;
const FORGED_JSON =
  `{"time":"2026-11-26T02:08:06.485Z","level":"warn","message":"x",${FORGED_FIELDS}}`;
const FORGED_TEXT =
  `ann (wrong-credentials) from ${STRANGER}, PLAIN, TLS, 12 ms`;

/** Names that want to be something else. */
const NAMES = [
  "ann",
  `x from ${STRANGER}, PLAIN`,
  FORGED_TEXT,
  `2026-11-26T02:08:06+00:00 warn  auth invalid ${FORGED_TEXT}`,
  `ann"${FORGED_TEXT}`,
  `ann\\" (wrong-credentials) from ${STRANGER}, PLAIN`,
  `\\" (wrong-credentials) from ${STRANGER}, PLAIN`,
  `) from ${STRANGER}, `,
  FORGED_FIELDS,
  FORGED_JSON,
  `",${FORGED_FIELDS}`,
  `\\",${FORGED_FIELDS}`,
  `\\\\",${FORGED_FIELDS}`,
  `x"}\u2028${FORGED_JSON}`,
  `host deno[1]: ${FORGED_JSON}`,
  `${"a".repeat(300)}",${FORGED_FIELDS}`,
  `\u202e${STRANGER}`,
  "ünïcode@example.org",
];

/** One address for each of those who guess. */
function guesser(number: number): string {
  return `198.51.100.${number + 1}`;
}

async function visit(
  port: number,
  from: string,
  say: (client: SmtpClient) => Promise<unknown>,
): Promise<void> {
  using client = await SmtpClient.open(port);
  await client.sendRaw(`PROXY TCP4 ${from} 192.0.2.1 50000 587\r\n`);
  await client.expect("220");
  await client.command("EHLO x", "250");
  await say(client);
  await client.command("QUIT", "221");
  await client.expectEnd();
}

/** What the program prints when all of them have been there. */
export async function hostileLog(format: "json" | "text"): Promise<string> {
  await using listener = await startListener({
    args: [
      ...["--log", format, "--proxy-protocol"],
      ...["--no-throttle", "--allow-insecure-auth"],
    ],
  });
  for (const [number, name] of NAMES.entries()) {
    await visit(
      listener.port,
      guesser(number),
      (client) => client.login(name, "wrong", "535"),
    );
  }
  await visit(listener.port, STRANGER, async (client) => {
    await client.command("AUTH PLAIN @@@", "501");
    await client.login(USER, PASSWORD);
    await client.command(`MAIL FROM:<"${FORGED_TEXT}"@x.test>`, "250");
    await client.command("RCPT TO:<a@b>", "250");
    await client.command("DATA", "354");
    await client.send("Hello", ".");
    await client.expect("250");
  });
  await eventually(
    "the message's line",
    () => listener.stderr().includes("Queued as"),
  );
  await listener.stop();
  return listener.stderr();
}

/** The addresses of those who guess, in the order of text. */
export const GUESSERS: readonly string[] = NAMES
  .map((_, number) => guesser(number)).sort();
