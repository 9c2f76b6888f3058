/**
 * The users file: one user a line, with a hashed password.
 *
 * @module
 */

import { foldCase } from "../../../lib/fold_case.ts";
import { nextTurn } from "../../../lib/next_turn.ts";
import { hasControls, ownText } from "../../../lib/text.ts";
import { isSenderList } from "../../rights/senders.ts";
import { costOf, isWeak, parseHash, type PasswordHash } from "./hash.ts";

/** A first line that says that letter case makes no difference in names. */
const FOLD_CASE = "#fold-case";

/** What the errors of a bad file begin with. */
const ACTION = "Cannot read users";

const LINE_RULE = "a line must be name:hash or name:hash:senders";

/**
 * After how many characters others have their turn: some two milliseconds of
 * reading. Characters and not lines, which may have many senders.
 */
const SLICE_LENGTH = 32_768;

/** A user of the file. */
export interface FileUser {
  /** As it stands in the file, in NFC. */
  readonly name: string;
  readonly hash: PasswordHash;
  /** Who the user may be as a sender; `undefined`: anybody. */
  readonly senders: readonly string[] | undefined;
}

/** How many users have a hash that costs what this one does. */
interface HashCount {
  readonly hash: PasswordHash;
  users: number;
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
  /** One hash of each kind and cost. */
  readonly kinds: readonly PasswordHash[];
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
  const reading = read(text);
  for (;;) {
    const step = reading.next();
    if (step.done) return step.value;
  }
}

/** Does the same, and others have their turn meanwhile: 50,000 users take a while. */
export async function readUsersInTurns(text: string): Promise<Users> {
  const reading = read(text);
  for (;;) {
    const step = reading.next();
    if (step.done) return step.value;
    await nextTurn();
  }
}

/** Reads a file, and stops whenever others should have their turn. */
function* read(text: string): Generator<void, Users> {
  const lines = text.replace(/^\ufeff/, "").split(/\r?\n/);
  const keyOf = lines[0]?.trimEnd() === FOLD_CASE ? foldCase : toNFC;
  const users = new Map<string, FileUser>();
  const lineOf = new Map<string, number>();
  const weakLines: number[] = [];
  const counts = new Map<string, HashCount>();
  let readOn = 0;
  for (const [index, line] of lines.entries()) {
    readOn += line.length + 1;
    if (readOn > SLICE_LENGTH) {
      readOn = 0;
      yield;
    }
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
    count(user.hash, counts);
  }
  const byCount = [...counts.values()].sort((a, b) => b.users - a.users);
  const kinds = byCount.map(({ hash }) => hash);
  const [usual] = kinds;
  // As while it is being written: nobody's password is wrong because of that.
  if (usual === undefined) {
    throw new TypeError(`${ACTION}: there is no user: ${LINE_RULE}`);
  }
  const find = (name: string) => users.get(keyOf(name));
  return { find, all: [...users.values()], usual, kinds, weakLines };
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
  // What a login tells is kept for longer than the file, perhaps.
  const senders = senderText?.split(",").map((each) => ownText(each.trim()));
  if (senders !== undefined && !isSenderList(senders)) {
    return "senders must be addresses and @domains with commas between them";
  }
  return { name: ownText(toNFC(name)), hash, senders };
}

function count(hash: PasswordHash, counts: Map<string, HashCount>): void {
  const cost = costOf(hash);
  const before = counts.get(cost);
  if (before === undefined) counts.set(cost, { hash, users: 1 });
  else before.users++;
}

function toNFC(text: string): string {
  return text.normalize("NFC");
}

function bad(line: number, words: string): TypeError {
  return new TypeError(`${ACTION}: line ${line}: ${words}`);
}
