/**
 * `$2y$`, `$2b$` and `$2a$`: bcrypt, as `htpasswd -B` writes it.
 *
 * @module
 */

/** The most that `htpasswd` makes: some ten seconds for each login. */
const MAX_COST = 17;

/** The least that bcrypt has. */
const MIN_COST = 4;

/** A hash of this kind. */
export interface BcryptHash {
  readonly kind: "bcrypt";
  /** The exponent: the work is two to this. */
  readonly cost: number;
  /** All of it, as bcrypt's implementations want it. */
  readonly text: string;
}

/** Reads a hash; a text says which limit it breaks, `undefined` that it is no whole one. */
export function parseBcrypt(text: string): BcryptHash | string | undefined {
  const [, digits] = /^\$2[aby]\$(\d\d)\$[./0-9A-Za-z]{53}$/.exec(text) ?? [];
  if (digits === undefined) return undefined;
  const cost = Number(digits);
  return cost >= MIN_COST && cost <= MAX_COST
    ? { kind: "bcrypt", cost, text }
    : `the hash's cost must be from ${MIN_COST} to ${MAX_COST}: got ${cost}`;
}
