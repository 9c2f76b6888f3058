// The package for npm, installed into a fresh project and used there by Node 22,
// Node 24 and Bun, each from npm.

import { buildPackage } from "../../npm/build.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { temporaryFolder } from "../support/listener.ts";
import { codeBlocks } from "../support/pages.ts";

/** What runs the package. Argon2 is in WebCrypto since Node 24.7. */
const RUNTIMES = [
  { name: "Node 22", program: "node@22.23.3", hasArgon2: false },
  { name: "Node 24", program: "node@24.9.0", hasArgon2: true },
  { name: "Bun", program: "bun@1.4.5", hasArgon2: false },
] as const;

const CONSUMER = new URL("consumer.ts", import.meta.url);

/** Runs a program in a folder; fails unless it ends well. */
async function run(
  cwd: string,
  program: string,
  ...args: readonly string[]
): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    cwd,
    env: { NO_COLOR: "1" },
  }).output();
  const text = new TextDecoder().decode(stdout);
  const errors = new TextDecoder().decode(stderr);
  assert(success, `${program} ${args.join(" ")}: ${text}${errors}`);
  return text;
}

/** Makes a project and installs the package; returns its folder. */
async function installed(cleanUp: DisposableStack): Promise<string> {
  const folder = temporaryFolder(cleanUp);
  const path = await buildPackage(folder);
  const project = `${folder}/project`;
  await Deno.mkdir(project);
  await Deno.writeTextFile(
    `${project}/package.json`,
    JSON.stringify({ private: true, type: "module" }),
  );
  await run(project, "npm", "install", "--no-audit", "--no-fund", path);
  await Deno.copyFile(CONSUMER, `${project}/consumer.ts`);
  return project;
}

/** What every runtime prints. */
function expected(hasArgon2: boolean): unknown {
  const outages = Array.from({ length: 12 }, () => "authFailure");
  const guesses = Array.from({ length: 10 }, () => "authInvalid");
  const elsewhere = (action: string, instead: string) =>
    `Cannot ${action}: this needs Deno; elsewhere ${instead}`;
  return {
    decoder: ["Username:", "Password:", ["ann", "secret"], 501],
    static: ["authOk", "authInvalid"],
    users: ["authOk", "authInvalid", "authInvalid"],
    argon2: hasArgon2
      ? "authOk"
      : "Cannot read users: WebCrypto has no Argon2 here: other hashes are needed",
    endpoint: ["authOk", "authInvalid", ...outages, "authOk"],
    tokens: ["authOk", "authInvalid", "authInvalid", "authFailure"],
    guards: ["authOk", "authOk", 1, ...guesses, "authFailure", "authFailure"],
    handler: ["authOk", "authInvalid"],
    onAuth: ["ann", "Authentication credentials invalid"],
    listener: [1, "250 2.0.0", 13],
    dovecot: true,
    serveSmtp: elsewhere(
      "serve SMTP",
      "give smtpServerAuth to the package smtp-server",
    ),
    serveDovecotAuth: elsewhere(
      "listen on a unix socket",
      "listen on hostname and port",
    ),
    openMaildir: elsewhere("open Maildir", "deliver by a function"),
    newDovecotAuthProvider: elsewhere(
      "create Dovecot provider",
      "ask an endpoint by newHTTPAuthProvider",
    ),
  };
}

/** Every file of a folder, with those of the folders in it. */
function filesOf(folder: string): string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) =>
    isDirectory ? filesOf(`${folder}/${name}`) : [`${folder}/${name}`]
  );
}

/** Fails if a declaration names Deno, or another that is not there. */
function assertDeclarations(folder: string): void {
  const files = new Set(filesOf(folder));
  const declarations = [...files].filter((file) => file.endsWith(".d.ts"));
  assert(declarations.length > 20);
  for (const file of declarations) {
    const text = Deno.readTextFileSync(file)
      .replaceAll(/\/\*\*[^]*?\*\//g, "");
    assert(!/\bDeno\./.test(text), file);
    for (const [, name = ""] of text.matchAll(/from "(\.[^"]*)\.js"/g)) {
      const target = new URL(`${name}.d.ts`, `file://${file}`).pathname;
      assert(files.has(target), `${file}: ${name}`);
    }
  }
}

Deno.test("the package for npm works on Node 22, Node 24 and Bun, with its types", async (t) => {
  using cleanUp = new DisposableStack();
  const project = await installed(cleanUp);
  const folder = `${project}/node_modules/@meowmail/smtpauth`;

  await t.step("no source is left, and every declaration is there", () => {
    const sources = filesOf(folder).filter((file) =>
      /(?<!\.d)\.ts$/.test(file)
    );
    assertEquals(sources, []);
    assertDeclarations(folder);
  });

  await t.step(
    "a program compiles with the types of the web alone",
    async () => {
      await Deno.writeTextFile(
        `${project}/deno.json`,
        JSON.stringify({
          nodeModulesDir: "manual",
          compilerOptions: {
            lib: ["esnext", "dom", "dom.iterable", "dom.asynciterable"],
          },
        }),
      );
      await run(project, Deno.execPath(), "check", "consumer.ts");
    },
  );

  for (const { name, program, hasArgon2 } of RUNTIMES) {
    await t.step(name, async () => {
      const text = await run(project, "npx", "-y", program, "consumer.ts");
      assertEquals(JSON.parse(text), expected(hasArgon2));
    });
  }

  await t.step("docs/node.md's program runs as printed", async () => {
    const [program = ""] = codeBlocks("docs/node.md", "js");
    await Deno.writeTextFile(`${project}/page.mjs`, program);
    const { program: node } = RUNTIMES[0];
    const text = await run(project, "npx", "-y", node, "page.mjs");
    assertEquals(text, "authOk\n454\n");
  });
});
