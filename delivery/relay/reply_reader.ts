/**
 * The replies of the next hop (RFC 5321 section 4.2), read strictly: whoever
 * is lenient here lets one reply be taken for two, and a refusal for a 250.
 *
 * @module
 */

import { concat } from "../../lib/octets.ts";
import type { SmtpReply } from "../../smtp/protocol/replies.ts";

const LF = 10;
const CR = 13;

/**
 * The longest line of a reply in octets, without its CRLF. RFC 5321 section
 * 4.5.3.1.5 wants 512; some servers write whole paragraphs.
 */
const MAX_LINE_OCTETS = 4_096;

/** The most lines of a reply. A server has some twenty extensions to tell of. */
const MAX_LINES = 100;

/** A code, and a text behind a space, or behind a hyphen if more lines follow. */
const LINE = /^([2-5][0-9]{2})(?:([ -])(.*))?$/;

/** An enhanced status code in front of a text (RFC 2034 section 4). */
const ENHANCED = /^([245])\.[0-9]{1,3}\.[0-9]{1,3}(?= |$)/;

const NOTHING: Uint8Array = new Uint8Array(0);

/** Octets go in, whole replies come out. */
export class ReplyReader {
  /** What nobody has looked at yet. */
  #waiting = NOTHING;
  #code: string | undefined;
  #lines: string[] = [];

  /** Whether nothing has come that is not taken yet. */
  get isEmpty(): boolean {
    return this.#waiting.length === 0 && this.#code === undefined;
  }

  /** Takes octets in, which stay as they are until `next` wants more of them. */
  receive(octets: Uint8Array): void {
    const before = this.#waiting;
    this.#waiting = before.length === 0 ? octets : concat([before, octets]);
  }

  /**
   * Takes the next whole reply, its text printable ASCII only, its lines
   * parted by line feeds.
   *
   * @returns `undefined` if it has not come yet; `"malformed"` if what has come
   * is no reply.
   */
  next(): SmtpReply | "malformed" | undefined {
    for (;;) {
      const line = this.#takeLine();
      if (line === undefined) this.#keep();
      if (line === undefined || line === "malformed") return line;
      const [, code = "", mark, text = ""] = LINE.exec(line) ?? [];
      const isOther = this.#code !== undefined && this.#code !== code;
      if (code === "" || isOther || this.#lines.length >= MAX_LINES) {
        return "malformed";
      }
      this.#code = code;
      this.#lines.push(text);
      if (mark !== "-") return this.#takeReply(Number(code));
    }
  }

  /** What is left was somebody else's: it will be written over. */
  #keep(): void {
    if (this.#waiting.length > 0) this.#waiting = this.#waiting.slice();
  }

  #takeLine(): string | "malformed" | undefined {
    const octets = this.#waiting;
    const end = octets.indexOf(CR);
    const bare = octets.indexOf(LF);
    if (bare >= 0 && (end < 0 || bare < end)) return "malformed";
    const length = end < 0 ? octets.length : end;
    if (length > MAX_LINE_OCTETS) return "malformed";
    if (end < 0 || end + 1 === octets.length) return undefined;
    if (octets[end + 1] !== LF) return "malformed";
    this.#waiting = octets.subarray(end + 2);
    return printable(octets.subarray(0, end));
  }

  #takeReply(code: number): SmtpReply {
    const lines = this.#lines;
    this.#code = undefined;
    this.#lines = [];
    const [enhanced, kind] = ENHANCED.exec(lines[0] ?? "") ?? [];
    // One that says something else than the code is a text like any other.
    if (enhanced === undefined || Number(kind) !== Math.floor(code / 100)) {
      return { code, text: lines.join("\n") };
    }
    const text = lines.map((line) => withoutPrefix(line, enhanced)).join("\n");
    return { code, enhanced, text };
  }
}

/** A text without the enhanced code that stands in front of each line. */
function withoutPrefix(line: string, enhanced: string): string {
  if (line === enhanced) return "";
  return line.startsWith(`${enhanced} `)
    ? line.slice(enhanced.length + 1)
    : line;
}

/** Octets as text; what is not printable ASCII is shown as `?`. */
function printable(octets: Uint8Array): string {
  const text: string = Reflect.apply(String.fromCharCode, undefined, octets);
  return /[^ -~]/.test(text) ? text.replaceAll(/[^ -~]/g, "?") : text;
}
