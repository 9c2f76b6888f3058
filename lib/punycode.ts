/**
 * Punycode, in which domains write what is not ASCII (RFC 3492).
 *
 * @module
 */

// RFC 3492 section 5.
const BASE = 36;
const T_MIN = 1;
const T_MAX = 26;
const SKEW = 38;
const DAMP = 700;
const INITIAL_BIAS = 72;
const INITIAL_CODE_POINT = 0x80;

/**
 * Reads what stands behind the `xn--` of a domain's label.
 *
 * @param text In lower case, such as `bcher-kva`.
 * @returns The label, such as `bücher`; `undefined` if the text is none.
 */
export function decodePunycode(text: string): string | undefined {
  const split = text.lastIndexOf("-");
  const label = [...text.slice(0, Math.max(0, split))];
  let [codePoint, bias, index] = [INITIAL_CODE_POINT, INITIAL_BIAS, 0];
  for (let at = split + 1; at < text.length;) {
    const number = readNumber(text, at, bias);
    if (number === undefined) return undefined;
    const count = label.length + 1;
    codePoint += Math.floor((index + number.value) / count);
    if (!isCharacter(codePoint)) return undefined;
    bias = adapted(number.value, count, at === split + 1);
    at = number.end;
    index = (index + number.value) % count;
    label.splice(index++, 0, String.fromCodePoint(codePoint));
  }
  return label.join("");
}

/** Reads one number of variable length (section 3.3). */
function readNumber(
  text: string,
  start: number,
  bias: number,
): { readonly value: number; readonly end: number } | undefined {
  let [value, weight] = [0, 1];
  for (let at = start, k = BASE; at < text.length; at++, k += BASE) {
    const digit = digitOf(text.charCodeAt(at));
    if (digit === undefined) return undefined;
    value += digit * weight;
    const threshold = Math.min(T_MAX, Math.max(T_MIN, k - bias));
    if (digit < threshold) return { value, end: at + 1 };
    weight *= BASE - threshold;
    // No code point is so large that its number needs more.
    if (!Number.isSafeInteger(weight)) return undefined;
  }
  return undefined;
}

/** `a` to `z` are 0 to 25, `0` to `9` are 26 to 35. */
function digitOf(unit: number): number | undefined {
  if (unit >= 0x61 && unit <= 0x7a) return unit - 0x61;
  if (unit >= 0x30 && unit <= 0x39) return unit - 0x30 + 26;
  return undefined;
}

function isCharacter(codePoint: number): boolean {
  return codePoint <= 0x10ffff && (codePoint < 0xd800 || codePoint > 0xdfff);
}

/** The bias for the next number (section 6.1). */
function adapted(value: number, count: number, isFirst: boolean): number {
  let delta = Math.floor(value / (isFirst ? DAMP : 2));
  delta += Math.floor(delta / count);
  let k = 0;
  for (; delta > (BASE - T_MIN) * T_MAX / 2; k += BASE) {
    delta = Math.floor(delta / (BASE - T_MIN));
  }
  return k + Math.floor((BASE - T_MIN + 1) * delta / (delta + SKEW));
}
