import { assert, assertEquals } from "../../../support/assert.ts";

// Off unless asked for since Deno 2.8: no timer, connection or body may be left.
Deno.test.sanitizer({ ops: true, resources: true });

Deno.test({
  name:
    "newUsersAuthProvider() holds up the event loop for 20 ms at most, in a storm of logins and while it reads 50,000 users",
  // Elsewhere nothing tells how long one thread has computed.
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      // Reading /proc takes all permissions.
      args: ["run", "--quiet", "-A", new URL("storm.ts", import.meta.url).href],
    }).output();
    assertEquals(code, 0, new TextDecoder().decode(stderr));
    const { unbearable, ...kinds }: Record<string, number> = JSON.parse(
      new TextDecoder().decode(stdout),
    );
    assertEquals(Object.keys(kinds).length, 9);
    for (const [kind, milliseconds] of Object.entries(kinds)) {
      assert(milliseconds <= 20, `${kind}: ${milliseconds} ms`);
    }
    assert(Number(unbearable) > 20, `${unbearable} ms`);
  },
});
