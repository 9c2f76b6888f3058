/**
 * Transcripts: conversations as text files, which tests/transcripts/README.md
 * describes. This file reads them and replays them against a Session; the
 * expectations can be checked against any other server as well.
 *
 * @module
 */

import { type MechanismName, readOffer } from "../../auth/sasl/offer.ts";
import type { SmtpReply } from "../../auth/replies.ts";
import * as endings from "../../smtp/protocol/endings.ts";
import { type ClientOptions, SessionClient } from "./session.ts";

/** The settings of a conversation, as the directives at its top say them. */
export interface TranscriptSettings {
  /** `tls`: encrypted from the start, with a certificate. */
  readonly tls: boolean;
  /** `certificate`: STARTTLS can be had, AUTH in plain text cannot. */
  readonly certificate: boolean;
  /** `insecure`: AUTH in plain text can be had nevertheless. */
  readonly insecure: boolean;
  /** `no-require-auth` makes it false. */
  readonly requireAuth: boolean;
  /** `max-size`: the largest message, in octets. */
  readonly maxSize: number;
  /** `normalize-newlines`: a bare CR or LF in a message becomes CRLF. */
  readonly normalizeNewlines: boolean;
  /** `max-recipients`: the most recipients of a message. */
  readonly maxRecipients: number;
  /** `max-auth-failures`: with which 535 the connection is closed. */
  readonly maxAuthFailures: number;
  /** `mechanisms`: what is on offer. */
  readonly mechanisms: readonly MechanismName[];
  /** `deliver`: what becomes of messages; absent if they are accepted. */
  readonly deliver?: SmtpReply;
  /** `lockstep`: the client must wait for answers (for TLS to begin). */
  readonly lockstep: boolean;
}

/** What the server is expected to send. */
export type Expected =
  /** One line; see {@linkcode matches}. */
  | { readonly kind: "line"; readonly text: string }
  /** One reply with this code, of any number of lines. */
  | { readonly kind: "reply"; readonly code: string }
  /** The end of the connection. */
  | { readonly kind: "close" };

/** Something that happens to the server. */
export type TranscriptEvent = "shutdown" | "idle";

/** The client sends, or something happens, and the server answers. */
export interface Turn {
  /** What happens to the server before the client sends; absent: nothing. */
  readonly event?: TranscriptEvent;
  /** What the client sends; may be nothing. */
  readonly octets: Uint8Array<ArrayBuffer>;
  /** What the server sends then. */
  readonly expected: readonly Expected[];
}

/** A conversation. */
export interface Transcript {
  /** The file's name without `.txt`. */
  readonly name: string;
  readonly settings: TranscriptSettings;
  readonly turns: readonly Turn[];
}

/** How the client's octets are cut into packets. */
export type Way = "turn by turn" | "octet by octet" | "in one packet";

const DIRECTORY = new URL("../transcripts/", import.meta.url);

const DEFAULTS: TranscriptSettings = {
  tls: false,
  certificate: false,
  insecure: false,
  requireAuth: true,
  maxSize: 26_214_400,
  normalizeNewlines: false,
  maxRecipients: 100,
  maxAuthFailures: 3,
  mechanisms: ["PLAIN", "LOGIN"],
  lockstep: false,
};

const encoder = new TextEncoder();

/** Reads all transcripts, in the order of their names. */
export function readTranscripts(directory: URL = DIRECTORY): Transcript[] {
  return [...Deno.readDirSync(directory)]
    .filter((entry) => entry.name.endsWith(".txt"))
    .map((entry) => entry.name.slice(0, -".txt".length))
    .sort()
    .map((name) => {
      const text = Deno.readTextFileSync(new URL(`${name}.txt`, directory));
      return parseTranscript(name, text);
    });
}

/** Reads one transcript; throws a SyntaxError that says what it stumbled over. */
export function parseTranscript(name: string, text: string): Transcript {
  let settings = DEFAULTS;
  const turns: Turn[] = [];
  let turn: Turn = { octets: new Uint8Array(), expected: [] };
  for (const [index, line] of text.replace(/\n$/, "").split("\n").entries()) {
    const where = `${name}.txt:${index + 1}`;
    const [, kind = "", times = "1", rest = ""] = LINE.exec(line) ?? [];
    if (kind === "#") continue;
    if (kind === "@") {
      settings = { ...settings, ...setting(rest, where) };
    } else if (kind === "!") {
      turns.push(turn);
      turn = { event: eventOf(rest, where), ...NOTHING };
    } else if (kind.startsWith("S")) {
      const expected = Array<Expected>(Number(times)).fill(expectation(rest));
      turn = { ...turn, expected: [...turn.expected, ...expected] };
    } else if (kind.startsWith("C")) {
      if (turn.expected.length > 0) {
        turns.push(turn);
        turn = NOTHING;
      }
      const end = line.startsWith("C-") ? "" : "\r\n";
      const sent = octetsOf(rest, end, where);
      const all = Array<Uint8Array>(Number(times)).fill(sent);
      turn = { ...turn, octets: joined(turn.octets, ...all) };
    } else {
      throw new SyntaxError(`${where}: no such line: ${line}`);
    }
  }
  return { name, settings, turns: [...turns, turn] };
}

const NOTHING: Turn = { octets: new Uint8Array(), expected: [] };

/** The kinds of lines: the mark, the repetition, the text. */
const LINE =
  /^(#|@|!|C(?=:|-|\*)|S(?=:|\*))(?:\*([1-9][0-9]*):|:|-|(?<=[#@!]))(?: (.*))?$/;

function setting(text: string, where: string): Partial<TranscriptSettings> {
  const [name = "", ...words] = text.split(" ");
  const value = words.join(" ");
  switch (name) {
    case "tls":
      return { tls: true };
    case "certificate":
      return { certificate: true };
    case "insecure":
      return { insecure: true };
    case "no-require-auth":
      return { requireAuth: false };
    case "lockstep":
      return { lockstep: true };
    case "max-size":
      return { maxSize: Number(value) };
    case "normalize-newlines":
      return { normalizeNewlines: true };
    case "max-recipients":
      return { maxRecipients: Number(value) };
    case "max-auth-failures":
      return { maxAuthFailures: Number(value) };
    case "mechanisms":
      return { mechanisms: words.map((word) => mechanism(word, where)) };
    case "deliver": {
      const [code = "", enhanced = "", ...reply] = words;
      return {
        deliver: { code: Number(code), enhanced, text: reply.join(" ") },
      };
    }
    default:
      throw new SyntaxError(`${where}: no such directive: ${name}`);
  }
}

function mechanism(name: string, where: string): MechanismName {
  switch (name) {
    case "PLAIN":
    case "LOGIN":
    case "XOAUTH2":
    case "OAUTHBEARER":
      return name;
  }
  throw new SyntaxError(`${where}: no such mechanism: ${name}`);
}

function eventOf(text: string, where: string): TranscriptEvent {
  if (text === "shutdown" || text === "idle") return text;
  throw new SyntaxError(`${where}: no such event: ${text}`);
}

function expectation(text: string): Expected {
  if (text === "<close>") return { kind: "close" };
  const [, code] = /^<([0-9]{3})>$/.exec(text) ?? [];
  return code === undefined ? { kind: "line", text } : { kind: "reply", code };
}

/** Octets of a client's line: repetitions, then escapes, the rest is UTF-8. */
function octetsOf(text: string, end: string, where: string): Uint8Array {
  const whole = text.replaceAll(
    /\{([^{}]+)\*([0-9]+)\}/g,
    (_, part: string, times: string) => part.repeat(Number(times)),
  );
  const pieces = whole.split(/(\\x[0-9a-f]{2}|\\.)/);
  return joined(
    ...pieces.map((piece, i) =>
      i % 2 === 0 ? encoder.encode(piece) : Uint8Array.of(escape(piece, where))
    ),
    encoder.encode(end),
  );
}

function escape(text: string, where: string): number {
  switch (text[1]) {
    case "r":
      return 13;
    case "n":
      return 10;
    case "t":
      return 9;
    case "\\":
      return 92;
    case "x":
      if (text.length === 4) return parseInt(text.slice(2), 16);
  }
  throw new SyntaxError(`${where}: no such escape: ${text}`);
}

function joined(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, p) => sum + p.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/**
 * Whether a line of the server, without its CRLF, is the one that a transcript
 * expects: the same, or with any text of one or more characters where ` *`
 * stands at the end.
 */
export function matches(expectedLine: string, actualLine: string): boolean {
  if (!expectedLine.endsWith(" *")) return actualLine === expectedLine;
  const start = expectedLine.slice(0, -1);
  return actualLine.startsWith(start) && actualLine.length > start.length;
}

/**
 * How many of the server's lines an expectation takes from the front:
 * `undefined` if they are others, or if the reply is not complete. A close
 * takes none.
 */
export function linesTaken(
  expected: Expected,
  lines: readonly string[],
): number | undefined {
  switch (expected.kind) {
    case "close":
      return 0;
    case "line":
      return matches(expected.text, lines[0] ?? "\n") ? 1 : undefined;
    case "reply": {
      const last = lines.findIndex((line) => line[3] !== "-");
      const reply = lines.slice(0, last + 1);
      return last >= 0 && reply.every((line) => line.startsWith(expected.code))
        ? last + 1
        : undefined;
    }
    default:
      return expected satisfies never;
  }
}

/**
 * Compares everything that the server has sent with what was expected.
 *
 * @param expected In order.
 * @param lines The server's lines without their CRLF.
 * @param closed Whether the server has closed then.
 * @returns What is wrong, in words, or `undefined` if nothing is.
 */
export function firstMismatch(
  expected: readonly Expected[],
  lines: readonly string[],
  closed: boolean,
): string | undefined {
  let rest = lines;
  for (const one of expected) {
    const taken = linesTaken(one, rest);
    if (taken === undefined) {
      const seen = rest[0] ?? "nothing";
      return `expected: ${wording(one)}\n     got: ${seen}`;
    }
    rest = rest.slice(taken);
  }
  if (rest[0] !== undefined) return `expected: nothing\n     got: ${rest[0]}`;
  const close = expected.at(-1)?.kind === "close";
  if (close === closed) return undefined;
  return close ? "the connection is open" : "the connection is closed";
}

function wording(expected: Expected): string {
  switch (expected.kind) {
    case "close":
      return "<close>";
    case "line":
      return expected.text;
    case "reply":
      return `<${expected.code}>`;
    default:
      return expected satisfies never;
  }
}

/** Whether all of the client's octets may be sent at once. */
export function canPipeline(transcript: Transcript): boolean {
  const { settings, turns } = transcript;
  return !settings.lockstep && turns.every((turn) => turn.event === undefined);
}

/**
 * Replays a transcript against a Session.
 *
 * @returns What went otherwise, in words, or `undefined` if nothing did.
 */
export function replay(transcript: Transcript, way: Way): string | undefined {
  const client = new SessionClient(clientOptions(transcript.settings));
  client.connect();
  let seen = 0;
  for (const [index, turn] of turnsOf(transcript, way).entries()) {
    if (turn.event === "shutdown") client.session.stop();
    if (turn.event === "idle") client.session.end(endings.idle);
    client.run();
    client.send(turn.octets, way === "octet by octet" ? 1 : Infinity);
    const lines = client.output.slice(seen).split("\r\n");
    seen = client.output.length;
    const wrong = lines.pop() === ""
      ? firstMismatch(turn.expected, lines, client.closed)
      : "the last line does not end in CRLF";
    if (wrong !== undefined) return `turn ${index}:\n${wrong}`;
  }
  return undefined;
}

function turnsOf(transcript: Transcript, way: Way): readonly Turn[] {
  if (way !== "in one packet") return transcript.turns;
  return [{
    octets: joined(...transcript.turns.map((turn) => turn.octets)),
    expected: transcript.turns.flatMap((turn) => turn.expected),
  }];
}

function clientOptions(settings: TranscriptSettings): ClientOptions {
  const { tls, certificate, insecure, deliver } = settings;
  return {
    rules: {
      maxMessageOctets: settings.maxSize,
      authRequired: settings.requireAuth,
      normalizeNewlines: settings.normalizeNewlines,
      maxRecipients: settings.maxRecipients,
      maxAuthFailures: settings.maxAuthFailures,
      mechanisms: readOffer(settings.mechanisms),
      startTls: tls || certificate,
    },
    peer: { tls, plainTextAuth: insecure || !(tls || certificate) },
    ...(deliver === undefined ? {} : { deliver }),
  };
}
