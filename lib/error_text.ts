/**
 * What an error says, for a log.
 *
 * @module
 */

/** The words of an error of any kind. */
export function errorText(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : "unknown";
}
