// What those who guess try, to be counted less than they guess (issue 11, 8, 11,
// 12, 14 and 16).

import { countingName } from "../../../../auth/user_name.ts";
import type { AuthProvider } from "../../../../auth/types.ts";
import { assert, assertEquals } from "../../../support/assert.ts";
import { type Clock, newClock, workedOff } from "../../../support/clock.ts";
import {
  AWAY,
  HOME,
  networkAt,
  newGuarded,
  OK,
  throttled,
  users,
  WRONG,
} from "../../../support/guarded.ts";
import { newRandom, pick } from "../../../support/random.ts";

// Off unless asked for since Deno 2.8: no timer, connection or body may be left.
Deno.test.sanitizer({ ops: true, resources: true });

/** Takes any spelling of a name, as a database without accents does. */
const lenient: AuthProvider = (request, signal) =>
  users({ ...request, username: countingName(request.username) }, signal);

/** A name in one of its many spellings. */
function spelled(name: string, random: (below: number) => number): string {
  const marks = Array.from(
    { length: 6 },
    () => String.fromCodePoint(0x300 + random(0x70)),
  );
  const [local = "", domain] = name.split("@");
  const letters = [...local].map((letter) =>
    pick(random, [letter, letter.toUpperCase()]) + pick(random, ["", ...marks])
  );
  const at = domain === undefined ? "" : `@${domain}`;
  return letters.join("") + at + pick(random, domain ? ["", "."] : [""]);
}

Deno.test("withThrottle() counts guesses for a user however the name is spelled", async () => {
  for (const name of ["ann", "bob@example.com", "carl@xn--bcher-kva.example"]) {
    const random = newRandom(8);
    const { ask, asked } = newGuarded({}, lenient);
    for (let i = 0; i < 1000; i++) {
      const from = networkAt(random(1000));
      await ask(spelled(name, random), `guess ${i}`, from);
    }
    assertEquals(asked.length, 20, name);
  }
});

Deno.test("withThrottle() gives a guesser nothing for logins with names like the victim's", async () => {
  const strict: AuthProvider = ({ username, password }) =>
    ["ann", "\u00e1nn", "ANN"].includes(username) && password === "right"
      ? "authOk"
      : "authInvalid";
  const { ask, asked } = newGuarded({}, strict);
  assertEquals(await ask("\u00e1nn", "right", AWAY), OK);
  for (let i = 0; i < 200; i++) {
    const outcome = await ask("ann", `guess ${i}`, AWAY);
    assertEquals(outcome, i < 10 ? WRONG : throttled("pair"));
  }
  // Nor can such logins end the trust in a network.
  assertEquals(await ask("ann", "right", HOME), OK);
  for (let i = 0; i < 100; i++) {
    await ask("\u00e1nn", "right", networkAt(i));
    await ask("ANN", "right", networkAt(i));
  }
  for (let i = 0; i < 40; i++) {
    await ask("ann", `guess ${i}`, networkAt(1000 + i));
  }
  assertEquals(await ask("ann", "right", AWAY), throttled("user"));
  assertEquals(await ask("ann", "right", HOME), OK);
  assert(asked.length < 300);
});

Deno.test("withThrottle() takes back nobody's guesses for an account with a name like the victim's", async () => {
  const provider: AuthProvider = ({ username, password }) =>
    password === "right" && ["ann", "\u00e1nn"].includes(username)
      ? "authOk"
      : "authInvalid";
  const rows = [
    // Never trusted; in another network each time, so that trust is pushed out;
    // and in the victim's own network.
    [{ trustMs: 0 }, () => AWAY, 10],
    [{}, (i: number) => networkAt(i % 12), 20],
    [{}, () => HOME, 100],
  ] as const;
  for (const [options, from, limit] of rows) {
    const { ask, asked } = newGuarded(options, provider);
    await ask("ann", "right", HOME);
    for (let i = 0; i < 300; i++) {
      await ask("ann", `guess ${i}`, from(i));
      if (i % 5 === 0) await ask("\u00e1nn", "right", from(i));
    }
    const guesses = asked.filter(({ password }) => password !== "right");
    assertEquals(guesses.length, limit);
  }
});

Deno.test("withThrottle() gives nothing for guessing at home now with one spelling, now with another", async () => {
  using clock = newClock();
  // Takes all, but only one spelling has ever been right at home.
  const provider: AuthProvider = ({ username, password }) =>
    username === "ann" && password === "right" ? "authOk" : "authInvalid";
  const { ask, asked } = newGuarded({ now: clock.now }, provider);
  await ask("ann", "right");
  const random = newRandom(3);
  const hours = 10;
  for (let i = 0; i < hours * 600; i++) {
    const name = pick(random, ["ann", "ann", "ann", "\u00e1nn", "ANN"]);
    await ask(name, `guess ${i}`);
    clock.wind(6000);
  }
  // A hundred at home and ten for other spellings, full and once an hour.
  assert(
    asked.length - 1 <= (hours + 1) * 110,
    `${asked.length - 1} in ${hours} hours`,
  );
});

/** How many guesses pass in a time, made as fast as they may be. */
async function guessedIn(
  clock: Clock,
  hours: number,
  guess: (i: number) => Promise<unknown>,
): Promise<void> {
  for (let i = 0; i < hours * 360; i++) {
    await guess(i);
    clock.wind(10_000);
  }
}

Deno.test("withThrottle() lets no single IPv6 /48 keep a user out elsewhere", async () => {
  using clock = newClock();
  const { ask, asked } = newGuarded({ now: clock.now });
  const site = Array.from({ length: 256 }, (_, i) => networkAt(i, true));
  const random = newRandom(12);
  await guessedIn(clock, 24, async (i) => {
    await ask("ann", `guess ${i}`, pick(random, site));
    if (i % 60 > 0) return;
    assertEquals((await ask("ann", "right", HOME))[0], "authOk");
    // Seen from a network where nobody has logged in.
    assertEquals((await ask("ann", "right", networkAt(i)))[0], "authOk");
  });
  // A few more than one network could have made.
  const guesses = asked.filter(({ password }) => password !== "right").length;
  assert(guesses <= 15 * 25, `${guesses}`);
});

Deno.test("withThrottle() counts an IPv6 /48 four times as wide as a network", async () => {
  const rows = [
    [{}, 400],
    [{ ipv6Prefix: 64 }, 400],
    [{ ipv6Prefix: 48 }, 100],
    [{ networkLimit: 7 }, 28],
  ] as const;
  for (const [options, limit] of rows) {
    const { ask, asked } = newGuarded(options);
    for (let i = 0; i < 600; i++) {
      await ask(`eve ${i}`, "12345678", networkAt(i & 255, true));
    }
    assertEquals(asked.length, limit);
    assertEquals(await ask("ann", "right", "2001:db9::1"), OK);
    const inside = await ask("ann", "right", networkAt(255, true));
    assertEquals(inside, throttled("network"));
  }
});

Deno.test("withThrottle() takes back what a user mistyped from the /48 too", async () => {
  const { ask } = newGuarded({ trustMs: 0 });
  for (let round = 0; round < 20; round++) {
    for (let i = 0; i < 9; i++) {
      const outcome = await ask(
        "ann",
        `typo ${round} ${i}`,
        networkAt(0, true),
      );
      assertEquals(outcome, WRONG);
    }
    assertEquals(await ask("ann", "right", networkAt(0, true)), OK);
  }
});

Deno.test("withThrottle() counts a network where a thousand users have logged in", async () => {
  const { ask, asked } = newGuarded({ networkLimit: 20 });
  const names = Array.from({ length: 1000 }, (_, i) => `b${i}`);
  for (const name of names) assertEquals(await ask(name, "right"), OK);
  for (let i = 0; i < 20; i++) {
    for (const name of names) await ask(name, `guess ${i}`);
  }
  const guesses = asked.filter(({ password }) => password !== "right");
  assertEquals(guesses.length, 200);
  assertEquals(await ask("b0", "right"), throttled("network"));
  assertEquals(await ask("b0", "right", AWAY), OK);
});

Deno.test("withThrottle() takes back what users mistype where they have logged in", async () => {
  const { ask } = newGuarded({ networkLimit: 20 });
  for (let i = 0; i < 1000; i++) {
    const name = `b${i % 50}`;
    if (i >= 50) assertEquals(await ask(name, `typo ${i}`), WRONG);
    assertEquals(await ask(name, "right"), OK);
  }
});

Deno.test("withThrottle() has one network for an address with any zone", async () => {
  const { ask, asked } = newGuarded();
  for (let i = 0; i < 20; i++) {
    await ask("ann", `guess ${i}`, `fe80::1%eth${i}`);
    await ask("ann", `other ${i}`, `fe80::${i}%1`);
  }
  assertEquals(asked.length, 10);
  const { ask: shared, asked: all } = newGuarded({ sharedNetworks: ["::1"] });
  for (let i = 0; i < 150; i++) await shared(`eve ${i}`, "x", `::1%lo${i}`);
  assertEquals(all.length, 150);
});

Deno.test("withThrottle() takes what is no address for none", async () => {
  const { ask, asked } = newGuarded();
  for (let i = 0; i < 300; i++) {
    const from = pick((n) => i % n, [
      "",
      "unknown",
      `made up ${i}`,
      `::${i}:::`,
    ]);
    await ask("ann", `guess ${i}`, from);
  }
  assertEquals(asked.length, 200);
});

Deno.test("withThrottle() delays where no address is known, and refuses far later", async () => {
  using clock = newClock();
  const { ask, asked } = newGuarded({ now: clock.now, delayMs: 5000 });
  const start = clock.now();
  const delays: number[] = [];
  for (let i = 0; i < 30; i++) {
    const before = clock.now();
    const guess = ask("ann", `guess ${i}`, "");
    assertEquals(await workedOff(clock, guess), WRONG);
    delays.push(Math.round(clock.now() - before));
  }
  assertEquals(delays.slice(0, 14), new Array(14).fill(0));
  assertEquals(delays.slice(14, 20), [156, 313, 625, 1250, 2500, 5000]);
  assertEquals(delays.slice(20), new Array(10).fill(5000));
  // Elsewhere nobody is held up at all.
  for (const from of [HOME, AWAY]) {
    const before = clock.now();
    assertEquals(await workedOff(clock, ask("ann", "right", from)), OK);
    assertEquals(clock.now(), before);
  }
  assertEquals(await workedOff(clock, ask("ann", "right", "")), OK);
  const many = Array.from({ length: 400 }, (_, i) => ask("ann", `${i}`, ""));
  await workedOff(clock, Promise.all(many));
  assertEquals(await ask("ann", "right", ""), throttled("user"));
  const drained = (clock.now() - start) / (3_600_000 / 200);
  const guesses = asked.filter(({ password }) => password !== "right").length;
  assertEquals(guesses, Math.floor(200 + drained));
  assertEquals(await ask("ann", "right", AWAY), OK);
  clock.wind(3_600_000 / 200);
  assertEquals(await workedOff(clock, ask("ann", "right", "")), OK);
});

Deno.test("withThrottle() counts guesses elsewhere apart from those without an address", async () => {
  const { ask } = newGuarded();
  for (let i = 0; i < 40; i++) await ask("ann", `guess ${i}`, networkAt(i));
  assertEquals(await ask("ann", "right", AWAY), throttled("user"));
  assertEquals(await ask("ann", "right", ""), OK);
});
