import * as testing from "../../testing.ts";
import { assertEquals } from "../support/assert.ts";
import { importsOf, modulesOf } from "../support/modules.ts";

Deno.test("testing.ts exports these values, and no others", () => {
  assertEquals(Object.keys(testing).sort(), [
    "BrokenConnection",
    "CLIENT_NAMES",
    "LOGINS",
    "SmtpClient",
    "TestIssuer",
    "acceptAny",
    "flapping",
    "newTestEndpoint",
    "newTestServer",
    "openTestServer",
    "plain",
    "sendAs",
    "serveTestIssuer",
  ]);
});

Deno.test("nothing that a server is made of imports testing/", async () => {
  const rooms = ["lib", "auth", "net", "smtp", "delivery", "adapters"];
  const importers: string[] = [];
  for (const room of [...rooms, "command"]) {
    for (const module of await modulesOf(room)) {
      const known = await importsOf(module);
      if (known.some((each) => each.startsWith("testing"))) {
        importers.push(module);
      }
    }
  }
  assertEquals(importers, []);
});
