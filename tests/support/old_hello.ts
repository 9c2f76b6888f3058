/**
 * What clients send that know no more than TLS 1.0.
 *
 * @module
 */

const BODY = [
  ...[3, 1],
  ...new Array<number>(32).fill(7),
  // No session; two ciphers of those days; no compression; no extensions.
  ...[0, 0, 4, 0, 0x2f, 0, 0x35, 1, 0],
];

/** A whole ClientHello of TLS 1.0. */
export const OLD_HELLO: Uint8Array<ArrayBuffer> = Uint8Array.from([
  ...[22, 3, 1, 0, BODY.length + 4],
  ...[1, 0, 0, BODY.length],
  ...BODY,
]);
