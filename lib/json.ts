/**
 * JSON that somebody else has written.
 *
 * @module
 */

import { decodeUTF8 } from "./text.ts";

/**
 * Reads JSON as it is sent between systems (RFC 8259 section 8.1): in UTF-8,
 * and a byte order mark in front is passed over. A lenient decoder would make
 * one user of all whose names are not UTF-8.
 *
 * @returns The value, or `undefined` if the octets are no such JSON.
 */
export function parseJSON(octets: Uint8Array): unknown {
  const text = decodeUTF8(octets);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text[0] === "\ufeff" ? text.slice(1) : text);
  } catch {
    return undefined;
  }
}

/**
 * An object without its members that are `null`: some servers write each member
 * that there is, whether they have a value for it or not.
 */
export function withoutNulls(
  members: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(members).filter(([, value]) => value !== null),
  );
}
