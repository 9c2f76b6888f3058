// contrib/: units, images and compose files, tried as far as this machine goes.

import { readInvocation } from "../command/invocation.ts";
import type { Settings } from "../command/settings.ts";
import {
  assert,
  assertEquals,
  assertExists,
  assertMatch,
  assertStringIncludes,
} from "./support/assert.ts";
import { testCertificate } from "./support/certificate.ts";
import { startContainer } from "./support/container.ts";
import { freePort, isFile, outputOf } from "./support/daemons.ts";
import { readDockerfile } from "./support/dockerfile.ts";
import { runCommand, temporaryFolder } from "./support/listener.ts";
import { SmtpClient } from "../testing/client.ts";
import { parseYAML } from "./support/yaml.ts";

const CONTRIB = new URL("../contrib/", import.meta.url);
const ANALYZE = "/usr/bin/systemd-analyze";

function read(file: string): string {
  return Deno.readTextFileSync(new URL(file, CONTRIB));
}

/** What the command would do with these variables; secrets are `secret`. */
function settingsOf(env: Readonly<Record<string, string>>): Settings {
  const secret = new TextEncoder().encode("secret\n");
  const invocation = readInvocation([], () => env, () => secret);
  assert(invocation.kind === "serve");
  return invocation.settings;
}

/** The variables that a Dockerfile sets for the command. */
function imageEnv(file: string): Record<string, string> {
  const words = readDockerfile(file).filter(({ verb }) => verb === "ENV")
    .flatMap(({ rest }) => rest.split(" "))
    .filter((word) => word.startsWith("MEOWMAIL_"));
  return Object.fromEntries(words.map((word) => word.split("=", 2)));
}

const UNITS = [
  "smtpauth.service",
  "smtpauth@.service",
  "smtpauth-adapters.service",
] as const;

for (const unit of UNITS) {
  const ignore = !isFile(ANALYZE);

  Deno.test({
    name: `systemd takes ${unit}, and finds it little exposed`,
    ignore,
    fn: async () => {
      await using cleanUp = new AsyncDisposableStack();
      const folder = temporaryFolder(cleanUp);
      // It looks for the program that is named.
      const text = read(`systemd/${unit}`)
        .replaceAll("/usr/local/bin/deno", Deno.execPath());
      Deno.writeTextFileSync(`${folder}/${unit}`, text);
      const verified = await analyze("verify", `${folder}/${unit}`);
      assertEquals(verified, { code: 0, text: "" });
      const { code, text: report } = await analyze(
        ...["security", "--offline=true", "--threshold=30"],
        `${folder}/${unit}`,
      );
      assertEquals(code, 0, report);
    },
  });

  Deno.test(`the command takes the variables of ${unit}`, () => {
    const env = Object.fromEntries(
      read(`systemd/${unit}`).split("\n")
        .flatMap((line) => {
          const [, name, value = ""] =
            /^Environment=(MEOWMAIL_\w+)=(.*)$/.exec(line) ?? [];
          return name === undefined ? [] : [[name, value]];
        }),
    );
    const { port, dovecotSocket, authToken } = settingsOf(env);
    assertEquals(authToken, "secret");
    assertEquals(
      port,
      dovecotSocket === undefined ? 587 : undefined,
    );
  });
}

/** One service of a compose file, as far as the tests look at it. */
interface Service {
  readonly build: { readonly dockerfile: string };
  readonly environment: Readonly<Record<string, string>>;
  readonly secrets: readonly string[];
  readonly read_only: boolean;
  readonly cap_drop: readonly string[];
}

/** A compose file. */
interface Compose {
  readonly services: { readonly smtpauth: Service };
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
}

function isCompose(value: unknown): value is Compose {
  return typeof value === "object" && value !== null && "services" in value &&
    "secrets" in value;
}

function composeOf(file: string): Compose {
  const value = parseYAML(read(file));
  assert(isCompose(value));
  return value;
}

Deno.test("the compose files say what the command takes, and keep their secrets in files", () => {
  const lives = {
    "compose.yml": ({ users, maildir, tlsPort }: Settings) =>
      assertEquals(
        [users, maildir, tlsPort],
        ["/run/secrets/users", "./maildir", 465],
      ),
    "compose.smarthost.yml": ({ users, relay, relayPass }: Settings) =>
      assertEquals(
        [users, relay, relayPass],
        ["/run/secrets/users", "starttls://smtp.example.com", "secret"],
      ),
    "compose.api.yml": ({ authUrl, deliverUrl, deliverToken }: Settings) =>
      assertEquals(
        [authUrl, deliverUrl, deliverToken],
        [
          "https://intranet.example/may-send",
          "https://intranet.example/mail",
          "secret",
        ],
      ),
    "compose.postfix.yml": ({ port, dovecotSocket }: Settings) => {
      assertEquals(port, undefined);
      assertExists(dovecotSocket);
    },
  };
  const files = [...Deno.readDirSync(CONTRIB)].map(({ name }) => name)
    .filter((name) => name.endsWith(".yml") && name.startsWith("compose"));
  assertEquals(files.sort(), Object.keys(lives).sort());
  for (const [file, check] of Object.entries(lives)) {
    const { services: { smtpauth }, secrets } = composeOf(file);
    const { build, environment } = smtpauth;
    check(settingsOf({ ...imageEnv(build.dockerfile), ...environment }));
    assertEquals(Object.keys(secrets), smtpauth.secrets, file);
    assertEquals([smtpauth.read_only, smtpauth.cap_drop], [true, ["ALL"]]);
  }
});

Deno.test("the two images differ in where Deno comes from, and in nothing else", () => {
  const [official, npm] = ["Dockerfile", "Dockerfile.npm"].map((name) =>
    readDockerfile(`contrib/${name}`)
  );
  assertExists(official);
  assertExists(npm);
  assertEquals(official[0]?.rest, "denoland/deno:2.9.6");
  const install = npm.findIndex(({ rest }) => rest.startsWith("npm install "));
  assertMatch(npm[install]?.rest ?? "", / deno@2\.9\.6$/);
  assertEquals(
    [...npm.slice(1, install), ...npm.slice(install + 2)],
    official.slice(1),
  );
});

Deno.test({
  name:
    "contrib/Dockerfile.npm serves as nobody, read-only, with secrets in files and mail in its one volume",
  ignore: Deno.uid() !== 0,
  fn: async () => {
    await using cleanUp = new AsyncDisposableStack();
    const host = temporaryFolder(cleanUp);
    const { cert, key } = await testCertificate();
    const hash = await runCommand({
      args: ["--hash-password"],
      stdin: "correct horse\n",
    });
    for (const folder of ["tls", "secrets", "data"]) {
      Deno.mkdirSync(`${host}/${folder}`);
    }
    Deno.writeTextFileSync(`${host}/tls/fullchain.pem`, cert);
    Deno.writeTextFileSync(`${host}/tls/privkey.pem`, key);
    Deno.writeTextFileSync(`${host}/secrets/users`, `ann:${hash.stdout}`);
    Deno.chmodSync(host, 0o755);
    Deno.chownSync(`${host}/data`, 65534, 65534);
    const { environment } = composeOf("compose.yml").services.smtpauth;

    const instructions = readDockerfile("contrib/Dockerfile.npm");
    await using container = await startContainer({
      instructions,
      env: {
        ...environment,
        // A container has its own ports; here they are the machine's.
        MEOWMAIL_SMTP_PORT: "0",
        MEOWMAIL_SMTP_TLS_PORT: "0",
        MEOWMAIL_SMTP_METRICS_PORT: String(freePort()),
      },
      volumes: {
        [`${host}/tls`]: "/tls",
        [`${host}/secrets`]: "/run/secrets",
        [`${host}/data`]: "/data",
      },
    });
    const status = outputOf("cat", `/proc/${container.pid}/status`);
    assertMatch(status, /^Uid:\t65534\t65534\t65534\t65534$/m);
    assertMatch(status, /^CapEff:\t0+$/m);
    const mounts = outputOf("cat", `/proc/${container.pid}/mounts`);
    assertMatch(mounts, /^overlay \/ overlay ro,/m);

    const health = instructions.find(({ verb }) => verb === "HEALTHCHECK");
    const check = health?.rest.replace(/^CMD /, "") ?? "false";
    assertEquals(await container.execute(check), 0);
    assertEquals(await container.execute(check.replace("/livez", "/no")), 1);

    using client = await SmtpClient.greeted(container.port);
    await client.startTls(cert);
    await client.command("EHLO laptop", "250");
    await client.login("ann", "correct horse");
    await client.envelope("a@example.com", ["b@example.com"]);
    await client.sendRaw("Subject: hello\r\n\r\nhello\r\n.\r\n");
    await client.expect("250");
    await client.command("QUIT", "221");
    await client.expectEnd();

    const { code } = await container.stop();
    assertEquals(code, 0);
    assertEquals(
      container.log().filter(({ level }) => level !== "info"),
      [],
    );
    const [file, ...others] = [...Deno.readDirSync(`${host}/data/maildir/new`)];
    assertExists(file);
    assertEquals(others, []);
    assertStringIncludes(
      Deno.readTextFileSync(`${host}/data/maildir/new/${file.name}`),
      "\r\n\r\nhello\r\n",
    );
  },
});

async function analyze(...args: readonly string[]) {
  const { code, stdout, stderr } = await new Deno.Command(ANALYZE, {
    args: [...args],
    env: { SYSTEMD_COLORS: "0" },
  }).output();
  const decoder = new TextDecoder();
  return { code, text: decoder.decode(stdout) + decoder.decode(stderr) };
}
