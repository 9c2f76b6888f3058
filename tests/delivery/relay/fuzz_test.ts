import { converse, newTurns } from "../../fuzz/relay.ts";
import { assertEquals } from "../../support/assert.ts";

Deno.test("the random conversations of RelaySession lead everywhere", () => {
  const kinds = new Set<string>();
  const reasons = new Set<string>();
  for (let seed = 1; seed <= 1000; seed++) {
    const hop = converse(seed, newTurns(seed));
    hop.kinds.forEach((kind) => kinds.add(kind.replace(/ .*/, "")));
    if (hop.failure !== undefined) reasons.add(hop.failure.replace(/:.*/, ""));
  }
  assertEquals([...kinds].sort(), [
    "data",
    "dot",
    "failed",
    "getToken",
    "mail",
    "opened",
    "quit",
    "rcpt",
    "rset",
    "startTls",
  ]);
  assertEquals([...reasons].sort(), [
    "relay-credentials",
    "relay-protocol",
    "relay-tls",
    "relay-unknown",
    "relay-unreachable",
  ]);
});
