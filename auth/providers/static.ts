/**
 * A provider for a handful of users that are known beforehand.
 *
 * @module
 */

import { bareResult } from "../results.ts";
import type { ReadyProvider } from "../types.ts";

const encoder = new TextEncoder();

/**
 * Makes a provider from a fixed table of users.
 *
 * The time it takes depends on what the client sent, not on whether the user
 * exists, nor on how much of the password is right, nor on its length.
 *
 * @param users Passwords by user name. The table is copied; its own entries
 * count, so `__proto__` and `constructor` are names like any other.
 * @returns A provider that answers `authOk` or `authInvalid`.
 * @throws {TypeError} If a user name or a password is empty or not a string.
 *
 * @example
 * ```ts
 * import { newStaticAuthProvider } from "@meowmail/smtpauth";
 *
 * const provider = newStaticAuthProvider({ ann: "correct horse" });
 * const { decision } = await provider({
 *   username: "ann",
 *   password: "battery staple",
 *   mechanism: "PLAIN",
 *   remoteIp: "192.0.2.7",
 *   heloName: "laptop",
 * });
 * console.assert(decision === "authInvalid");
 * ```
 */
export function newStaticAuthProvider(
  users: Readonly<Record<string, string>> | ReadonlyMap<string, string>,
): ReadyProvider {
  const entries = users instanceof Map ? [...users] : Object.entries(users);
  entries.forEach(([username, password]) => check(username, password));
  const secrets = new Map<string, Secret>();
  const size = entries.reduce(
    (most, [, password]) => Math.max(most, encoder.encode(password).length),
    1,
  );
  for (const [username, password] of entries) {
    secrets.set(username, newSecret(password, size));
  }
  // Compared with for a user who does not exist; its length fits no password.
  const nobody: Secret = { octets: new Uint8Array(size), length: -1 };

  return (request) => {
    const secret = secrets.get(request.username) ?? nobody;
    const right = matches(secret, encoder.encode(request.password));
    return Promise.resolve(bareResult(right ? "authOk" : "authInvalid"));
  };
}

/** A password in a buffer as long as the longest one of the table. */
interface Secret {
  readonly octets: Uint8Array;
  readonly length: number;
}

function newSecret(password: string, size: number): Secret {
  const octets = new Uint8Array(size);
  const { written } = encoder.encodeInto(password, octets);
  return { octets, length: written };
}

/** Compares in a time that depends on the guess and the table's size only. */
function matches(secret: Secret, guess: Uint8Array): boolean {
  let difference = secret.length ^ guess.length;
  const size = secret.octets.length;
  for (let i = 0, at = 0; i < guess.length; i++) {
    difference |= (guess[i] ?? 0) ^ (secret.octets[at] ?? 0);
    at = at + 1 === size ? 0 : at + 1;
  }
  return difference === 0;
}

function check(username: unknown, password: unknown): void {
  if (typeof username !== "string" || username === "") {
    throw new TypeError(
      "Cannot create static provider: user names must be non-empty strings",
    );
  }
  if (typeof password !== "string" || password === "") {
    throw new TypeError(
      "Cannot create static provider: passwords must be non-empty strings",
    );
  }
}
