/**
 * What SIGHUP does: passwords and tokens are read again.
 *
 * @module
 */

import { systemReason } from "../lib/error_text.ts";
import { FLAG_NAMES, type FlagName, flagOf, FLAGS } from "./flags/table.ts";
import type { Invocation, Kept } from "./invocation.ts";
import type { LogEntry } from "./log.ts";
import type { Settings } from "./settings.ts";

/**
 * Makes what SIGHUP does. The command line and the environment are what they
 * were, but the files that variables name (`X_FILE`) may have changed.
 *
 * @param settings What the start has read.
 * @param ask Reads all settings again, but for those that are not good.
 * @param reload Takes the secrets of the settings, and reads again what else may
 * have changed on the disk.
 * @param log Told of what is not good, and of what waits for the next start.
 */
export function newReload(
  settings: Settings,
  ask: (kept: Kept) => Invocation,
  reload: (settings: Settings) => void,
  log: (entry: LogEntry) => void,
): () => void {
  let current = settings;
  const report = (error: unknown) => {
    const message = `the old one stays in use: ${systemReason(error)}`;
    log({ level: "error", message, fields: {} });
  };
  return () => {
    try {
      const next = ask({ settings: current, report });
      if (next.kind === "serve") {
        for (const name of waiting(settings, next.settings)) {
          const message = `${
            flagOf(name)
          } has changed: that waits for the next start`;
          log({ level: "warn", message, fields: {} });
        }
        current = next.settings;
      }
    } catch (error) {
      const message = `the old settings stay in use: ${systemReason(error)}`;
      log({ level: "error", message, fields: {} });
    }
    reload(current);
  };
}

/** What is another value than at the start, and is no secret. */
function waiting(before: Settings, now: Settings): readonly FlagName[] {
  return FLAG_NAMES.filter((name) =>
    FLAGS[name].secret !== true &&
    JSON.stringify(before[name]) !== JSON.stringify(now[name])
  );
}
