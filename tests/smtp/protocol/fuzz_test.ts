import { assert, assertEquals, assertMatch } from "../../support/assert.ts";
import { newFuzzCase } from "../../support/fuzz.ts";
import {
  assertOrder,
  converse,
  MOST_WAITING,
  REPLY_LINE,
  seen,
} from "../../support/fuzz_session.ts";

const CASES = 400;

Deno.test("Session answers anything with replies and actions in their order", () => {
  const kinds = new Set<string>();
  const codes = new Set<string>();
  for (let seed = 1; seed <= CASES; seed++) {
    const client = converse(newFuzzCase(seed));
    const lines = client.output.split("\r\n");
    assertEquals(lines.pop(), "", `seed ${seed}`);
    for (const line of lines) {
      assertMatch(line, REPLY_LINE, `seed ${seed}`);
      codes.add(line.slice(0, 3));
    }
    assertOrder(client.actions, `seed ${seed}`);
    for (const action of client.actions) kinds.add(action.kind);
  }
  // The conversations lead everywhere, else this test would say little.
  assertEquals([...kinds].sort(), [
    "authEnded",
    "authenticate",
    "badBody",
    "body",
    "close",
    "endOfMessage",
    "message",
    "startTls",
  ]);
  assertEquals(
    [...codes].sort().join(" "),
    "214 220 221 235 250 252 334 354 421 454 500 501 502 503 504 530 535 552 554 555",
  );
});

Deno.test("Session says and asks the same wherever packets end", () => {
  for (let seed = 1; seed <= CASES; seed++) {
    const fuzzCase = newFuzzCase(seed);
    const whole = seen(converse(fuzzCase));
    for (const pieceSize of [1, 2, 7]) {
      const pieces = seen(converse(fuzzCase, pieceSize));
      assertEquals(pieces, whole, `seed ${seed}, pieces of ${pieceSize}`);
    }
  }
});

Deno.test("Session keeps no more than a line, whatever comes", () => {
  let most = 0;
  for (let seed = 1; seed <= CASES; seed++) {
    const client = converse(newFuzzCase(seed), 512);
    most = Math.max(most, client.mostWaiting);
  }
  assert(most <= MOST_WAITING, `${most}`);
  assert(most > 4096, `long lines were among them: ${most}`);
});

Deno.test("Session tells no outcome and no client the password or response", () => {
  for (let seed = 1; seed <= CASES; seed++) {
    const client = converse(newFuzzCase(seed));
    const told = JSON.stringify(client.outcomes()) + client.output;
    for (const secret of ["secret", "c2VjcmV0", "AGFubg", "BzZWNyZX"]) {
      assert(!told.includes(secret), `seed ${seed}: ${told}`);
    }
  }
});
