// Answers that come too late, and clients that do not wait for any (issue 11, 9
// and 10).

import type { AuthProvider, AuthResult } from "../../../../auth/types.ts";
import { assert, assertEquals } from "../../../support/assert.ts";
import { type Clock, newClock, workedOff } from "../../../support/clock.ts";
import {
  AWAY,
  type Guarded,
  HOME,
  networkAt,
  newGuarded,
  OK,
  throttled,
  WRONG,
} from "../../../support/guarded.ts";

// Off unless asked for since Deno 2.8: no timer, connection or body may be left.
Deno.test.sanitizer({ ops: true, resources: true });

const TIMEOUT: AuthResult = {
  decision: "authFailure",
  reason: "backend-timeout",
};

/** Says yes at once, and lets who guesses wait for longer than we do. */
function slowToRefuse(failure: AuthResult, ms: number): AuthProvider {
  return ({ password }) =>
    password === "right"
      ? "authOk"
      : password === "typo"
      ? "authInvalid"
      : new Promise((resolve) => setTimeout(() => resolve(failure), ms));
}

/** Asks, and tells how long it was held up before the provider was asked. */
async function heldUp(
  clock: Clock,
  { ask, asked }: Guarded,
  password: string,
  username = "ann",
  remoteIp = AWAY,
): Promise<number> {
  const [count, before] = [asked.length, clock.now()];
  const outcome = ask(username, password, remoteIp);
  while (asked.length === count) {
    await workedOff(clock, Promise.resolve());
    if (asked.length > count) break;
    clock.wind(clock.timers()[0] ?? 0);
  }
  const heldMs = clock.now() - before;
  const [decision] = await workedOff(clock, outcome);
  assert(decision !== "authFailure" || password.startsWith("guess"));
  return Math.round(heldMs);
}

Deno.test("withThrottle() delays guesses that a back end refuses too late", async () => {
  const rows = [
    [TIMEOUT, 300],
    [TIMEOUT, 1200],
    [{ decision: "authFailure" }, 1000],
    [{ decision: "authFailure", reason: "backend-status" }, 1500],
  ] as const;
  for (const [failure, ms] of rows) {
    using clock = newClock();
    const guarded = newGuarded(
      { now: clock.now, delayMs: 5000 },
      slowToRefuse(failure, ms),
    );
    const delays: number[] = [];
    for (let i = 0; i < 300; i++) {
      delays.push(await heldUp(clock, guarded, `guess ${i}`));
    }
    // Half as long as before a limit.
    assertEquals(delays.slice(0, 4), [0, 0, 0, 0]);
    assertEquals(delays.slice(4, 8), [78, 156, 313, 625]);
    assertEquals(delays.slice(20), new Array(280).fill(2500));
    // Nobody is refused, and a quick answer, right or wrong, ends it.
    for (const quick of ["right", "typo"]) {
      assertEquals(await heldUp(clock, guarded, quick), 2500);
      assertEquals(await heldUp(clock, guarded, quick), 0);
      for (let i = 0; i < 20; i++) await heldUp(clock, guarded, `guess ${i}`);
    }
  }
});

Deno.test("withThrottle() does not take failures for late that were not, or asked nobody", async () => {
  const rows = [
    [{ decision: "authFailure", reason: "backend-status" }, 900],
    [{ decision: "authFailure", reason: "backend-unreachable" }, 0],
    [{ decision: "authFailure", reason: "backend-busy" }, 4000],
  ] as const;
  for (const [failure, ms] of rows) {
    using clock = newClock();
    const guarded = newGuarded(
      { now: clock.now, delayMs: 5000 },
      slowToRefuse(failure, ms),
    );
    for (let i = 0; i < 50; i++) {
      assertEquals(await heldUp(clock, guarded, `guess ${i}`), 0);
    }
  }
});

Deno.test("withThrottle() counts late answers by network too, and an account there ends nothing but its own", async () => {
  using clock = newClock();
  const guarded = newGuarded(
    { now: clock.now, delayMs: 5000 },
    slowToRefuse(TIMEOUT, 1200),
  );
  let heldMs = 0;
  for (let i = 0; i < 300; i++) {
    heldMs += await heldUp(clock, guarded, "guess", `user ${i}`);
    await heldUp(clock, guarded, "right", "eve");
  }
  assert(heldMs > 150 * 2500, `${heldMs}`);
  assertEquals(await heldUp(clock, guarded, "right", "eve"), 0, "known there");
  assertEquals(await heldUp(clock, guarded, "right", "bob"), 2500);
  assertEquals(await heldUp(clock, guarded, "right", "bob", HOME), 0);
  // By IPv6 /48 as well.
  for (let i = 0; i < 500; i++) {
    const from = networkAt(i & 255, true);
    await heldUp(clock, guarded, "guess", `user ${i}`, from);
  }
  const from = networkAt(255, true);
  assertEquals(await heldUp(clock, guarded, "right", "bob", from), 2500);
});

Deno.test("withThrottle() delays users once after an outage", async () => {
  using clock = newClock();
  const guarded = newGuarded(
    { now: clock.now, delayMs: 5000 },
    slowToRefuse(TIMEOUT, 1200),
  );
  await heldUp(clock, guarded, "right", "ann", HOME);
  for (let i = 0; i < 60; i++) {
    await heldUp(clock, guarded, "guess", "ann", HOME);
    await heldUp(clock, guarded, "guess", "bob", HOME);
    clock.wind(60_000);
  }
  for (const user of ["ann", "bob"]) {
    const delay = await heldUp(clock, guarded, "right", user, HOME);
    assert(delay <= 2500, `${user}: ${delay}`);
    assertEquals(await heldUp(clock, guarded, "right", user, HOME), 0);
  }
  clock.wind(3_600_000);
  assertEquals(await heldUp(clock, guarded, "right", "carl", HOME), 0);
});

/** Asks, and goes before the answer comes. */
async function askAndGo(
  { ask, asked }: Guarded,
  username: string,
  password: string,
  remoteIp: string,
): Promise<boolean> {
  const before = asked.length;
  const controller = new AbortController();
  const outcome = ask(username, password, remoteIp, controller.signal);
  const isAsked = await Promise.race([
    outcome.then(() => false),
    tick().then(() => asked.length > before),
  ]);
  controller.abort();
  assertEquals((await outcome)[0], "authFailure");
  return isAsked;
}

async function tick(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

/** Answers what is right at once, and all else never. */
const silent: AuthProvider = ({ password }) =>
  password === "right" ? "authOk" : new Promise<never>(() => {});

Deno.test("withThrottle() charges a network for clients that do not wait for the answer", async () => {
  const rows = [
    ["one user", (i: number) => ["ann", `guess ${i}`, AWAY], 100],
    ["one guess", () => ["ann", "guess", AWAY], 100],
    ["a user each", (i: number) => [`user ${i}`, "guess", AWAY], 100],
    [
      "networks of an IPv6 /48",
      (i: number) => [`user ${i}`, "guess", networkAt(i & 255, true)],
      400,
    ],
  ] as const;
  for (const [what, request, limit] of rows) {
    const guarded = newGuarded({}, silent);
    let asked = 0;
    for (let i = 0; i < 600; i++) {
      const [username = "", password = "", remoteIp = ""] = request(i);
      if (await askAndGo(guarded, username, password, remoteIp)) asked++;
    }
    assertEquals(asked, limit, what);
    // It was no guess at the user.
    assertEquals(await guarded.ask("ann", "right", HOME), OK, what);
    const [, , remoteIp] = request(599);
    assertEquals(
      await guarded.ask("ann", "right", remoteIp),
      throttled("network"),
      what,
    );
  }
});

Deno.test("withThrottle() charges nobody for clients that go before the provider is asked", async () => {
  using clock = newClock();
  const guarded = newGuarded({ now: clock.now, delayMs: 5000, pairLimit: 2 });
  const { ask, asked } = guarded;
  assertEquals(await ask("ann", "typo"), WRONG);
  for (let i = 0; i < 300; i++) {
    const controller = new AbortController();
    const outcome = ask("ann", "right", HOME, controller.signal);
    await clock.hasTimers(1);
    controller.abort();
    assertEquals(await outcome, ["authFailure", "client-gone"]);
  }
  assertEquals(asked.length, 1);
  assertEquals(await ask("bob", "right"), OK);
});

Deno.test("withThrottle() charges home for clients that go from where their user has logged in", async () => {
  const guarded = newGuarded({ networkLimit: 5 }, silent);
  assertEquals(await guarded.ask("ann", "right"), OK);
  let asked = 0;
  for (let i = 0; i < 100; i++) {
    if (await askAndGo(guarded, "ann", `${i}`, HOME)) asked++;
  }
  assertEquals(asked, 50);
  assertEquals(await guarded.ask("bob", "right"), OK, "others are not held up");
});
