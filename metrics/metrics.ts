/**
 * Figures of a server, to be fed by its events.
 *
 * @module
 */

import config from "../deno.json" with { type: "json" };
import type { AuthProvider, ReadyProvider } from "../auth/types.ts";
import { type CountedEvent, Observer } from "./observer.ts";
import { newPrometheusSink } from "./prometheus.ts";

/**
 * Figures of a server.
 *
 * @category Metrics
 */
export interface Metrics {
  /** The media type of the text. */
  readonly contentType: string;
  /** Counts an event: the `onEvent` of listener, adapters and relay. */
  readonly onEvent: (event: CountedEvent) => void;
  /**
   * Measures the calls of a back end: wrap it before any guard does.
   *
   * @param provider The back end.
   * @returns The same, measured.
   */
  readonly measured: (provider: AuthProvider) => ReadyProvider;
  /** All figures in the text format of Prometheus. */
  readonly text: () => Promise<string>;
}

/**
 * Makes figures: logins, messages, connections, times, by the names that
 * docs/monitoring.md lists. No user name stands in them.
 *
 * @returns The figures, all at 0.
 *
 * @example A page for Prometheus beside a listener
 * ```ts
 * import { newStaticAuthProvider, serveSmtp } from "@meowmail/smtpauth";
 * import { newMetrics } from "@meowmail/smtpauth/metrics";
 *
 * const metrics = await newMetrics();
 * const provider = metrics.measured(newStaticAuthProvider({ ann: "secret" }));
 * const { onEvent } = metrics;
 * await using server = serveSmtp({ port: 0, provider, onEvent }, () => {});
 *
 * // Deno.serve({ port: 9100 }, async () =>
 * //   new Response(await metrics.text(), {
 * //     headers: { "content-type": metrics.contentType },
 * //   }));
 * const text = await metrics.text();
 * console.assert(text.includes('smtpauth_connections{tls="false"} 0'));
 * ```
 * @category Metrics
 */
export async function newMetrics(): Promise<Metrics> {
  const sink = await newPrometheusSink();
  const observer = new Observer([sink], config.version);
  return {
    contentType: sink.contentType,
    onEvent: observer.onEvent,
    measured: (provider) => observer.measured(provider),
    text: () => sink.text(observer.read),
  };
}
