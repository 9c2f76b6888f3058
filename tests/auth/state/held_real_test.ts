import { assert, assertEquals } from "../../support/assert.ts";

// Off unless asked for since Deno 2.8: no timer, connection or body may be left.
Deno.test.sanitizer({ ops: true, resources: true });

Deno.test("what is remembered of long lines and files takes no more memory than it weighs", async () => {
  const flags = ["--v8-flags=--expose-gc", "--quiet", "--no-check"];
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", ...flags, new URL("held.ts", import.meta.url).href],
  }).output();
  assertEquals(code, 0, new TextDecoder().decode(stderr));
  const { guesses, tokens, files, addresses } = JSON.parse(
    new TextDecoder().decode(stdout),
  );
  // 64 MiB of names and counts at most; with the lines they were 220.
  assert(guesses > 30 && guesses < 80, `${guesses} MiB`);
  // What 10,000 logins have said are 5 MiB; with the tokens they were 90.
  assert(tokens < 20, `${tokens} MiB`);
  // A name and an address of each of 20 files; with the files they were 83.
  assert(files < 20, `${files} MiB`);
  // 10,000 of 20 characters; with the lines they were 39 MiB.
  assert(addresses < 10, `${addresses} MiB`);
});
