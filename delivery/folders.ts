/**
 * Folders that are there after the machine has lost its power.
 *
 * @module
 */

/**
 * Makes folders, and those that they are in, for nobody else to read. What is
 * new is flushed to the disk before this returns.
 *
 * @throws {Error} What the system says if one can't be made.
 */
export function makeFolders(paths: readonly string[]): void {
  const changed = new Set<string>();
  for (const path of paths) makeFolder(path, changed);
  for (const folder of [...changed].reverse()) flush(folder);
}

/** Makes a folder if need be, and notes which other one has it in it then. */
function makeFolder(path: string, changed: Set<string>): void {
  if (isMissing(path)) {
    const parent = parentOf(path);
    if (isMissing(parent)) makeFolder(parent, changed);
    changed.add(parent);
  }
  // Another process may start here, too. What is no folder is told.
  Deno.mkdirSync(path, { recursive: true, mode: 0o700 });
}

/**
 * Finds out whether something can be made in a folder, or where that is missing
 * the folder itself. Leaves nothing behind.
 *
 * @returns Whether the folder is there.
 * @throws {Error} What the system says if it can't.
 */
export function probeFolder(path: string): boolean {
  let nearest = path;
  while (isMissing(nearest)) nearest = parentOf(nearest);
  Deno.removeSync(Deno.makeTempDirSync({ dir: nearest }));
  return nearest === path;
}

function isMissing(path: string): boolean {
  try {
    Deno.statSync(path);
    return false;
  } catch (error) {
    return error instanceof Deno.errors.NotFound;
  }
}

function parentOf(path: string): string {
  const [, parent] = /^(.*[^/])\/+[^/]+\/*$/.exec(path) ?? [];
  return parent ?? (path.startsWith("/") ? "/" : ".");
}

/** Who may not look into a folder can't flush it either. */
function flush(path: string): void {
  try {
    const folder = Deno.openSync(path);
    try {
      folder.syncSync();
    } finally {
      folder.close();
    }
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return;
    if (error instanceof Deno.errors.PermissionDenied) return;
    throw error;
  }
}

/**
 * Flushes a folder to the disk. Messages that arrive together share a flush:
 * each waits for one that began after its own rename.
 */
export function newFolderSync(path: string): () => Promise<void> {
  let latest: Promise<void> = Promise.resolve();
  let queued: Promise<void> | undefined;

  async function syncAfter(previous: Promise<void>): Promise<void> {
    await previous.catch(() => {});
    queued = undefined;
    const folder = Deno.openSync(path);
    try {
      await folder.sync();
    } finally {
      folder.close();
    }
  }

  return () => {
    if (queued === undefined) latest = queued = syncAfter(latest);
    return queued;
  };
}
