/**
 * The command, run by the test itself: no process, no signals, no delays.
 *
 * @module
 */

import { readInvocation } from "../../command/invocation.ts";
import type { LogEntry } from "../../command/log.ts";
import { serve, type Serving } from "../../command/serve.ts";
import type { Settings } from "../../command/settings.ts";
import { PASSWORD, USER } from "./listener.ts";

/** A command under way, and what it has said so far. */
export interface Served extends AsyncDisposable {
  readonly serving: Serving;
  readonly settings: Settings;
  /** Its first port; 0 if it has none. */
  readonly port: number;
  /** The lines of the log. */
  readonly log: readonly LogEntry[];
  /** The same, as people read them. */
  readonly messages: () => string[];
  /** What whoever has started it has read. */
  readonly printed: () => string;
}

/** Variables of one local user. */
export const LOCAL: Readonly<Record<string, string>> = {
  MEOWMAIL_SMTP_USER: USER,
  MEOWMAIL_SMTP_PASS: PASSWORD,
};

/**
 * Starts the command at any free port.
 *
 * @param args Flags.
 * @param env Variables. Default: those of one local user.
 */
export async function startServing(
  args: readonly string[],
  env: Readonly<Record<string, string>> = LOCAL,
): Promise<Served> {
  const invocation = readInvocation(
    ["--port", "0", ...args],
    () => env,
    () => new Uint8Array(),
  );
  if (invocation.kind !== "serve") throw new Error(invocation.kind);
  const { settings } = invocation;
  const log: LogEntry[] = [];
  const printed: string[] = [];
  const output = {
    log: (entry: LogEntry) => log.push(entry),
    print: (text: string) => printed.push(text),
  };
  const serving = await serve(settings, output, {
    throttleDelayMs: 0,
    // Slow machines are not to seem away.
    state: { timeoutMs: 2000, restMs: 100 },
  });
  return {
    serving,
    settings,
    port: serving.addrs[0]?.port ?? 0,
    log,
    messages: () => log.map(({ message }) => message),
    printed: () => printed.join(""),
    [Symbol.asyncDispose]: () => serving.shutdown(),
  };
}
