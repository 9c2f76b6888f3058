/**
 * Maildirs for servers, in memory or on a disk.
 *
 * @module
 */

import { statfsSync } from "node:fs";

/** Where a Maildir is: on tmpfs syncing costs nothing, on a disk it waits. */
export type MailPlace = "tmpfs" | "disk";

/** A folder for Maildirs in each place; absent: there is none here. */
export type MailFolders = Readonly<Record<MailPlace, string | undefined>>;

/** Where Linux keeps files in memory. */
const TMPFS = "/dev/shm";

/** What statfs says of tmpfs and ramfs. */
const IN_MEMORY: readonly number[] = [0x01021994, 0x858458f6];

/** Makes temporary folders; `temporary` is told about each. */
export function mailFolders(
  temporary: (folder: string) => string,
): MailFolders {
  const within = (dir: string) =>
    temporary(Deno.makeTempDirSync({ dir, prefix: "bench-" }));
  const disk = [Deno.env.get("TMPDIR") ?? "/tmp", "/var/tmp", Deno.cwd()]
    .find((path) => isFolder(path) && !isInMemory(path));
  return {
    tmpfs: isFolder(TMPFS) ? within(TMPFS) : undefined,
    disk: disk === undefined ? undefined : within(disk),
  };
}

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}

function isInMemory(path: string): boolean {
  return IN_MEMORY.includes(statfsSync(path).type);
}

/** Makes an empty Maildir in a folder. */
export function newMaildir(folder: string): string {
  const maildir = Deno.makeTempDirSync({ dir: folder, prefix: "maildir-" });
  for (const name of ["tmp", "new", "cur"]) {
    Deno.mkdirSync(`${maildir}/${name}`);
  }
  return maildir;
}

/** Removes all messages, and syncs that, or the next server would have to. */
export function empty(maildir: string): void {
  const path = `${maildir}/new`;
  for (const { name } of Deno.readDirSync(path)) {
    Deno.removeSync(`${path}/${name}`);
  }
  using folder = Deno.openSync(path);
  folder.syncSync();
}
