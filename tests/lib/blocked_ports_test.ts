import { blockedPort } from "../../lib/blocked_ports.ts";
import {
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "../support/assert.ts";

Deno.test("blockedPort() knows the ports that fetch refuses, and no others", async () => {
  const open = [2, 80, 443, 1024, 3000, 6001, 8025, 8080, 10079, 10081, 65535];
  for (const port of open) {
    assertEquals(blockedPort(new URL(`http://127.0.0.1:${port}/`)), undefined);
  }
  assertEquals(blockedPort(new URL("http://a.example/")), undefined);
  assertEquals(blockedPort(new URL("https://a.example:443/")), undefined);
  let blocked = 0;
  for (let port = 0; port <= 10_080; port++) {
    const url = new URL(`http://127.0.0.1:${port}/`);
    if (blockedPort(url) === undefined) continue;
    blocked++;
    const error = await assertRejects(() => fetch(url), TypeError);
    assertStringIncludes(error.message, "blocked", `${port}`);
  }
  assertEquals(blocked, 83);
});
