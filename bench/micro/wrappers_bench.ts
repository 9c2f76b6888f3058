/**
 * What the throttle and the cache cost around a provider.
 *
 * @module
 */

import { withCache } from "../../auth/guards/cache/cache.ts";
import { withThrottle } from "../../auth/guards/throttle/throttle.ts";
import type { AuthProvider, AuthRequest } from "../../auth/types.ts";

let count = 0;

/** A login that was not seen before, from a network that was not either. */
function stranger(): AuthRequest {
  const id = ++count;
  return {
    username: `user${id}`,
    password: "correct horse",
    mechanism: "PLAIN",
    remoteIp: `10.${id >> 16 & 255}.${id >> 8 & 255}.${id & 255}`,
    heloName: "mail.example",
  };
}

/** The same login again and again. */
function regular(): AuthRequest {
  return { ...stranger(), username: "ann", remoteIp: "192.0.2.7" };
}

const yes: AuthProvider = () => Promise.resolve("authOk" as const);
const no: AuthProvider = () => Promise.resolve("authInvalid" as const);

const bare = "the provider alone, to compare";

const throttle = { group: "throttle" };

Deno.bench(bare, { ...throttle, baseline: true }, async () => {
  await yes(regular());
});

const welcoming = withThrottle(yes);

Deno.bench("withThrottle(), a regular", throttle, async () => {
  await welcoming(regular());
});

Deno.bench("withThrottle(), strangers", throttle, async () => {
  await welcoming(stranger());
});

const refusing = withThrottle(no, { delayMs: 0 });

Deno.bench("withThrottle(), strangers guess", throttle, async () => {
  await refusing(stranger());
});

const guessed = withThrottle(no, { delayMs: 0 });

Deno.bench("withThrottle(), one guesses", throttle, async () => {
  await guessed(regular());
});

const cache = { group: "cache" };

Deno.bench(bare, { ...cache, baseline: true }, async () => {
  await yes(regular());
});

const remembering = withCache(yes);

Deno.bench("withCache(), a regular", cache, async () => {
  await remembering(regular());
});

Deno.bench("withCache(), strangers", cache, async () => {
  await remembering(stranger());
});
