/**
 * Time limits that are over when a test says so.
 *
 * @module
 */

import type { Watching } from "../../delivery/relay/connect.ts";
import type { Deadline, Watched } from "../../net/deadlines.ts";

/** Deadlines of which none expires by itself. */
export interface ManualDeadlines extends Watching {
  /** The limits that are running, in milliseconds. */
  readonly running: () => number[];
  /** Resolves as soon as exactly one limit is running, and it is this one. */
  readonly isRunning: (milliseconds: number) => Promise<void>;
  /** All that are running are over. */
  readonly expire: () => void;
}

/** Makes a keeper of deadlines. */
export function newManualDeadlines(): ManualDeadlines {
  const limits = new Map<Watched, number>();
  const watchers = new Set<() => void>();
  const changed = () => watchers.forEach((look) => look());
  return {
    watch(watched): Deadline {
      const stop = () => {
        if (limits.delete(watched)) changed();
      };
      return {
        renew(milliseconds) {
          limits.set(watched, milliseconds);
          changed();
        },
        pause: stop,
        resume() {
          throw new Error("Nothing here resumes a limit");
        },
        stop,
      };
    },
    running: () => [...limits.values()],
    isRunning: (milliseconds) =>
      new Promise((resolve) => {
        const look = () => {
          if (limits.size !== 1 || [...limits.values()][0] !== milliseconds) {
            return;
          }
          watchers.delete(look);
          resolve();
        };
        watchers.add(look);
        look();
      }),
    expire() {
      const over = [...limits.keys()];
      limits.clear();
      over.forEach((watched) => watched.expire());
    },
  };
}
