import config from "../deno.json" with { type: "json" };
import { assert, assertEquals } from "./support/assert.ts";
import { filesIn, isUnitTest } from "./support/suite.ts";

const TESTS = new URL("./", import.meta.url);
const SUITES = new URL("suites/", TESTS);

Deno.test("deno task test loads the tests of every folder that has some", async () => {
  const all = filesIn(TESTS, true).filter(isUnitTest)
    .map((file) => file.slice(TESTS.href.length));
  assert(all.includes("tasks_test.ts"));
  const rooms = new Set(
    all.map((file) =>
      file.includes("/") ? file.slice(0, file.indexOf("/")) : ""
    ),
  );
  const loaded = await Promise.all(
    filesIn(SUITES, false).map(async (file) => {
      const [, room] = (await Deno.readTextFile(new URL(file)))
        .match(/^await load\("(.*)"\);$/m) ?? [];
      return room;
    }),
  );
  assertEquals(new Set(loaded), rooms);
  assertEquals(loaded.length, rooms.size);
  // Those that take longest come first.
  const { test } = config.tasks;
  const begun = test.split(" ").filter((word) => word.startsWith("tests/"));
  assertEquals(
    begun.sort(),
    filesIn(SUITES, false).map((file) =>
      file.slice(file.indexOf("tests/suites/"))
    ),
  );
});

Deno.test("deno task ok runs all tests", () => {
  const { ok, "test:real": real, "test:doc": docs } = config.tasks;
  assert(
    ok.endsWith("deno task test && deno task test:doc && deno task test:real"),
  );
  assert(real.endsWith(" tests/**/*_real_test.ts"));
  assert(docs.includes(" --doc ") && docs.endsWith(" --ignore=tests"));
});
