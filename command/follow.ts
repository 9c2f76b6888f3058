/**
 * Files that may change while the command runs: read again when they do, and
 * when asked to.
 *
 * @module
 */

import { systemReason } from "../lib/error_text.ts";
import { oneAtATime } from "../lib/one_at_a_time.ts";
import type { LogEntry } from "./log.ts";
import { mustBeRegular } from "./regular_file.ts";

/**
 * How often to look whether the files have changed, in milliseconds. Looking
 * finds what comes by a new link, which watching a file misses.
 */
const LOOK_MS = 1_000;

/** After how many looks something that was not good is tried again as it is. */
const RETRY_LOOKS = 30;

/** Which files, and what to do with them. */
export interface Following {
  readonly paths: readonly string[];
  /** Takes what is in them now, or throws, and then all is as it was. */
  readonly load: () => void | Promise<void>;
  /** What the log calls what has been taken: `new users`. */
  readonly taken: string;
  /** What it calls what stays where that is not good: `the old users stay`. */
  readonly kept: string;
}

/** Files that are looked at. */
export interface FollowedFiles {
  /** Reads the files at once; resolves when the log has been told. */
  readonly reload: () => Promise<void>;
  /** Looks at them no more. */
  readonly stop: () => void;
}

/**
 * Uses files anew when they change, and when asked to. What is not good, as
 * while only one of two files is new yet, is told to the log, and the old stays.
 *
 * A changed file is read when it has stood still from one look to the next: one
 * that is still being written may look whole and lack its second half.
 */
export function followFiles(
  { paths, load, taken, kept }: Following,
  log: (entry: LogEntry) => void,
): FollowedFiles {
  let used: string | undefined = fingerprint(paths);
  let seen = used;
  let complaint = "";
  /** What could not be taken, and how often it was looked at since. */
  let refused: string | undefined;
  let looks = 0;

  const take = oneAtATime(async () => {
    used = fingerprint(paths);
    refused = undefined;
    try {
      paths.forEach(mustBeRegular);
      await load();
      complaint = "";
      log({ level: "info", message: `${taken} in use`, fields: {} });
    } catch (error) {
      [refused, used, looks] = [used, undefined, 0];
      const message = `${kept} in use: ${systemReason(error)}`;
      if (message === complaint) return;
      complaint = message;
      log({ level: "error", message, fields: {} });
    }
  });

  const timer = setInterval(async () => {
    const now = fingerprint(paths);
    // What can't be read now may be read later, without any change to it.
    const isDue = now !== refused || ++looks >= RETRY_LOOKS;
    const isChanged = now !== used && now === seen;
    seen = now;
    if (isChanged && isDue) await take();
  }, LOOK_MS);
  const reload = () => {
    // Who asks for it wants an answer.
    complaint = "";
    return take();
  };
  return { reload, stop: () => clearInterval(timer) };
}

/**
 * What is different when a file is another one, has other content, or may be
 * read by others.
 */
function fingerprint(paths: readonly string[]): string {
  return paths.map((path) => {
    try {
      const { ino, size, mtime, mode, uid, gid } = Deno.statSync(path);
      return `${ino} ${size} ${mtime?.getTime()} ${mode} ${uid} ${gid}`;
    } catch {
      return "gone";
    }
  }).join();
}
