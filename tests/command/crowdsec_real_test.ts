// What a client types bans nobody else: CrowdSec reads a log of ours.

import { assertEquals } from "../support/assert.ts";
import { findProgram } from "../support/daemons.ts";
import { GUESSERS, hostileLog } from "../support/hostile_log.ts";
import { serveHttp } from "../support/http_end.ts";
import { signalIfRunning, temporaryFolder } from "../support/listener.ts";

const CONTRIB = new URL("../../contrib/crowdsec/", import.meta.url).pathname;

/** Which parts of CrowdSec's own hub are needed, by the folder they are in. */
const FROM_HUB = [
  "parsers/s00-raw/crowdsecurity/syslog-logs.yaml",
  "parsers/s02-enrich/crowdsecurity/dateparse-enrich.yaml",
] as const;

const FROM_US = [
  "parsers/s01-parse/smtpauth.yaml",
  "scenarios/smtpauth-bf.yaml",
] as const;

/** Makes a folder with all that CrowdSec is told, and a log. */
async function setUp(
  folder: string,
  root: string,
  api: string,
  log: string,
): Promise<void> {
  for (
    const path of ["parsers/s00-raw", "parsers/s01-parse", "parsers/s02-enrich"]
  ) {
    await Deno.mkdir(`${folder}/${path}`, { recursive: true });
  }
  for (const path of ["scenarios", "postoverflows", "hub", "data"]) {
    await Deno.mkdir(`${folder}/${path}`);
  }
  for (const path of FROM_HUB) {
    const to = path.replace("/crowdsecurity", "");
    await Deno.copyFile(
      `${root}/usr/share/crowdsec/hub/${path}`,
      `${folder}/${to}`,
    );
  }
  for (const path of FROM_US) {
    await Deno.copyFile(CONTRIB + path, `${folder}/${path}`);
  }
  await Deno.symlink(`${root}/etc/crowdsec/patterns`, `${folder}/patterns`);
  const none = { parsers: {}, scenarios: {}, collections: {} };
  const files = {
    "smtpauth.log": log,
    "acquis.yaml": await Deno.readTextFile(`${CONTRIB}acquis.yaml`),
    "simulation.yaml": "simulation: false\n",
    "hub/.index.json": JSON.stringify({ ...none, postoverflows: {} }),
    "credentials.yaml": `url: ${api}\nlogin: x\npassword: "y"\n`,
    // YAML takes JSON.
    "config.yaml": JSON.stringify({
      common: { daemonize: false, log_media: "stdout", log_level: "info" },
      config_paths: {
        config_dir: folder,
        data_dir: `${folder}/data`,
        simulation_path: `${folder}/simulation.yaml`,
        hub_dir: `${folder}/hub`,
        index_path: `${folder}/hub/.index.json`,
      },
      crowdsec_service: { acquisition_path: `${folder}/acquis.yaml` },
      db_config: { type: "sqlite", db_path: `${folder}/data/crowdsec.db` },
      prometheus: { enabled: false },
      api: { client: { credentials_path: `${folder}/credentials.yaml` } },
    }),
  };
  for (const [path, text] of Object.entries(files)) {
    await Deno.writeTextFile(`${folder}/${path}`, text);
  }
}

/** Runs CrowdSec over the log until it has read all; tells what it says. */
async function run(program: string, folder: string): Promise<string> {
  const child = new Deno.Command(program, {
    args: [
      ...["-c", `${folder}/config.yaml`, "-no-api", "-type", "smtpauth"],
      ...["-dsn", `file://${folder}/smtpauth.log`],
    ],
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let said = "";
  for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
    said += text;
    // It does not always end by itself.
    if (/crowdsec shutdown|level=fatal/.test(said)) break;
  }
  signalIfRunning(child, "SIGKILL");
  await child.status;
  return said;
}

Deno.test("CrowdSec bans every guesser and no stranger", async () => {
  using cleanUp = new DisposableStack();
  const folder = temporaryFolder(cleanUp);
  const program = findProgram("/usr/bin/crowdsec", "crowdsec");
  if (program === undefined) throw new Error("crowdsec is not here");
  // Where CrowdSec's agent tells what it has found.
  await using api = serveHttp(({ target }) =>
    target.endsWith("/login")
      ? Response.json({ code: 200, expire: "2099-01-01T00:00:00Z", token: "x" })
      : Response.json(["1"], { status: 201 })
  );
  const { origin } = new URL(api.url);
  // Each must guess more than ten times.
  const log = (await hostileLog("json")).repeat(12);
  await setUp(folder, program.root, origin, log);
  const said = await run(program.path, folder);
  const found = [
    ...said.matchAll(/Ip (\S+) performed 'meowmail\/smtpauth-bf'/g),
  ]
    .map(([, address = ""]) => address);
  assertEquals([...new Set(found)].sort(), GUESSERS, said.slice(-2_000));
});
