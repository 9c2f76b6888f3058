/**
 * By what a wrong guess is known again.
 *
 * @module
 */

import { importSecret, keyedHash } from "../../../lib/hmac.ts";

/**
 * The 20 bits by which a guess is known again. A new guess is taken for one of
 * the 64 old ones once in 16,000 times, which helps nobody. Who gets hold of
 * them and of their key cannot find the password: of ten million that people
 * choose, ten fit.
 */
export function newGuessHash(
  secret: () => Promise<Uint8Array>,
): (user: string, password: string) => Promise<number> {
  let used: Uint8Array | undefined;
  let key: Promise<CryptoKey> | undefined;
  return async (user, password) => {
    const latest = await secret();
    if (key === undefined || latest !== used) {
      used = latest;
      key = importSecret(latest);
    }
    const hash = await keyedHash(await key, [user, password]);
    const [high = 0, middle = 0, low = 0] = hash;
    return (high << 16 | middle << 8 | low) >> 4;
  };
}
