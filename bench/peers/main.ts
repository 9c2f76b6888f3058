/**
 * `deno task bench:peers`: whole servers side by side, on this machine, in one
 * run.
 *
 * Each server has one core to itself; the load generator and the HTTP end have
 * the other. A round gives every server the same work, one after the other;
 * figures are medians over the rounds. What counts is the ratio between
 * servers: the figures themselves depend on the machine.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { newCertificate } from "./certificate.ts";
import { contenders, installPeer, SMTP_SERVER_VERSION } from "./contenders.ts";
import { buildGoSmtp, type GoSmtp } from "./go_smtp.ts";
import { mailFolders } from "./maildirs.ts";
import { plot } from "./plot.ts";
import { killAll, pinSelf } from "./process.ts";
import { table, tableHead } from "./report.ts";
import { measure, type Result, type Setting } from "./rounds.ts";
import { type Work, WORKS } from "./works.ts";

const HELP =
  `Measures this package, as a library and as the command, against npm's
smtp-server, go-smtp and a bare listener.

  --rounds N     how often each server does each work (5)
  --only A,B     only these works: ${WORKS.map(({ id }) => id).join(", ")}
  --quick        a fifth of the work, 2 rounds: to see that all of it runs
  --no-peers     without npm's smtp-server and go-smtp
  --against DIR  another copy of this package takes part, to try a change
  --json FILE    the results as JSON
  --svg FILE     a plot of CPU per AUTH PLAIN session
  --help         this text

Needs Linux with two cores, taskset, openssl, and for the peers
Node with npm, and Go with Debian's packages of go-smtp and go-sasl.`;

function flags() {
  const { values } = parseArgs({
    args: Deno.args,
    options: {
      rounds: { type: "string" },
      only: { type: "string" },
      quick: { type: "boolean", default: false },
      "no-peers": { type: "boolean", default: false },
      against: { type: "string" },
      json: { type: "string" },
      svg: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  return values;
}

function chosen(only: string | undefined): Work[] {
  if (only === undefined) return [...WORKS];
  return only.split(",").map((id) => {
    const work = WORKS.find((each) => each.id === id);
    if (work !== undefined) return work;
    throw new Error(`no work is called ${id}: see --help`);
  });
}

function versions(goSmtp: GoSmtp | undefined): string {
  const node = new Deno.Command("node", { args: ["--version"] });
  let found = "none";
  try {
    found = new TextDecoder().decode(node.outputSync().stdout).trim();
  } catch {
    // No Node here.
  }
  return [
    `Deno ${Deno.version.deno}, Node ${found}`,
    `smtp-server ${SMTP_SERVER_VERSION}`,
    ...(goSmtp === undefined ? [] : [goSmtp.versions]),
  ].join(", ");
}

async function main(): Promise<void> {
  const given = flags();
  if (given.help) return console.log(HELP);
  const works = chosen(given.only);
  await pinSelf();
  using stack = new DisposableStack();
  const folders: string[] = [];
  const tidyUp = () => {
    killAll();
    folders.forEach((folder) => Deno.removeSync(folder, { recursive: true }));
  };
  const temporary = (folder: string) => {
    folders.push(folder);
    return folder;
  };
  stack.defer(tidyUp);
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => {
      tidyUp();
      Deno.exit(1);
    });
  }
  const folder = temporary(await Deno.makeTempDir({ prefix: "bench-" }));
  const peer = given["no-peers"] ? undefined : await installPeer(folder);
  const goSmtp = given["no-peers"] ? undefined : await buildGoSmtp(folder);
  const software = versions(goSmtp);
  const setting: Setting = {
    rounds: Number(given.rounds ?? (given.quick ? 2 : 5)),
    share: given.quick ? 0.2 : 1,
    certificate: await newCertificate(folder),
    mailFolders: mailFolders(temporary),
    contenders: contenders({
      folder,
      ...(peer === undefined ? {} : { peer }),
      ...(goSmtp === undefined ? {} : { goSmtp: goSmtp.path }),
      ...(given.against === undefined
        ? {}
        : { against: await Deno.realPath(given.against) }),
    }),
  };

  console.log(`${software}; ${setting.rounds} rounds\n\n${tableHead()}`);
  const results: Result[] = [];
  for (const work of works) {
    const { id, maildir } = work;
    if (maildir && setting.mailFolders[maildir] === undefined) {
      console.error(`${id}: left out, no folder for mail on ${maildir}`);
      continue;
    }
    const found = await measure(work, setting);
    console.log(table(found));
    results.push(...found);
  }
  await write(given.json, `${JSON.stringify(results, null, 2)}\n`);
  const bars = results.filter(({ work }) => work === "auth-plain");
  await write(
    given.svg,
    plot(
      bars,
      "CPU time of an AUTH PLAIN session, in µs (less is better)",
      `${software}; connect, EHLO, AUTH, QUIT`,
    ),
  );
}

async function write(file: string | undefined, text: string): Promise<void> {
  if (file !== undefined) await Deno.writeTextFile(file, text);
}

if (import.meta.main) {
  await main();
  // Signals are still listened to.
  Deno.exit(0);
}
