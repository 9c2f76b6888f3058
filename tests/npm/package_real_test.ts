// The package for npm, installed into a fresh project and used there by Node 22,
// Node 24 and Bun, each from npm.

import config from "../../deno.json" with { type: "json" };
import { assert, assertEquals } from "../support/assert.ts";
import { testCertificate } from "../support/certificate.ts";
import { installed, run, RUNTIMES } from "../support/npm_package.ts";
import { codeBlocks } from "../support/pages.ts";

const CONSUMER = "tests/npm/consumer.ts";

/** What must compile, and what must not. */
const TYPES = "tests/npm/types.ts";

/** The oldest TypeScript that knows the types we have, and a new one. */
const COMPILERS = ["5.7.3", "7.0.2"] as const;

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
    metrics: `smtpauth_build_info{version="${config.version}"} 1`,
    dovecot: true,
    relay: ["0", "1", "2"].map((i) => [`Subject: ${i}`, "", "."]),
    listenSmtp: ["127.0.0.1", false, true],
    serveSmtp: elsewhere("serve SMTP", "await listenSmtp"),
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

/** How a strict project of Node's is compiled, without the types of browsers. */
function projectFile(moduleResolution: string, exact: boolean): string {
  return JSON.stringify({
    compilerOptions: {
      ...{ strict: true, noEmit: true, skipLibCheck: false },
      ...{ target: "es2022", lib: ["es2023"], types: ["node"] },
      module: moduleResolution === "bundler" ? "esnext" : moduleResolution,
      moduleResolution,
      resolveJsonModule: true,
      exactOptionalPropertyTypes: exact,
    },
    files: [CONSUMER, TYPES],
  });
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

/** Fails if a module imports a file that is not there. */
function assertImports(folder: string): void {
  const files = new Set(filesOf(folder));
  for (const file of files) {
    if (!file.endsWith(".js")) continue;
    const text = Deno.readTextFileSync(file).replaceAll(/\/\*\*[^]*?\*\//g, "");
    const names = text.matchAll(/\b(?:from |import\(|import )"(\.[^"]*)"/g);
    for (const [, name = ""] of names) {
      const target = new URL(name, `file://${file}`).pathname;
      assert(files.has(target), `${file}: ${name}`);
    }
  }
}

Deno.test("the package for npm works on Node 22, Node 24 and Bun, with its types", async (t) => {
  using cleanUp = new DisposableStack();
  const project = await installed(cleanUp, [CONSUMER, TYPES], [
    "@types/node@22",
    ...COMPILERS.map((version) => `tsc-${version}@npm:typescript@${version}`),
  ]);
  await Deno.writeTextFile(
    `${project}/certificate.json`,
    JSON.stringify(await testCertificate()),
  );
  const folder = `${project}/node_modules/@meowmail/smtpauth`;

  await t.step("no source is left, and all that is imported is there", () => {
    const sources = filesOf(folder).filter((file) =>
      /(?<!\.d)\.ts$/.test(file)
    );
    assertEquals(sources, []);
    assertDeclarations(folder);
    assertImports(folder);
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
      await run(project, Deno.execPath(), "check", CONSUMER, TYPES);
    },
  );

  for (const version of COMPILERS) {
    await t.step(`TypeScript ${version} compiles it for Node`, async () => {
      const tsc = `node_modules/tsc-${version}/bin/tsc`;
      for (
        const [resolution, exact] of [
          ["bundler", true],
          ["nodenext", false],
        ] as const
      ) {
        await Deno.writeTextFile(
          `${project}/tsconfig.json`,
          projectFile(resolution, exact),
        );
        await run(project, "node", tsc, "-p", "tsconfig.json");
      }
    });
  }

  for (const { name, program, hasArgon2 } of RUNTIMES) {
    await t.step(name, async () => {
      const text = await run(project, "npx", "-y", program, CONSUMER);
      assertEquals(JSON.parse(text), expected(hasArgon2));
    });
  }

  await t.step("docs/node.md's programs run as printed", async () => {
    const { program: node } = RUNTIMES[0];
    const printed = [];
    for (const program of codeBlocks("docs/node.md", "js")) {
      await Deno.writeTextFile(`${project}/page.mjs`, program);
      printed.push(await run(project, "npx", "-y", node, "page.mjs"));
    }
    assertEquals(printed, ["authOk\n454\n", "listening: true\n"]);
  });
});
