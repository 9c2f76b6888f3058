/**
 * Parts of the command that most runs do not need, with the packages behind
 * them.
 *
 * @module
 */

// Not named where they are imported: Deno fetches what it finds there even if it
// is never run. `deno task cache` names them all.

/** Checks tokens, by `jose`. */
export const OAUTH_PROVIDER: string = "../auth/providers/oauth/provider.ts";

/** Reads what an issuer publishes. */
export const OAUTH_ISSUER: string = "../auth/providers/oauth/issuer.ts";

/** Writes figures for Prometheus, by `prom-client`. */
export const PROMETHEUS: string = "../metrics/prometheus.ts";

/** Talks to Redis and Valkey, by `@redis/client`. */
export const REDIS: string = "./redis.ts";

/**
 * What Deno must be permitted to read for these; absent where they come from the
 * net.
 */
export function programFolder(): string | undefined {
  const url = new URL("..", import.meta.url);
  return url.protocol === "file:"
    ? decodeURIComponent(url.pathname)
    : undefined;
}
