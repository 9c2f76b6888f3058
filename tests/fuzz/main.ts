/**
 * A million steps of random input through the session, the SASL decoder, the
 * PROXY parser, the data reader and the relay's session, a fifth each. Every case has a seed of
 * its own: with that one, the case is the first of its part again.
 *
 *     deno task fuzz --seed 1 --steps 1000000
 *
 * @module
 */

import { fuzzData } from "./data.ts";
import { fuzzProxy } from "./proxy.ts";
import { fuzzRelay } from "./relay.ts";
import { fuzzSasl } from "./sasl.ts";
import { fuzzSession } from "./session.ts";

/** What is fuzzed: takes a case's seed, returns its steps, throws if it fails. */
const PARTS = [
  ["session", fuzzSession],
  ["sasl", fuzzSasl],
  ["proxy", fuzzProxy],
  ["data", fuzzData],
  ["relay", fuzzRelay],
] as const;

const DEFAULT_STEPS = 1_000_000;

const { seed, steps } = readArgs(Deno.args);
console.log(`seed ${seed}`);
const began = performance.now();
let done = 0;
for (const [name, run] of PARTS) {
  const partBegan = performance.now();
  let stepsOfPart = 0;
  let cases = 0;
  for (; stepsOfPart < steps / PARTS.length; cases++) {
    const caseSeed = (seed + cases) >>> 0;
    try {
      stepsOfPart += run(caseSeed);
    } catch (error) {
      console.error(`error: ${name} fails with --seed ${caseSeed}`);
      console.error(error);
      Deno.exit(1);
    }
  }
  done += stepsOfPart;
  const seconds = secondsSince(partBegan);
  console.log(
    `${name.padEnd(8)}${stepsOfPart} steps, ${cases} cases, ${seconds} s`,
  );
}
console.log(`in all  ${done} steps, ${secondsSince(began)} s`);

function secondsSince(ms: number): string {
  return ((performance.now() - ms) / 1000).toFixed(1);
}

function readArgs(args: readonly string[]): { seed: number; steps: number } {
  const given = new Map<string, number>();
  const words = args.flatMap((arg) => arg.split("="));
  for (let at = 0; at < words.length; at += 2) {
    const [flag = "", text = ""] = words.slice(at, at + 2);
    const known = flag === "--seed" || flag === "--steps";
    if (!known || !/^[0-9]+$/.test(text)) {
      console.error("error: the flags are --seed N and --steps N");
      Deno.exit(2);
    }
    given.set(flag, Number(text));
  }
  return {
    seed: given.get("--seed") ??
      (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0),
    steps: given.get("--steps") ?? DEFAULT_STEPS,
  };
}
