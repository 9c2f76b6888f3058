/**
 * The users file of the command.
 *
 * @module
 */

import {
  newUsersAuthProvider,
  type UsersAuthProvider,
} from "../auth/providers/users/users.ts";
import { systemReason } from "../lib/error_text.ts";
import { decodeUTF8 } from "../lib/text.ts";
import { followFiles } from "./follow.ts";
import type { LogEntry } from "./log.ts";

/** A users file that is in use. */
export interface OpenUsers extends Disposable {
  readonly provider: UsersAuthProvider;
  /** Reads the file again; resolves when the log has been told. */
  readonly reload: () => Promise<void>;
}

/** What the provider's errors begin with, where the flag says it already. */
const ACTION = "Cannot read users: ";

/**
 * Reads the users file, tries its hashes, and looks from now on whether it has
 * changed.
 *
 * @throws {Error} If it can't be used: where and why.
 */
export async function openUsers(
  path: string,
  log: (entry: LogEntry) => void,
): Promise<OpenUsers> {
  const onWarning = (message: string) =>
    log({ level: "warn", message, fields: {} });
  using opened = new DisposableStack();
  const provider = await useUsers(path, onWarning, opened);
  const { reload, stop } = followFiles({
    paths: [path],
    load: async () => {
      await provider.use(readUsersFile(path));
      provider.ready().catch((error) =>
        log({ level: "error", message: systemReason(error), fields: {} })
      );
    },
    taken: "new users",
    kept: "the old users stay",
  }, log);
  opened.defer(stop);
  const open = opened.move();
  return { provider, reload, [Symbol.dispose]: () => open.dispose() };
}

async function useUsers(
  path: string,
  onWarning: (message: string) => void,
  opened: DisposableStack,
): Promise<UsersAuthProvider> {
  try {
    const users = newUsersAuthProvider(readUsersFile(path), { onWarning });
    await opened.use(users).ready();
    return users;
  } catch (cause) {
    const reason = systemReason(cause).replace(ACTION, "");
    throw new Error(`cannot use --users ${path}: ${reason}`, { cause });
  }
}

/**
 * Reads the text of a users file.
 *
 * @throws {Error} If it can't be read, or is not UTF-8.
 */
export function readUsersFile(path: string): string {
  const text = decodeUTF8(Deno.readFileSync(path));
  if (text === undefined) throw new Error("it is not UTF-8");
  return text;
}
