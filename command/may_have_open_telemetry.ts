/**
 * What can be known about Deno's own export of figures and spans.
 *
 * @module
 */

/** Whether Deno may export figures and spans. Who may not look must try. */
export function mayHaveOpenTelemetry(): boolean {
  const variable = "OTEL_DENO";
  const { state } = Deno.permissions.querySync({ name: "env", variable });
  return state !== "granted" || Boolean(Deno.env.get(variable));
}
