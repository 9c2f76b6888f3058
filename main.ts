/**
 * The command: an SMTP submission listener.
 *
 * It asks an operator's HTTP endpoint, or a local user, about each login, and
 * keeps accepted mail in a Maildir. Flags and environment variables are
 * explained by `--help`.
 *
 * @example Try it
 * ```sh
 * deno run -P main.ts
 * ```
 *
 * @module
 */

import { exit } from "./command/exit.ts";
import { run } from "./command/run.ts";

if (import.meta.main) exit(await run(Deno.args));
