/**
 * Letting others have their turn.
 *
 * @module
 */

/**
 * Resolves once everything else that waits has had its turn: sockets too, which
 * have none as long as only promises are waited for that are settled already.
 */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
