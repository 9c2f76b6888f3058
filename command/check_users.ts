/**
 * What `--check` finds out about the users file.
 *
 * @module
 */

import { readUsers } from "../auth/providers/users/file.ts";
import { schemeOf } from "../auth/providers/users/hash.ts";
import { systemReason } from "../lib/error_text.ts";
import type { Finding } from "./check.ts";
import { withAdvice } from "./check_advice.ts";
import type { Settings } from "./settings.ts";
import { openUsers, readUsersFile } from "./users.ts";

/** Whoever is neither the file's owner nor of its group may read it. */
const READABLE_BY_OTHERS = 0o004;

/** Reads the users file, and computes one hash of each kind in it. */
export async function checkUsers(
  { users: path }: Settings,
): Promise<Finding | undefined> {
  if (path === undefined) return undefined;
  const warnings: string[] = [];
  const note = ({ message }: { message: string }) => warnings.push(message);
  try {
    (await openUsers(path, note))[Symbol.dispose]();
    if (isReadableByOthers(path)) {
      warnings.push(`everybody on this machine can read it: chmod o-r ${path}`);
    }
    const text = [`users ${path}: ${summaryOf(path)}`, ...warnings].join("; ");
    return { level: warnings.length === 0 ? "ok" : "warn", text };
  } catch (error) {
    return { level: "error", text: withAdvice(systemReason(error)) };
  }
}

/** How many users there are, and with which kinds of hash. */
function summaryOf(path: string): string {
  const { all } = readUsers(readUsersFile(path));
  const kinds = [...Map.groupBy(all, ({ hash }) => schemeOf(hash))]
    .map(([scheme, users]) => `${users.length} ${scheme}`);
  const users = all.length === 1 ? "1 user" : `${all.length} users`;
  return `${users} (${kinds.join(", ")})`;
}

function isReadableByOthers(path: string): boolean {
  const { mode } = Deno.statSync(path);
  return mode !== null && (mode & READABLE_BY_OTHERS) !== 0;
}
