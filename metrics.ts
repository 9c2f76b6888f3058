/**
 * Figures for Prometheus: what listener, adapters and relay do, counted by
 * their events.
 *
 * It stands apart from the entry point `.`, because it loads `prom-client`.
 *
 * @example Counting
 * ```ts
 * import { newMetrics } from "@meowmail/smtpauth/metrics";
 *
 * const metrics = await newMetrics();
 * metrics.onEvent({
 *   kind: "opened",
 *   via: "smtp",
 *   id: "1",
 *   remoteIp: "192.0.2.7",
 *   tls: true,
 * });
 * const text = await metrics.text();
 * console.assert(text.includes('smtpauth_connections{tls="true"} 1'));
 * ```
 *
 * @module
 */

export { type Metrics, newMetrics } from "./metrics/metrics.ts";
export type { CountedEvent } from "./metrics/observer.ts";
export type {
  AuthProvider,
  AuthRequest,
  AuthResult,
  ReadyProvider,
} from "./auth/types.ts";
