/**
 * A throttle around users, and how to ask it.
 *
 * @module
 */

import { withThrottle } from "../../auth/guards/throttle/throttle.ts";
import type { ThrottleOptions } from "../../auth/guards/throttle/options.ts";
import type { AuthProvider, AuthRequest } from "../../auth/types.ts";
import { type Outcome, outcomeOf, watched } from "./asked_provider.ts";
import { newCountingStore } from "./throttle_store.ts";

/** Two networks. */
export const HOME = "192.0.2.7";
/** The other one. */
export const AWAY = "198.51.100.7";

/** What comes of a right password. */
export const OK: Outcome = ["authOk", "ok"];
/** What comes of a wrong one. */
export const WRONG: Outcome = ["authInvalid", "wrong-credentials"];

/** What comes of either when the provider is not asked. */
export function throttled(what: "user" | "pair" | "network"): Outcome {
  return ["authFailure", `throttled-${what}`];
}

/** Knows one password for everybody whose name begins with a, b or c. */
export const users: AuthProvider = ({ username, password }) =>
  /^[a-c]/i.test(username) && password === "right" ? "authOk" : "authInvalid";

/** A throttle, what the provider in it has been asked, and how to ask. */
export interface Guarded {
  readonly asked: readonly AuthRequest[];
  readonly ask: (
    username: string,
    password: string,
    remoteIp?: string,
    signal?: AbortSignal,
  ) => Promise<Outcome>;
}

/** A throttle without delays, unless the options want some. */
export function newGuarded(
  options: ThrottleOptions = {},
  provider: AuthProvider = users,
): Guarded {
  const { provider: inner, asked } = watched(provider);
  const store = newCountingStore();
  const guarded = withThrottle(inner, { delayMs: 0, store, ...options });
  return {
    asked,
    ask: (username, password, remoteIp = HOME, signal) =>
      outcomeOf(guarded, { username, password, remoteIp }, signal),
  };
}

/** Every n-th network of IPv4, and of IPv6 with a /56 each. */
export function networkAt(n: number, v6 = false): string {
  return v6
    ? `2001:db8:${(n >> 8).toString(16)}:${((n & 255) << 8).toString(16)}::1`
    : `10.${n >> 8 & 255}.${n & 255}.1`;
}
