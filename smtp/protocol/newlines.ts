/**
 * Bare CRs and LFs of a message become CRLFs, for devices that can do no
 * better. Where the message ends was found before, and is not changed by it.
 *
 * @module
 */

import type { CrBefore } from "./data.ts";

const LF = 10;
const CR = 13;

/**
 * Puts an LF behind each CR, and a CR in front of each LF, that has none.
 *
 * @param octets The next octets of a message. They stay as they are.
 * @param crBefore Whether a CR stands in front of them.
 * @returns Other octets. A CR at the end gets its LF with what comes next.
 */
export function completeLineEnds(
  octets: Uint8Array,
  crBefore: CrBefore,
): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(octets.length * 2 + 2);
  let length = 0;
  if (crBefore === "held") whole[length++] = CR;
  let afterCr = crBefore !== "none";
  for (const octet of octets) {
    if (afterCr && octet !== LF) whole[length++] = LF;
    if (!afterCr && octet === LF) whole[length++] = CR;
    whole[length++] = octet;
    afterCr = octet === CR;
  }
  return whole.slice(0, length);
}
