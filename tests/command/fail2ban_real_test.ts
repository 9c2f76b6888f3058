// What a client types bans nobody else: fail2ban reads logs of ours.

import { assertEquals } from "../support/assert.ts";
import { eventually } from "../support/eventually.ts";
import {
  PASSWORD,
  startListener,
  temporaryFolder,
  USER,
} from "../support/listener.ts";
import { SmtpClient } from "../support/smtp_client.ts";

/** Somebody who never fails, and whom all would like to see banned. */
const STRANGER = "203.0.113.9";

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
async function logOf(format: "json" | "text"): Promise<string> {
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

/**
 * The addresses that fail2ban would count, one for each match.
 *
 * @param log What it reads.
 * @param name The name of the filter.
 * @param change Makes another filter of it.
 */
async function found(
  log: string,
  name: string,
  change: (filter: string) => string = (filter) => filter,
): Promise<string[]> {
  using cleanUp = new DisposableStack();
  const folder = temporaryFolder(cleanUp);
  const filter = await Deno.readTextFile(
    new URL(`../../contrib/fail2ban/filter.d/${name}.conf`, import.meta.url),
  );
  await Deno.writeTextFile(`${folder}/smtpauth.log`, log);
  await Deno.writeTextFile(`${folder}/filter.conf`, change(filter));
  const { code, stdout, stderr } = await new Deno.Command("fail2ban-regex", {
    args: ["--out", "ip", `${folder}/smtpauth.log`, `${folder}/filter.conf`],
  }).output();
  const text = new TextDecoder();
  assertEquals(code, 0, text.decode(stderr));
  return text.decode(stdout).trim().split("\n").sort();
}

const GUESSERS = NAMES.map((_, number) => guesser(number)).sort();

Deno.test("fail2ban bans every guesser and no stranger, by the JSON log, in a file and in the journal", async () => {
  const log = await logOf("json");
  assertEquals(await found(log, "smtpauth"), GUESSERS);
  // What fail2ban makes of the journal: its time is cut, and this is in front.
  const journal = log.replaceAll(
    /^(?=\{)/gm,
    "2026-11-26T02:08:06+0000 host deno[77]: ",
  );
  const dated = (filter: string) =>
    filter.replace(
      /^datepattern = .*$/m,
      "datepattern = ^%%Y-%%m-%%dT%%H:%%M:%%S%%z",
    );
  assertEquals(await found(journal, "smtpauth", dated), GUESSERS);
});

Deno.test("fail2ban bans every guesser and no stranger, by the text log", async () => {
  assertEquals(await found(await logOf("text"), "smtpauth-text"), GUESSERS);
});
