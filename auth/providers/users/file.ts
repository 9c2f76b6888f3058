/**
 * The users file: one user a line, with a hashed password.
 *
 * @module
 */

import { foldCase } from "../../../lib/fold_case.ts";
import { hasControls } from "../../../lib/text.ts";
import { isSenderList } from "../../rights/senders.ts";
import { costOf, isWeak, parseHash, type PasswordHash } from "./hash.ts";

/** A first line that says that letter case makes no difference in names. */
const FOLD_CASE = "#fold-case";

/** What the errors of a bad file begin with. */
const ACTION = "Cannot read users";

const LINE_RULE = "a line must be name:hash or name:hash:senders";

/** A user of the file. */
export interface FileUser {
  /** As it stands in the file, in NFC. */
  readonly name: string;
  readonly hash: PasswordHash;
  /** Who the user may be as a sender; `undefined`: anybody. */
  readonly senders: readonly string[] | undefined;
}

/** All users of a file. */
export interface Users {
  /** The user whom a client's name means. */
  readonly find: (username: string) => FileUser | undefined;
  readonly all: readonly FileUser[];
  /**
   * The hash that most users have one like: what a login of nobody costs. With
   * another one a guesser could tell names that exist by the time it takes.
   */
  readonly usual: PasswordHash;
  /** The lines whose password is soon guessed by who reads the file. */
  readonly weakLines: readonly number[];
}

/**
 * Reads a users file.
 *
 * @param text The file: lines of `name:hash` or `name:hash:senders`, comments
 * that begin with `#`, empty lines.
 * @throws {TypeError} If a line is none of these, or there is no user. The
 * text has the line's number, and nothing that stands in it.
 */
export function readUsers(text: string): Users {
  const lines = text.replace(/^\ufeff/, "").split(/\r?\n/);
  const keyOf = lines[0]?.trimEnd() === FOLD_CASE ? foldCase : toNFC;
  const users = new Map<string, FileUser>();
  const lineOf = new Map<string, number>();
  const weakLines: number[] = [];
  for (const [index, line] of lines.entries()) {
    if (line.trim() === "" || line.trimStart().startsWith("#")) continue;
    const user = readLine(line);
    if (typeof user === "string") throw bad(index + 1, user);
    const key = keyOf(user.name);
    const before = lineOf.get(key);
    if (before !== undefined) {
      throw bad(index + 1, `the user stands in line ${before} already`);
    }
    users.set(key, user);
    lineOf.set(key, index + 1);
    if (isWeak(user.hash)) weakLines.push(index + 1);
  }
  const all = [...users.values()];
  const usual = mostUsual(all);
  // As while it is being written: nobody's password is wrong because of that.
  if (usual === undefined) {
    throw new TypeError(`${ACTION}: there is no user: ${LINE_RULE}`);
  }
  return { find: (name) => users.get(keyOf(name)), all, usual, weakLines };
}

/** Reads a user, or says what is wrong with the line. */
function readLine(line: string): FileUser | string {
  const [name = "", hashText, senderText, ...more] = line.split(":");
  if (hashText === undefined || more.length > 0) {
    return LINE_RULE;
  }
  if (name === "" || name !== name.trim() || hasControls(name)) {
    return "a name must be without control characters and without white space around it";
  }
  const hash = parseHash(hashText);
  if (typeof hash === "string") return hash;
  const senders = senderText?.split(",").map((each) => each.trim());
  if (senders !== undefined && !isSenderList(senders)) {
    return "senders must be addresses and @domains with commas between them";
  }
  return { name: toNFC(name), hash, senders };
}

function mostUsual(users: readonly FileUser[]): PasswordHash | undefined {
  const groups = Map.groupBy(users, ({ hash }) => costOf(hash));
  const [first] = [...groups.values()].sort((a, b) => b.length - a.length);
  return first?.[0]?.hash;
}

function toNFC(text: string): string {
  return text.normalize("NFC");
}

function bad(line: number, words: string): TypeError {
  return new TypeError(`${ACTION}: line ${line}: ${words}`);
}
