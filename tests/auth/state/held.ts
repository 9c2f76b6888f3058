/**
 * A program that has names remembered that came in long lines, and prints how
 * many MiB of the heap are held for them: as JSON.
 *
 * It needs `--v8-flags=--expose-gc`.
 *
 * @module
 */

import { withThrottle } from "../../../auth/guards/throttle/throttle.ts";
import { rememberRights } from "../../../auth/rights/remember_rights.ts";
import { newUsersAuthProvider } from "../../../auth/providers/users/users.ts";
import { startSasl } from "../../../auth/sasl/sasl.ts";
import { newMemoryStore } from "../../../auth/state/memory_store.ts";
import type { AuthProvider, AuthRequest } from "../../../auth/types.ts";
import { parseCommand } from "../../../smtp/protocol/commands.ts";
import { parseRcpt } from "../../../smtp/protocol/params.ts";

/** As much as a client can say in one line, about. */
const LONG = 8_500;

/** How many fill the store's 64 MiB with names of the greatest length. */
const NAMES = 25_000;

/** How many users log in with a token. */
const TOKENS = 10_000;

/** How often the users file is read again. */
const FILES = 20;

/** Those of a hundred messages. */
const RECIPIENTS = 10_000;

const ANSWERS: AuthProvider = ({ mechanism }) =>
  mechanism === "PLAIN" ? "authInvalid" : "authOk";

/** What a client says as PLAIN or XOAUTH2, read as the listener does. */
function request(mechanism: string, message: string, i: number): AuthRequest {
  const step = startSasl(mechanism, btoa(message));
  if (step.kind !== "credentials") throw new Error(step.kind);
  const { username, password } = step;
  const remoteIp = `10.${i >> 8 & 255}.${i & 255}.7`;
  return { username, password, mechanism, remoteIp, heloName: "x" };
}

/** MiB of the heap in use. */
function heap(): number {
  const gc: unknown = Reflect.get(globalThis, "gc");
  if (typeof gc !== "function") {
    throw new Error("This needs --v8-flags=--expose-gc");
  }
  gc();
  return Deno.memoryUsage().heapUsed / 2 ** 20;
}

const before = heap();
const store = newMemoryStore();
const throttle = withThrottle(ANSWERS, { store });
for (let i = 0; i < NAMES; i++) {
  const message = `\0${String(i).padEnd(LONG, "x")}\0wrong`;
  await throttle(request("PLAIN", message, i));
}
const guesses = heap() - before;

const rights = rememberRights(ANSWERS, { store: newMemoryStore() });
for (let i = 0; i < TOKENS; i++) {
  const token = "t".repeat(LONG);
  const message = `user=user${i}@example.org\x01auth=Bearer ${token}\x01\x01`;
  await rights(request("XOAUTH2", message, i));
}
const tokens = heap() - before - guesses;

/** A users file of 4 MiB. The first user is another one in each. */
function usersFile(version: number): string {
  const line = (_: unknown, i: number) =>
    `user${i}@example.org:{PLAIN}${"p".repeat(400)}\n`;
  const first =
    `version${version}@example.org:{PLAIN}pw:${version}@example.org`;
  return `${first}\n${Array.from({ length: 10_000 }, line).join("")}`;
}

const users = newUsersAuthProvider(usersFile(0));
const known = rememberRights(users, { store: newMemoryStore() });
const beforeFiles = heap();
for (let version = 1; version <= FILES; version++) {
  await users.use(usersFile(version));
  const message = `\0version${version}@example.org\0pw`;
  await known(request("PLAIN", message, 0));
}
const files = heap() - beforeFiles;

const beforeRecipients = heap();
const recipients = Array.from({ length: RECIPIENTS }, (_, i) => {
  const line = `RCPT TO:<user${i}@example.org>${" ".repeat(4_000)}`;
  const command = parseCommand(new TextEncoder().encode(line));
  if (command.kind !== "command") throw new Error(command.kind);
  return parseRcpt(command.args, false);
});
const addresses = heap() - beforeRecipients;

// All are in use to here.
const used = [throttle, rights, known, recipients].map((each) => typeof each)
  .join();
console.log(JSON.stringify({ guesses, tokens, files, addresses, used }));
