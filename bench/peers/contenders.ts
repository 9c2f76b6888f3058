/**
 * Who is measured: this package as a library and as the command, npm's
 * smtp-server, go-smtp, and the floor.
 *
 * @module
 */

import { type Certificate, LOGIN, type ServerConfig } from "./config.ts";
import { commandProgram, takesPartAsCommand } from "./command.ts";
import { scriptOf } from "./dialogue.ts";
import type { Program } from "./process.ts";
import type { Work } from "./works.ts";

/** The version of npm's smtp-server that is measured. */
export const SMTP_SERVER_VERSION = "3.21.6";

/** The name of the floor in tables. */
export const FLOOR = "bare Deno, canned replies (floor)";

/** The name in tables of `serveSmtp()` with nothing around the provider. */
export const OURS = "serveSmtp() alone";

/** The name in tables of the whole command. */
export const COMMAND = "the command";

/** The name of the peer that ratios are given for. */
export const PEER = "smtp-server, Node";

/** Somebody who can do a work. */
export interface Contender {
  readonly name: string;
  program(config: ServerConfig): Program;
  /** Whether it takes part in a work; absent: in all. */
  readonly takesPart?: (work: Work) => boolean;
  readonly client?: ServerConfig["client"];
  /** Which part of a work's pieces it does; absent: all. */
  readonly share?: (work: Work) => number;
}

const deno = Deno.execPath();

function here(file: string): string {
  return new URL(`./servers/${file}`, import.meta.url).pathname;
}

function script(path: string): Contender["program"] {
  return (config) => ({
    command: deno,
    args: ["run", "-A", "--quiet", path, JSON.stringify(config)],
  });
}

/** A copy of this package, as a library and as the command. */
function copy(tree: string, folder: string, names: {
  readonly library: string;
  readonly command: string;
}): Contender[] {
  // The first version cannot hand messages on.
  const relays = isThere(`${tree}/delivery/relay`);
  const takesPart = ({ hop }: Work) => hop === undefined || relays;
  return [
    {
      name: names.library,
      program: script(`${tree}/bench/peers/servers/ours.ts`),
      takesPart,
    },
    {
      name: names.command,
      program: (config) => commandProgram(tree, folder, config),
      takesPart: (work) => takesPart(work) && takesPartAsCommand(work),
    },
  ];
}

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}

/** Where contenders live. */
export interface Places {
  /** A folder that is removed at the end. */
  readonly folder: string;
  /** Where npm's smtp-server is installed; absent: it takes no part. */
  readonly peer?: string;
  /** Where go-smtp's server is; absent: it takes no part. */
  readonly goSmtp?: string;
  /** Another copy of this package, to compare a change with. */
  readonly against?: string;
}

/** Everyone who can be measured on this machine. */
export function contenders(
  { folder, peer, goSmtp, against }: Places,
): Contender[] {
  const root = new URL("../..", import.meta.url).pathname;
  return [
    ...copy(root, folder, { library: OURS, command: COMMAND }),
    ...(against === undefined ? [] : copy(against, folder, {
      library: against,
      command: `${against}, the command`,
    })),
    { name: FLOOR, program: script(here("floor.ts")) },
    ...(peer === undefined ? [] : smtpServers(peer)),
    ...(goSmtp === undefined ? [] : [goSmtpServer(goSmtp)]),
  ];
}

/** npm's smtp-server, in the folder where it is installed. */
function smtpServers(folder: string): Contender[] {
  const peer = (...start: string[]): Contender["program"] => (config) => ({
    command: start[0] ?? "",
    args: [...start.slice(1), "smtp_server.mjs", JSON.stringify(config)],
    folder,
  });
  // It waits 100 ms before it greets: a quarter takes long enough, but where
  // all keep the same pace.
  const share = ({ again, everyMs }: Work) =>
    again.length === 0 && everyMs === undefined ? 0.25 : 1;
  const overHttp = ({ httpMs }: Work) => httpMs !== undefined;
  // It hands nothing on.
  const takesPart = ({ hop }: Work) => hop === undefined;
  return [
    { name: PEER, program: peer("node"), takesPart, share },
    {
      name: `${PEER} (node:http)`,
      program: peer("node"),
      takesPart: overHttp,
      client: "node:http",
      share,
    },
    {
      name: "smtp-server, Deno",
      program: peer(deno, "run", "-A", "--quiet"),
      takesPart,
      share,
    },
  ];
}

function goSmtpServer(path: string): Contender {
  return {
    name: "go-smtp",
    program: (config) => ({ command: path, args: [JSON.stringify(config)] }),
  };
}

/**
 * Installs npm's smtp-server into a folder; `undefined` where there is no Node
 * or no npm, with a word about it.
 */
export async function installPeer(folder: string): Promise<string | undefined> {
  try {
    await Deno.writeTextFile(`${folder}/package.json`, '{"private":true}\n');
    await Deno.copyFile(
      here("smtp_server.mjs"),
      `${folder}/smtp_server.mjs`,
    );
    const { success } = await new Deno.Command("npm", {
      args: [
        ...["install", "--silent", "--no-audit", "--no-fund"],
        `smtp-server@${SMTP_SERVER_VERSION}`,
      ],
      cwd: folder,
      stdout: "null",
    }).output();
    if (success) return folder;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  console.error("npm's smtp-server cannot be installed: left out");
  return undefined;
}

/** What a server is told for a work. */
export function configFor(
  contender: Contender,
  work: Work,
  place: {
    readonly port: number;
    readonly certificate: Certificate;
    readonly authUrl?: string;
    readonly maildir?: string;
    readonly hopPort?: number;
  },
): ServerConfig {
  const conversations = [work, ...work.beside ?? []];
  return {
    ...place,
    encryption: work.encryption,
    login: LOGIN,
    scripts: conversations.map(({ once, again }) => scriptOf(once, again)),
    ...(contender.client === undefined ? {} : { client: contender.client }),
  };
}
