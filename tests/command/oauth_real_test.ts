import { serveTestIssuer } from "../../testing/served_issuer.ts";
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { filesUnder, findSecret, place } from "../support/canary.ts";
import { testCertificate } from "../support/certificate.ts";
import { runCommand, startListener } from "../support/listener.ts";
import { onlyMessageIn } from "../support/maildir.ts";
import { flagsFor, xoauth2 } from "../support/oauth/lines.ts";
import { SmtpClient } from "../../testing/client.ts";

Deno.test.sanitizer({ ops: true, resources: true });

const ROOT = new URL("../../", import.meta.url);

/** A module in what `deno info --json` prints. */
interface GraphModule {
  readonly specifier: string;
  readonly dependencies?: readonly {
    readonly code?: { readonly specifier: string };
  }[];
}

/** What Deno fetches and may load to run a module; types are none of it. */
async function graphOf(root: string): Promise<Set<string>> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", root],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  }).output();
  const { modules }: { modules: readonly GraphModule[] } = JSON.parse(
    new TextDecoder().decode(stdout),
  );
  const known = new Map(modules.map((each) => [each.specifier, each]));
  const graph = new Set<string>();
  const visit = (specifier: string) => {
    if (graph.has(specifier)) return;
    graph.add(specifier);
    for (const { code } of known.get(specifier)?.dependencies ?? []) {
      if (code !== undefined) visit(code.specifier);
    }
  };
  visit(new URL(root, ROOT).href);
  return graph;
}

Deno.test("neither mod.ts nor main.ts loads or fetches jose, and oauth.ts does", async () => {
  for (const root of ["mod.ts", "sasl.ts", "main.ts", "oauth.ts"]) {
    const graph = [...await graphOf(root)];
    assert(graph.length > 10, `${root} is read`);
    assertEquals(
      graph.filter((each) => /^npm:.*\bjose\b/.test(each)).length,
      root === "oauth.ts" ? 1 : 0,
      root,
    );
  }
});

/** Sends a message with curl over STARTTLS; returns its exit status. */
async function curl(
  port: number,
  token: string,
  mechanism: string,
  cert: string,
): Promise<number> {
  const message = new TextEncoder().encode("Subject: x\r\n\r\nby token\r\n");
  const child = new Deno.Command("curl", {
    args: [
      ...["--silent", "--ssl-reqd", "--cacert", cert, "--upload-file", "-"],
      ...["--url", `smtp://localhost:${port}`, "--user", "ann@example.com"],
      ...["--oauth2-bearer", token, "--login-options", `AUTH=${mechanism}`],
      ...["--mail-from", "ann@example.com", "--mail-rcpt", "bob@example.net"],
    ],
    stdin: "piped",
    stdout: "null",
    stderr: "null",
  }).spawn();
  await ReadableStream.from([message]).pipeTo(child.stdin);
  return (await child.status).code;
}

Deno.test("the command takes tokens of --oauth-issuer from curl and others, over STARTTLS", async () => {
  await using cleanUp = new AsyncDisposableStack();
  const served = cleanUp.use(await serveTestIssuer());
  const { issuer } = served;
  const certificate = await testCertificate();
  const file = await Deno.makeTempFile();
  cleanUp.defer(() => Deno.remove(file));
  await Deno.writeTextFile(file, certificate.cert);
  await using listener = await startListener({
    firstStart: true,
    certificate,
    args: [...flagsFor(issuer)],
  });
  const { port } = listener;
  const good = await issuer.token({ groups: "x".repeat(4300) }, {
    alg: "RS256",
  });
  const stale = await issuer.token({ exp: 1 });
  const forged = `${good.slice(0, -9)}AAAAAAAAA`;
  assertEquals(await curl(port, good, "OAUTHBEARER", file), 0);
  assertMatch(onlyMessageIn(`${listener.folder}/maildir`), /by token/);
  assertEquals(await curl(port, good, "XOAUTH2", file), 0);
  // 67: the login was refused.
  assertEquals(await curl(port, forged, "XOAUTH2", file), 67);
  {
    using client = await SmtpClient.greeted(port);
    await client.startTls(certificate.cert);
    await client.command("EHLO client.example.net", "250");
    await client.command(`AUTH XOAUTH2 ${xoauth2(stale)}`, "334");
    await client.command("", "535 5.7.8");
    // It goes away; what is known stays.
    await served.shutdown();
    await client.command(`AUTH XOAUTH2 ${xoauth2(good)}`, "235 2.7.0");
  }
  await listener.stop();
  const reasons = listener.log().map(({ reason }) => reason);
  assertEquals(reasons.filter((reason) => reason !== undefined), [
    ...["ok", "ok", "token-signature", "token-expired", "ok"],
  ]);
  const places = {
    stderr: place(listener.stderr()),
    stdout: place(listener.stdout()),
    ...filesUnder(`${listener.folder}/maildir`),
  };
  for (const token of [good, stale, forged]) {
    const [, claims = "", signature = ""] = token.split(".");
    assertEquals(findSecret(signature, places), []);
    assertEquals(findSecret(claims.slice(0, 100), places), []);
  }
});

Deno.test("the command starts without its issuer, and blames no token for that", async () => {
  await using served = await serveTestIssuer();
  const { issuer } = served;
  const token = await issuer.token();
  await served.shutdown();
  await using listener = await startListener({
    firstStart: true,
    args: [...flagsFor(issuer)],
  });
  using client = await SmtpClient.greeted(listener.port);
  await client.command(`AUTH XOAUTH2 ${xoauth2(token)}`, "454 4.7.0");
  await listener.logged(/backend-unreachable/);
  const [outage] = listener.log()
    .filter(({ reason }) => reason === "backend-unreachable");
  assertEquals(outage?.detail, "discovery: refused");
  assertEquals(outage?.level, "error");
});

Deno.test("the command says which permissions tokens need", async () => {
  await using served = await serveTestIssuer();
  const { code, stderr } = await runCommand({
    permissions: ["--allow-env", "--allow-net", "--allow-sys=hostname"],
    args: ["--port", "0", ...flagsFor(served.issuer), "--deliver-url"]
      .concat("http://127.0.0.1:8025/"),
  });
  assertEquals(code, 1);
  const folder = decodeURIComponent(ROOT.pathname);
  assertEquals(
    stderr,
    `error: permissions are missing: add -P, or --allow-read=${folder}\n`,
  );
});
