import { assert } from "../support/assert.ts";
import { fuzzData } from "./data.ts";
import { fuzzProxy } from "./proxy.ts";
import { fuzzRelay } from "./relay.ts";
import { fuzzSasl } from "./sasl.ts";
import { fuzzSession } from "./session.ts";

/** A short run of what `deno task fuzz` does for a million steps. */
const PARTS = [
  ["the session", fuzzSession, 100],
  ["the SASL decoder", fuzzSasl, 2000],
  ["the PROXY parser", fuzzProxy, 2000],
  ["the data reader", fuzzData, 2000],
  ["the relay's session", fuzzRelay, 1000],
] as const;

for (const [what, fuzz, cases] of PARTS) {
  Deno.test(`${what} bears random input, whole and in pieces`, () => {
    for (let seed = 1; seed <= cases; seed++) {
      try {
        assert(fuzz(seed) > 0);
      } catch (cause) {
        throw new Error(`It fails with seed ${seed}`, { cause });
      }
    }
  });
}
