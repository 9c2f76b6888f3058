// newUsersAuthProvider under Node: its Workers and their bcrypt, and Argon2
// where Node's WebCrypto has it.

import {
  assert,
  assertEquals,
  assertStringIncludes,
} from "../../../support/assert.ts";
import { mustHappen } from "../../../../testing/deadline.ts";
import { temporaryFolder } from "../../../support/listener.ts";
import { type Vector, VECTORS } from "./vectors.ts";

/** The oldest Node that is kept alive, and the oldest with Argon2. */
const VERSIONS = ["22.21.1", "24.11.1"] as const;

const NO_ARGON2 =
  "Cannot read users: WebCrypto has no Argon2 here: other hashes are needed";

/** Logs in with each hash, rightly and wrongly. Its Workers just stay. */
const PROGRAM = `
import { newUsersAuthProvider } from "./smtpauth.js";
const vectors = JSON.parse(process.argv[2]);
const lines = vectors.map(({ hash }, i) => "user" + i + ":" + hash + "\\n");
const provider = newUsersAuthProvider(lines.join(""));
await provider.ready();
const decide = async (username, password) => {
  const asked = { username, password, mechanism: "PLAIN" };
  const { decision } = await provider({
    ...asked,
    remoteIp: "192.0.2.7",
    heloName: "laptop",
  });
  return decision;
};
const results = vectors.map(async ({ password }, i) => [
  await decide("user" + i, password),
  await decide("user" + i, "x" + password.slice(1)),
]);
console.log(JSON.stringify(await Promise.all(results)));
`;

/** A folder with the library as Node gets it: JavaScript, the Worker beside. */
function bundled(cleanUp: DisposableStack): string {
  const folder = temporaryFolder(cleanUp);
  const sources = {
    smtpauth: "mod.ts",
    worker: "auth/providers/users/worker.ts",
  };
  for (const [name, source] of Object.entries(sources)) {
    const { success } = new Deno.Command(Deno.execPath(), {
      args: ["bundle", "-q", "-o", `${folder}/${name}.js`, source],
      stderr: "null",
    }).outputSync();
    assert(success, `${source} cannot be bundled`);
  }
  Deno.writeTextFileSync(`${folder}/package.json`, '{"type":"module"}');
  Deno.writeTextFileSync(`${folder}/program.js`, PROGRAM);
  return folder;
}

/** Runs the program with a Node of npm's. */
async function run(
  folder: string,
  version: string,
  vectors: readonly Vector[],
): Promise<Deno.CommandOutput> {
  const running = new Deno.Command("npx", {
    args: ["-y", `node@${version}`, "program.js", JSON.stringify(vectors)],
    cwd: folder,
  }).output();
  return await mustHappen(running, "the program ends by itself", 120_000);
}

for (const version of VERSIONS) {
  Deno.test(`newUsersAuthProvider() under Node ${version} knows the passwords of all hashes that it can compute`, async () => {
    using cleanUp = new DisposableStack();
    const folder = bundled(cleanUp);
    const hasArgon2 = !version.startsWith("22.");
    if (!hasArgon2) {
      const { code, stderr } = await run(folder, version, VECTORS);
      assertEquals(code, 1);
      assertStringIncludes(textOf(stderr), NO_ARGON2);
    }
    const known = VECTORS.filter(({ hash }) =>
      hasArgon2 || !hash.includes("$argon2")
    );
    const { code, stdout, stderr } = await run(folder, version, known);
    assertEquals(code, 0, textOf(stderr));
    assertEquals(
      JSON.parse(textOf(stdout)),
      known.map(() => ["authOk", "authInvalid"]),
    );
  });
}

function textOf(octets: Uint8Array): string {
  return new TextDecoder().decode(octets);
}
