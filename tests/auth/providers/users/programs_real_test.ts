/**
 * The provider in programs of its own: under which permissions it works, from
 * where it can be loaded, and that it does not keep a program running.
 */

import { assertEquals, assertMatch } from "../../../support/assert.ts";

// Off unless asked for since Deno 2.8: no timer, connection or body may be left.
Deno.test.sanitizer({ ops: true, resources: true });

const ROOT = new URL("../../../../", import.meta.url);
const MODULE = "auth/providers/users/users.ts";

/** A program that logs ann in, and does not dispose of the provider. */
function program(root: string): string {
  return `
    import { newUsersAuthProvider } from ${JSON.stringify(`${root}${MODULE}`)};
    const provider = newUsersAuthProvider(
      "ann:$2b$05$KUwAiajkz4uAw.jO2xD8ue/qHr3Ff/Bdv3dAYG.QNANYCXVYenohO",
    );
    try {
      await provider.ready();
    } catch (error) {
      console.log(String(error));
    }
    const request = { username: "ann", password: "pw", mechanism: "PLAIN" };
    console.log(await provider({ ...request, remoteIp: "", heloName: "" }));`;
}

/** What such a program prints. */
async function run(root: string, ...permissions: string[]): Promise<string> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/program.ts`, program(root));
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--quiet", "--no-prompt", "--no-lock", "--config"],
        ...["deno.json", ...permissions, `${folder}/program.ts`],
      ],
      cwd: ROOT,
      env: { NO_COLOR: "1" },
    }).output();
    assertEquals(code, 0, new TextDecoder().decode(stderr));
    return new TextDecoder().decode(stdout);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const ACCEPTED = '{ decision: "authOk", user: "ann" }\n';

Deno.test("newUsersAuthProvider() needs to read its own files, and lets a program end", async () => {
  const folders = ["auth/", "lib/"].map((each) => new URL(each, ROOT).pathname);
  assertEquals(await run(ROOT.href, `--allow-read=${folders}`), ACCEPTED);
});

Deno.test("ready() says which permission lacks, and no password is wrong because of that", async () => {
  const output = await run(ROOT.href);
  assertMatch(
    output,
    /^Error: Cannot check bcrypt hashes: NotCapable: Requires read access to ".*worker\.ts"/,
  );
  assertMatch(output, /decision: "authFailure",\n {2}reason: "provider-error"/);
});

Deno.test("newUsersAuthProvider() works where it is loaded from the net, as from jsr:", async () => {
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async ({ url }) => {
      const { pathname } = new URL(url);
      const file = await Deno.readFile(new URL(`.${pathname}`, ROOT));
      const headers = { "content-type": "application/typescript" };
      return new Response(file, { headers });
    },
  );
  const host = `127.0.0.1:${server.addr.port}`;
  const output = await run(`http://${host}/`, `--allow-import=${host}`);
  assertEquals(output, ACCEPTED);
});
