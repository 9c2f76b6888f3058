/**
 * What an error says, for a log.
 *
 * @module
 */

/** The words of an error of any kind; a text that was thrown is its own. */
export function errorText(error: unknown): string {
  if (typeof error === "string") return error;
  return error instanceof Error ? `${error.name}: ${error.message}` : "unknown";
}

/**
 * What the system says is wrong, for an operator: without its number, and
 * without the path that the caller names anyway.
 */
export function systemReason(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const [, first, rest] = NODE_LISTEN.exec(text) ?? [];
  if (first !== undefined) return first.toUpperCase() + rest;
  return text.replace(/ \(os error \d+\).*$/s, "").replaceAll(/\s*\n\s*/g, " ");
}

/** As `node:net` puts it, with code and place around it. */
const NODE_LISTEN = /^listen E[A-Z]+: ([a-z])(.*) [^ ]+$/;
