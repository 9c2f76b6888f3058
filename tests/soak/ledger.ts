/**
 * The messages of a soak: what each must look like, which were sent to their
 * end, which were answered with 250, and which were found in the Maildir.
 *
 * @module
 */

import { filesIn, withoutTrace } from "../support/maildir.ts";
import { newRandom } from "../support/random.ts";

const LETTERS = "abcdefghijklmnopqrstuvwxyz .-=äß";

const utf8 = new TextDecoder();

/** The message of a number, the same one each time. */
export function messageOf(number: number): string {
  const random = newRandom(number);
  const line = () =>
    // Some lines begin with a dot, some are a lone one.
    (random(8) === 0 ? "." : "") +
    Array.from(
      { length: random(70) },
      () => LETTERS.charAt(random(LETTERS.length)),
    ).join("") + "\r\n";
  const lines = Array.from({ length: 1 + random(20) }, line).join("");
  const times = random(200) === 0 ? 1500 : random(20) === 0 ? 100 : 1;
  return `Subject: soak ${number}\r\n\r\n${lines.repeat(times)}`;
}

/** What a client sends after DATA: dots doubled, the end behind it. */
export function wireOf(number: number): string {
  return `${messageOf(number).replace(/^\./gm, "..")}.\r\n`;
}

/** Who sent what, and what became of it. */
export class Ledger {
  /** Messages of which the client sent the end. */
  readonly ended: Set<number> = new Set();
  /** Messages that the client read a 250 for. */
  readonly answered: Set<number> = new Set();
  /** What was found that must not be. */
  readonly faults: string[] = [];
  readonly #found: Set<number> = new Set();
  readonly #maildirs: readonly string[];
  #last = 0;

  /** @param maildirs Where the messages go. */
  constructor(maildirs: readonly string[]) {
    this.#maildirs = maildirs;
  }

  /** A number for a new message. */
  next(): number {
    return ++this.#last;
  }

  /** How many messages were found. */
  get found(): number {
    return this.#found.size;
  }

  /** Messages that were answered with 250 and not found so far. */
  lost(): number[] {
    return [...this.answered].filter((number) => !this.#found.has(number));
  }

  /** Compares each message in `new/` with what was sent, and deletes it. */
  reap(): void {
    for (const maildir of this.#maildirs) {
      for (const name of filesIn(maildir, "new")) {
        const path = `${maildir}/new/${name}`;
        this.#check(withoutTrace(utf8.decode(Deno.readFileSync(path))), name);
        Deno.removeSync(path);
      }
    }
  }

  #check(message: string, name: string): void {
    const number = Number(/^Subject: soak (\d+)\r\n/.exec(message)?.[1]);
    if (Number.isNaN(number)) this.faults.push(`${name} is nobody's message`);
    else if (!this.ended.has(number)) {
      this.faults.push(`message ${number} is there without its end`);
    } else if (message !== messageOf(number)) {
      this.faults.push(`message ${number} is not whole`);
    } else if (this.#found.has(number)) {
      this.faults.push(`message ${number} is there twice`);
    }
    this.#found.add(number);
  }
}
