/** The provider in a program of its own, which it must not keep running. */

import { mustHappen } from "../../../testing/deadline.ts";
import { assertEquals } from "../../support/assert.ts";
import { HANDSHAKE, newFakeDovecot } from "../../support/fake_dovecot.ts";

// Off unless asked for since Deno 2.8: no timer, connection or body may be left.
Deno.test.sanitizer({ ops: true, resources: true });

const ROOT = new URL("../../../", import.meta.url);
const MODULE = new URL("adapters/dovecot/provider.ts", ROOT).href;

/** A program whose client leaves then, and that does not dispose of anything. */
function program(port: number, leave: string): string {
  return `
    import { newDovecotAuthProvider } from ${JSON.stringify(MODULE)};
    const provider = newDovecotAuthProvider({ port: ${port} });
    const gone = new AbortController();
    const leave = () => gone.abort();
    const request = { username: "ann", password: "pw", mechanism: "PLAIN" };
    const asked = provider({ ...request, remoteIp: "", heloName: "" }, gone.signal);
    ${leave};
    console.log((await asked).reason);`;
}

Deno.test("newDovecotAuthProvider() keeps no program from ending, whenever its client leaves", async () => {
  await using server = newFakeDovecot(async (connection) => {
    await connection.say(HANDSHAKE);
    for (;;) await connection.line();
  });
  // Before there is a connection, and once the question has been asked.
  for (const leave of ["leave()", "setTimeout(leave, 100)"]) {
    await using child = new Deno.Command(Deno.execPath(), {
      args: ["eval", "--quiet", program(server.port, leave)],
      cwd: ROOT,
      env: { NO_COLOR: "1" },
      stdout: "piped",
    }).spawn();
    const { stdout } = await mustHappen(child.output(), "the program ends");
    assertEquals(new TextDecoder().decode(stdout), "client-gone\n", leave);
  }
});
