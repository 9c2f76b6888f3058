/**
 * Calling what somebody else has written to be told of something.
 *
 * @module
 */

/**
 * Makes a hook that can be called anywhere: what it throws, or rejects with, is
 * its own affair. It is told of what has happened; it can't undo that.
 *
 * @param hook Somebody's function; absent if nobody wants to be told.
 */
export function harmless<T>(
  hook: ((value: T) => unknown) | undefined,
): (value: T) => void {
  if (hook === undefined) return () => {};
  return (value) => {
    try {
      const result = hook(value);
      // An async function fits where nothing is returned, too.
      if (result instanceof Promise) result.catch(() => {});
    } catch {
      // Nobody to tell: this is who is told.
    }
  };
}
