/**
 * Options that are left out where there is nothing to say.
 *
 * @module
 */

/**
 * Leaves out the members that are `undefined`, so that they get the defaults
 * of whoever takes the options.
 */
export function present<T extends object>(
  members: T,
): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const there: { [K in keyof T]?: Exclude<T[K], undefined> } = {};
  for (const key in members) {
    const value = members[key];
    if (isThere(value)) there[key] = value;
  }
  return there;
}

function isThere<T>(value: T): value is Exclude<T, undefined> {
  return value !== undefined;
}
