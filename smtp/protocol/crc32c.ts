/**
 * CRC-32C (Castagnoli, RFC 3720 appendix B.4), which no platform offers.
 *
 * @module
 */

const POLYNOMIAL = 0x82f63b78; // reflected

/** The checksum as an unsigned 32-bit number. */
export function crc32c(octets: Uint8Array): number {
  let crc = 0xffffffff;
  for (const octet of octets) {
    crc ^= octet;
    // Bit by bit: it is asked for a few hundred octets, once a connection.
    for (let bit = 0; bit < 8; bit++) {
      crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    }
  }
  return (crc ^ 0xffffffff) >>> 0;
}
