import config from "../deno.json" with { type: "json" };
import { assert, assertEquals } from "./support/assert.ts";

const ROOT = new URL("../", import.meta.url);

Deno.test("deno task test and deno task test:real share out all tests between them", () => {
  const { test, "test:real": real } = config.tasks;
  const [, left = ""] = test.split("--ignore=");
  const taken = real.split(" ").filter((word) => word.startsWith("tests/"));
  assertEquals(left.split(","), taken);
  assert(taken.length > 0);
  for (const path of taken) Deno.statSync(new URL(path, ROOT));
});

Deno.test("deno task ok runs both", () => {
  assert(config.tasks.ok.endsWith("deno task test && deno task test:real"));
});
