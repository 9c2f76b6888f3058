/**
 * `--hash-password`: a password in, what a users file holds of it out.
 *
 * @module
 */

import { hashArgon2 } from "../auth/providers/users/argon2.ts";
import { MAX_PASSWORD_OCTETS } from "../auth/providers/users/users.ts";
import { hasControls } from "../lib/text.ts";
import { UsageError } from "./values.ts";

/** Where a password comes from: what is used of `Deno.stdin`. */
export interface PasswordInput {
  isTerminal(): boolean;
  /** Keys come one by one, and are not shown. */
  setRaw(on: boolean): void;
  readSync(octets: Uint8Array): number | null;
}

const ENCODER = new TextEncoder();

/**
 * Reads a password and hashes it: from a terminal twice, without showing it,
 * else the first line.
 *
 * @param input Where it comes from.
 * @param prompt Says what is asked for.
 * @returns The hash; `undefined` if it was interrupted by Ctrl-C.
 * @throws {UsageError} If no client could log in with it, or the second is
 * another one.
 */
export async function hashPassword(
  input: PasswordInput,
  prompt: (text: string) => void,
): Promise<string | undefined> {
  const password = input.isTerminal()
    ? askTwice(input, prompt)
    : firstLine(input);
  if (password === undefined) return undefined;
  const octets = ENCODER.encode(password.normalize("NFC"));
  if (octets.length === 0 || octets.length > MAX_PASSWORD_OCTETS) {
    throw new UsageError(
      `a password must have 1 to ${MAX_PASSWORD_OCTETS} octets, not ${octets.length}`,
    );
  }
  if (hasControls(password)) {
    throw new UsageError("a password must not contain control characters");
  }
  return await hashArgon2(octets);
}

function askTwice(
  input: PasswordInput,
  prompt: (text: string) => void,
): string | undefined {
  const password = askHidden("Password: ", input, prompt);
  if (password === undefined) return undefined;
  const again = askHidden("Again: ", input, prompt);
  if (again === undefined) return undefined;
  if (again !== password) throw new UsageError("the two are not the same");
  return password;
}

function askHidden(
  question: string,
  input: PasswordInput,
  prompt: (text: string) => void,
): string | undefined {
  input.setRaw(true);
  try {
    // Not before: who types at once would be shown.
    prompt(question);
    return typedLine(charactersOf(input));
  } finally {
    input.setRaw(false);
    prompt("\n");
  }
}

/** What somebody types who sees nothing of it; `undefined` for Ctrl-C. */
function typedLine(keys: Iterable<string>): string | undefined {
  const typed: string[] = [];
  for (const key of keys) {
    switch (key) {
      case "\r":
      case "\n":
      case "\x04":
        return typed.join("");
      case "\x03":
        return undefined;
      case "\b":
      case "\x7f":
        typed.pop();
        break;
      case "\x15": // Ctrl-U: from the start.
        typed.length = 0;
        break;
      default:
        typed.push(key);
    }
  }
  return typed.join("");
}

function firstLine(input: PasswordInput): string {
  let line = "";
  for (const character of charactersOf(input)) {
    if (character === "\n") break;
    line += character;
  }
  return line.replace(/\r$/, "");
}

/** The input as it comes, code point by code point. */
function* charactersOf(input: PasswordInput): Generator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const octets = new Uint8Array(1_024);
  for (;;) {
    const count = input.readSync(octets);
    if (count === null) return;
    try {
      yield* decoder.decode(octets.subarray(0, count), { stream: true });
    } catch {
      throw new UsageError("a password must be UTF-8");
    }
  }
}
