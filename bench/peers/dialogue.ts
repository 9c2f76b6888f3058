/**
 * What clients say and what they want to hear: the load generator's side, and
 * from it the floor's.
 *
 * @module
 */

import { LOGIN, type Script, type Turn } from "./config.ts";

const encoder = new TextEncoder();

/** Something to send in one go, and the reply codes that must come back. */
export interface Exchange {
  readonly octets: Uint8Array<ArrayBuffer>;
  readonly codes: readonly number[];
  readonly does?: NonNullable<Turn["does"]>;
  /** What the floor answers; absent: a line for each code. */
  readonly canned?: string;
}

function say(
  text: string,
  codes: readonly number[],
  does?: Exchange["does"],
): Exchange {
  const octets = encoder.encode(text);
  return { octets, codes, ...(does === undefined ? {} : { does }) };
}

const HELLO = [
  "250-localhost",
  "250-PIPELINING",
  "250-SIZE 26214400",
  "250-8BITMIME",
  "250-SMTPUTF8",
  "250-ENHANCEDSTATUSCODES",
  "250 AUTH PLAIN LOGIN",
  "",
].join("\r\n");

/** EHLO with a name. */
export function ehlo(name: string): Exchange {
  return { ...say(`EHLO ${name}\r\n`, [250]), canned: HELLO };
}

/** EHLO. */
export const EHLO: Exchange = ehlo("bench.example");
/** QUIT. */
export const QUIT: Exchange = say("QUIT\r\n", [221]);
/** STARTTLS. */
export const STARTTLS: Exchange = say("STARTTLS\r\n", [220], "encrypt");

const { username, password } = LOGIN;

/** AUTH PLAIN with an initial response. */
export const AUTH_PLAIN: readonly Exchange[] = [
  say(`AUTH PLAIN ${btoa(`\0${username}\0${password}`)}\r\n`, [235], "ask"),
];

/** AUTH LOGIN in three steps. */
export const AUTH_LOGIN: readonly Exchange[] = [
  say("AUTH LOGIN\r\n", [334]),
  say(`${btoa(username)}\r\n`, [334]),
  say(`${btoa(password)}\r\n`, [235], "ask"),
];

const MAIL = "MAIL FROM:<ann@bench.example>\r\n";
const RCPT = "RCPT TO:<bob@elsewhere.example>\r\n";
const DATA = "DATA\r\n";

/** A message, its commands in one go or one by one. */
export function message(
  body: Uint8Array<ArrayBuffer>,
  pipelined: boolean,
): readonly Exchange[] {
  const head = pipelined
    ? [say(MAIL + RCPT + DATA, [250, 250, 354])]
    : [say(MAIL, [250]), say(RCPT, [250]), say(DATA, [354])];
  return [...head, { octets: body, codes: [250], does: "store" }];
}

/** A message's octets, its final dot included. */
export function bodyOf(octets: number): Uint8Array<ArrayBuffer> {
  const head = "From: ann@bench.example\r\nTo: bob@elsewhere.example\r\n" +
    "Subject: benchmark\r\nMessage-ID: <1@bench.example>\r\n\r\n";
  const line = `${"The quick brown fox jumps over the lazy dog. ".repeat(2)}`
    .slice(0, 74) + "\r\n";
  const lines = Math.ceil((octets - head.length) / line.length);
  return encoder.encode(`${head}${line.repeat(lines)}.\r\n`);
}

const CANNED: Readonly<Record<number, string>> = {
  221: "221 2.0.0 Bye\r\n",
  220: "220 2.0.0 Ready to start TLS\r\n",
  235: "235 2.7.0 Authentication successful\r\n",
  250: "250 2.0.0 Ok\r\n",
  334: "334 VXNlcm5hbWU6\r\n",
  354: "354 Start mail input, end with <CRLF>.<CRLF>\r\n",
};

/** The floor's side of a conversation. */
export function scriptOf(
  once: readonly Exchange[],
  again: readonly Exchange[],
): Script {
  const turns = [...once, ...again].map((exchange): Turn => ({
    octets: exchange.octets.length,
    reply: exchange.canned ??
      exchange.codes.map((code) => CANNED[code] ?? "").join(""),
    ...(exchange.does === undefined ? {} : { does: exchange.does }),
  }));
  return {
    greeting: "220 localhost ESMTP\r\n",
    turns,
    ...(again.length === 0 ? {} : { again: once.length }),
  };
}
