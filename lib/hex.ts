/**
 * Octets as hexadecimal digits (RFC 4648 section 8), in lower case.
 *
 * @module
 */

import * as std from "@std/encoding/hex";

/** Encodes octets, two digits each. */
// The npm build of @std/encoding has no type declarations: this is what is used.
export const encodeHex: (octets: Uint8Array) => string = std.encodeHex;
