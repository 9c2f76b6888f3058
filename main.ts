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

import { run } from "./command/run.ts";

if (import.meta.main) Deno.exit(await run(Deno.args));
