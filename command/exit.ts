/**
 * The end of the process.
 *
 * @module
 */

/**
 * How long something that was left open may keep the process, in milliseconds:
 * with the nine seconds that clients have, less than ten.
 */
const LINGER_MS = 500;

/**
 * Ends the process as soon as nothing is under way any more, and after half a
 * second in any case.
 *
 * `Deno.exit()` at once would not always end it: with `OTEL_DENO=true` it waits,
 * on the thread that runs this program, until the last spans and figures have
 * gone out; figures that are due at the same time wait for this program, and
 * neither ends. A process that ends by itself has nobody who could be waited
 * for.
 *
 * @param status The exit status.
 */
export function exit(status: number): void {
  Deno.exitCode = status;
  Deno.unrefTimer(setTimeout(() => Deno.exit(status), LINGER_MS));
}
