import { newConnectionId } from "../../lib/connection_id.ts";
import {
  assertEquals,
  assertMatch,
  assertNotEquals,
} from "../support/assert.ts";

Deno.test("newConnectionId() begins with what is the process's own, and counts", () => {
  const ids = Array.from({ length: 100 }, newConnectionId);
  const [first = ""] = ids;
  const prefix = first.slice(0, 13);
  for (const id of ids) assertMatch(id, /^[0-9a-z]{14,}$/);
  const counts = ids.map((id) => parseInt(id.slice(13), 36));
  assertEquals(ids.every((id) => id.startsWith(prefix)), true);
  const [start = NaN] = counts;
  assertEquals(counts, counts.map((_, i) => start + i));
});

Deno.test("newConnectionId() has other ids in another process", async () => {
  // A module with another address is what another process would load.
  const other = await import("../../lib/connection_id.ts?other");
  assertNotEquals(
    other.newConnectionId().slice(0, 13),
    newConnectionId().slice(0, 13),
  );
});
