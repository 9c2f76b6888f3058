/**
 * The command, from its arguments to its exit status.
 *
 * @module
 */

import config from "../deno.json" with { type: "json" };
import { systemReason } from "../lib/error_text.ts";
import { pause } from "../lib/race.ts";
import { VARIABLES, type Variables } from "./environment.ts";
import { type Invocation, type Kept, readInvocation } from "./invocation.ts";
import type { LogEntry } from "./log.ts";
import { newLog, write } from "./output.ts";
import { lackOf, lackOfVariables, mayListVariables } from "./permissions.ts";
import { mustBeRegular } from "./regular_file.ts";
import { newReload } from "./reload.ts";
import { serve } from "./serve.ts";
import type { Settings } from "./settings.ts";
import { takeSignals } from "./signals.ts";
import { catchStrayFaults } from "./stray_faults.ts";
import { UsageError } from "./values.ts";

/** The arguments or the environment make no sense. */
const EXIT_USAGE = 2;

/** They do, but the machine does not give what they ask for. */
const EXIT_UNABLE = 1;

/** Interrupted by Ctrl-C, as shells have it. */
const EXIT_INTERRUPTED = 130;

/**
 * Runs the command to its end.
 *
 * @param args The command line's arguments.
 * @returns The exit status: 0 after a signal to stop, 1 if it could not start,
 * 2 if the settings make no sense, 130 after Ctrl-C at a question.
 */
export async function run(args: readonly string[]): Promise<number> {
  try {
    const ask = (kept?: Kept) => {
      const read = (path: string) => {
        if (kept !== undefined) mustBeRegular(path);
        return Deno.readFileSync(path);
      };
      return readInvocation(args, readVariables, read, kept);
    };
    const invocation = ask();
    switch (invocation.kind) {
      // What does not serve is not loaded by who does.
      case "help": {
        const { helpText } = await import("./help.ts");
        write(Deno.stdout, helpText());
        break;
      }
      case "version":
        write(Deno.stdout, `${config.version}\n`);
        break;
      case "hash-password":
        return await printHash();
      case "check": {
        const { check } = await import("./check.ts");
        const print = (text: string) => write(Deno.stdout, text);
        const good = await check(invocation.settings, print);
        return good ? 0 : EXIT_UNABLE;
      }
      case "unthrottle": {
        const { unthrottleUser } = await import("./unthrottle.ts");
        const { settings, user } = invocation;
        write(Deno.stdout, `${await unthrottleUser(settings, user)}\n`);
        break;
      }
      case "serve":
        await serveUntilSignal(invocation.settings, ask);
        break;
      default:
        invocation satisfies never;
    }
    return 0;
  } catch (error) {
    write(Deno.stderr, `error: ${systemReason(error)}\n`);
    return error instanceof UsageError ? EXIT_USAGE : EXIT_UNABLE;
  }
}

async function printHash(): Promise<number> {
  const { hashPassword } = await import("./hash_password.ts");
  const prompt = (text: string) => write(Deno.stderr, text);
  const hash = await hashPassword(Deno.stdin, prompt);
  if (hash === undefined) return EXIT_INTERRUPTED;
  write(Deno.stdout, `${hash}\n`);
  return 0;
}

async function serveUntilSignal(
  settings: Settings,
  ask: (kept: Kept) => Invocation,
): Promise<void> {
  const lack = lackOf(settings);
  if (lack !== undefined) throw new Error(lack);
  const { log, flush } = newLog(Deno.stderr, settings.log);
  using _caught = catchStrayFaults(log);
  const signals = takeSignals();
  const print = (text: string) => write(Deno.stdout, text);
  try {
    if (!mayListVariables()) log(VARIABLES_UNSEEN);
    const serving = await serve(settings, { log, print });
    signals.onReload(newReload(settings, ask, serving.reload, log));
    signals.onUnthrottle(serving.unthrottle);
    const signal = await signals.stop;
    const delay = settings.shutdownDelay;
    const when = delay === 0 ? "" : ` in ${delay} ms`;
    log({ level: "info", message: `stopping on ${signal}${when}`, fields: {} });
    serving.stopping();
    // Whoever sends clients here may take some time to notice.
    if (delay > 0) await pause(delay, signals.hurry);
    await serving.shutdown();
    log({ level: "info", message: "stopped", fields: {} });
  } finally {
    await flush();
  }
}

const VARIABLES_UNSEEN: LogEntry = {
  level: "warn",
  message:
    "misspelt variables are not noticed: seeing all of them needs --allow-env, without a list",
  fields: {},
};

/**
 * The environment. Only who may read all of it can see what is misspelt; who
 * may read only ours must know the names.
 */
function readVariables(): Variables {
  if (mayListVariables()) return Deno.env.toObject();
  const lack = lackOfVariables(VARIABLES[0] ?? "");
  if (lack !== undefined) throw new Error(lack);
  return Object.fromEntries(VARIABLES.flatMap((name) => {
    const value = Deno.env.get(name);
    return value === undefined ? [] : [[name, value]];
  }));
}
