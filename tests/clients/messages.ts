/**
 * What clients send, the listener's copies of it, and how the two compare.
 *
 * @module
 */

import { assert, assertEquals } from "../support/assert.ts";
import type { Listener } from "../support/listener.ts";

const HEADER = [
  "From: Ann <ann@example.org>",
  "To: bob@example.net",
  "Subject: dots, long lines and 8 bits",
  "Date: Mon, 06 Jul 2026 12:00:00 +0000",
  "Message-ID: <awkward@example.org>",
  "MIME-Version: 1.0",
  "Content-Type: text/plain; charset=utf-8",
  "Content-Transfer-Encoding: 8bit",
  "",
  "",
].join("\r\n");

const DOTS = ["", ".", "..", "...", ".QUIT", ". ", "x.", "MAIL FROM:<>", ""];

/**
 * A message with everything that has to arrive as it is. Its octets are UTF-8,
 * and no line is longer than 998 of them (RFC 5322 section 2.1.1).
 */
export const MESSAGE: Uint8Array<ArrayBuffer> = new TextEncoder().encode(
  HEADER + [...DOTS, "ä".repeat(499), " € 🔑 ", ".ö", "the end", ""]
    .join("\r\n"),
);

/** 20 MB, to be kept byte for byte. */
const LARGE_OCTETS = 20 * 1024 * 1024;

/**
 * A large message: lines of all lengths up to 1,500, most with dots in front,
 * and all octets but CR and LF in them, so that every boundary between two
 * reads falls on something interesting.
 */
export function largeMessage(): Uint8Array<ArrayBuffer> {
  const message = new Uint8Array(LARGE_OCTETS);
  message.set(new TextEncoder().encode(HEADER));
  let at = HEADER.length;
  for (let line = 0; at < LARGE_OCTETS; line++) {
    const start = at;
    let end = start + (line * 7) % 1_500;
    if (end + 4 > LARGE_OCTETS) end = LARGE_OCTETS - 2;
    for (; at < end; at++) {
      const octet = (at - start + line) % 256;
      const isDot = at - start < line % 4;
      const isBreak = octet === 10 || octet === 13;
      message[at] = isDot ? 46 : isBreak ? 0xe4 : octet;
    }
    message.set([13, 10], at);
    at += 2;
  }
  return message;
}

/** All behind the header. */
export function bodyOf(message: Uint8Array): Uint8Array {
  const text = Array.from(message, (octet) => String.fromCharCode(octet));
  return message.subarray(text.join("").indexOf("\r\n\r\n") + 4);
}

/** One message as the listener keeps it. */
export interface Stored {
  readonly sender: string;
  readonly recipients: readonly string[];
  /** The protocol word of the Received line. */
  readonly word: string;
  /** What the client has sent: all behind the trace lines. */
  readonly octets: Uint8Array;
}

/** Everything that a listener has kept, oldest first. */
export function storedMessages({ maildir }: Listener): Stored[] {
  const count = (name: string) => Number(/Q([0-9]+)/.exec(name)?.[1]);
  assertEquals([...Deno.readDirSync(`${maildir}/tmp`)], [], "left in tmp");
  return [...Deno.readDirSync(`${maildir}/new`)]
    .map(({ name }) => name)
    .sort((a, b) => count(a) - count(b))
    .map((name) => parseStored(Deno.readFileSync(`${maildir}/new/${name}`)));
}

const TRACE =
  /^Return-Path: <(.*)>\r\n((?:X-Original-To: .*\r\n)*)(?:X-Original-User: .*\r\n)?Received: from .*\r\n\tby .* with ([A-Z0-9]+) id .*;\r\n\t.*\r\n/;

function parseStored(file: Uint8Array): Stored {
  const head = new TextDecoder().decode(file.subarray(0, 4096));
  const [trace, sender = "", originalTo = "", word = ""] = TRACE.exec(head) ??
    [];
  assert(trace !== undefined, `no trace lines: ${head}`);
  return {
    sender,
    recipients: [...originalTo.matchAll(/: (.*)\r\n/g)]
      .map(([, recipient = ""]) => recipient),
    word,
    octets: file.subarray(new TextEncoder().encode(trace).length),
  };
}

/** Says where two long byte strings differ, which assertEquals takes long for. */
export function assertSameOctets(
  actual: Uint8Array,
  expected: Uint8Array,
  what = "message",
): void {
  const at = expected.findIndex((octet, index) => octet !== actual[index]);
  const from = Math.max(0, at - 20);
  if (at >= 0) {
    assertEquals(
      escaped(actual.subarray(from, at + 60)),
      escaped(expected.subarray(from, at + 60)),
      `the ${what} differs at octet ${at}`,
    );
  }
  assertEquals(actual.length, expected.length, `the ${what}'s length`);
}

function escaped(octets: Uint8Array): string {
  const text = Array.from(octets, (octet) => String.fromCharCode(octet));
  return JSON.stringify(text.join(""));
}
