/**
 * A small disk in memory, for whoever may mount one.
 *
 * @module
 */

import { temporaryFolder } from "./listener.ts";

/** A disk that a test may fill up and lock. */
export interface SmallDisk extends Disposable {
  /** Where it is. */
  readonly path: string;
  /** Takes writing away, or gives it back; false if the system refuses. */
  readonly setReadOnly: (readOnly: boolean) => boolean;
}

/**
 * Mounts a disk, or says why not by `undefined`.
 *
 * @param options As for tmpfs: `size=1m`, `nr_inodes=20`.
 */
export function smallDisk(options: string): SmallDisk | undefined {
  using cleanUp = new DisposableStack();
  const path = temporaryFolder(cleanUp);
  if (!run("mount", "-t", "tmpfs", "-o", options, "tmpfs", path)) return;
  cleanUp.defer(() => void run("umount", path));
  const ending = cleanUp.move();
  return {
    path,
    setReadOnly: (readOnly) =>
      run("mount", "-o", `remount,${readOnly ? "ro" : "rw"}`, path),
    [Symbol.dispose]: () => ending.dispose(),
  };
}

/** Whether disks can be mounted here; says so where they can not. */
export function mayMount(): boolean {
  using disk = smallDisk("size=64k");
  if (disk !== undefined) return true;
  console.log("skipped: full and read-only disks need mount(8)");
  return false;
}

function run(command: string, ...args: string[]): boolean {
  try {
    return new Deno.Command(command, {
      args,
      stdout: "null",
      stderr: "null",
    }).outputSync().success;
  } catch {
    return false;
  }
}
