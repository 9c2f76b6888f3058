/**
 * The end of the process.
 *
 * @module
 */

import { mayHaveOpenTelemetry } from "./may_have_open_telemetry.ts";

/**
 * How long something that was left open may keep the process, in milliseconds:
 * with the nine seconds that clients have, less than ten.
 */
const LINGER_MS = 500;

/**
 * Ends the process: at once, and where spans and figures go out by Deno's own
 * export (`OTEL_DENO=true`) as soon as nothing is under way any more, after half
 * a second in any case.
 *
 * There `Deno.exit()` at once would not always end it: it waits, on the thread
 * that runs this program, until the last spans and figures have gone out;
 * figures that are due at the same time wait for this program, and neither
 * ends. A process that ends by itself has nobody who could be waited for. But
 * Deno no longer listens to signals by then: one more signal to stop would be
 * what it ends by, and not the status.
 *
 * @param status The exit status.
 */
export function exit(status: number): void {
  if (!mayHaveOpenTelemetry()) Deno.exit(status);
  Deno.exitCode = status;
  Deno.unrefTimer(setTimeout(() => Deno.exit(status), LINGER_MS));
}
