/**
 * Whether this machine has IPv6.
 *
 * @module
 */

/** Containers often have none. */
export function hasIPv6(): boolean {
  try {
    Deno.listen({ hostname: "::1", port: 0 }).close();
    return true;
  } catch {
    return false;
  }
}
