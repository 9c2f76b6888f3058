import { systemReason } from "../../lib/error_text.ts";
import { assertEquals } from "../support/assert.ts";

Deno.test("systemReason() says the same of a place, whichever part of the engine says so", () => {
  const rows = [
    ["Address already in use (os error 98)", "Address already in use"],
    [
      "No such file or directory (os error 2): open 'x'",
      "No such file or directory",
    ],
    [
      "listen EADDRINUSE: address already in use 127.0.0.1:2525",
      "Address already in use",
    ],
    [
      "listen EADDRINUSE: address already in use ::1:25",
      "Address already in use",
    ],
    ["listen EACCES: permission denied 0.0.0.0:25", "Permission denied"],
    [
      "listen EADDRNOTAVAIL: address not available 192.0.2.1",
      "Address not available",
    ],
    ["two\n  lines", "two lines"],
    // Not of a place that the caller names.
    ["connect ECONNREFUSED 127.0.0.1:1", "connect ECONNREFUSED 127.0.0.1:1"],
  ] as const;
  for (const [message, reason] of rows) {
    assertEquals(systemReason(new Error(message)), reason);
  }
  assertEquals(systemReason("text"), "text");
});
