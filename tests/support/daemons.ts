/**
 * Other people's servers, run privately: found, started, waited for, ended.
 *
 * @module
 */

import { eventually } from "./eventually.ts";
import { mustHappen } from "../../testing/deadline.ts";

/** Where packages are that cannot be installed beside others. */
const UNPACKED = Deno.env.get("SMTPAUTH_TEST_SERVERS") ??
  "/opt/smtpauth-test-servers";

/** A program on this machine and the folder that it was unpacked into. */
export interface Program {
  readonly path: string;
  /** `""` for one that is installed. */
  readonly root: string;
}

/**
 * Finds a program by its path: where its package installs it, or below the
 * folder that the package was unpacked into.
 *
 * @param debianPackage The package; also the name of that folder.
 */
export function findProgram(
  path: string,
  debianPackage: string,
  isGood: (program: Program) => boolean = () => true,
): Program | undefined {
  return ["", `${UNPACKED}/${debianPackage}`]
    .map((root) => ({ path: root + path, root }))
    .find((program) => isFile(program.path) && isGood(program));
}

/** Whether there is a file with something in it. */
export function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** Whether a program can be run by its name. */
export function isInstalled(program: string): boolean {
  try {
    return new Deno.Command(program, {
      args: ["--version"],
      stdout: "null",
      stderr: "null",
    }).outputSync().success;
  } catch {
    return false;
  }
}

/** What a program says about itself. */
export function outputOf(program: string, ...args: string[]): string {
  const { stdout } = new Deno.Command(program, { args, stderr: "null" })
    .outputSync();
  return new TextDecoder().decode(stdout);
}

const reported = new Set<string>();

/** What a test with another server needs, beside the program. */
export interface DaemonTest {
  /** The name of the server. */
  readonly server: string;
  readonly program: Program | undefined;
  /** What somebody must do to have it. */
  readonly missing: string;
}

/** A test with another server; skipped, with a word, where it is missing. */
export function daemonTest(
  { server, program, missing }: DaemonTest,
  criterion: string,
  run: (program: Program, t: Deno.TestContext) => Promise<void>,
): void {
  const root = Deno.uid() === 0;
  const why = root ? missing : "only root can start it";
  const ignore = !root || program === undefined;
  if (ignore && !reported.has(server)) {
    reported.add(server);
    console.warn(`The tests with ${server} are skipped: ${why}`);
  }
  Deno.test({
    name: `${server} ${criterion}${ignore ? ` (skipped: ${why})` : ""}`,
    ignore,
    sanitizeOps: true,
    sanitizeResources: true,
    fn: async (t) => {
      if (program !== undefined) await run(program, t);
    },
  });
}

/**
 * Where `freePort` looks: below the ports that systems give to whoever names
 * none, so that no other test gets the port before its server does; and above
 * those that `fetch` blocks.
 */
const FIRST_PORT = 20_000;
const LAST_PORT = 31_999;

/** A port on loopback that was free a moment ago. */
export function freePort(): number {
  for (;;) {
    const choice = Math.random() * (LAST_PORT - FIRST_PORT + 1);
    const port = FIRST_PORT + Math.floor(choice);
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}

/** A running server. Disposing ends it, and whatever it has started. */
export interface Daemon extends AsyncDisposable {
  readonly pid: number;
  /** What it has said on stdout and stderr, so far. */
  readonly output: () => string;
}

/** How to start a server. */
export interface DaemonOptions {
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** The ports that it must accept connections on. */
  readonly ports: readonly number[];
  /** What ends it in good order. */
  readonly signal?: Deno.Signal;
  /**
   * Make it a process group of its own, and end whoever of that is left
   * behind. Default: false.
   */
  readonly group?: boolean;
  /** Where its log is, to be shown when it does not start. */
  readonly log?: string;
}

/** Starts a server in the foreground and waits until it listens. */
export async function startDaemon(
  program: string,
  options: DaemonOptions,
): Promise<Daemon> {
  const { args, env = {}, cwd, ports, signal = "SIGTERM", log } = options;
  const { group = false } = options;
  const child = new Deno.Command(group ? "setsid" : program, {
    args: group ? [program, ...args] : [...args],
    env,
    ...(cwd === undefined ? {} : { cwd }),
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let text = "";
  const reading = [child.stdout, child.stderr].map(async (stream) => {
    for await (const part of stream.pipeThrough(new TextDecoderStream())) {
      text += part;
    }
  });
  let ended = false;
  const end = Promise.all([child.status, ...reading]).then(() => ended = true);
  const dispose = async () => {
    kill(child.pid, signal);
    try {
      await mustHappen(child.status, `${program} ends`);
    } finally {
      kill(group ? -child.pid : child.pid, "SIGKILL");
      await end;
    }
  };
  const output = () => text + (log === undefined ? "" : textOf(log));
  try {
    for (const port of ports) {
      await eventually(`${program} listens on ${port}`, () => {
        if (ended) throw new Error(`${program} has ended: ${output()}`);
        return accepts(port);
      });
    }
  } catch (error) {
    await dispose();
    throw new Error(`${program}: ${output()}`, { cause: error });
  }
  return { pid: child.pid, output, [Symbol.asyncDispose]: dispose };
}

function kill(pid: number, signal: Deno.Signal): void {
  try {
    Deno.kill(pid, signal);
  } catch {
    // It has ended by itself.
  }
}

async function accepts(port: number): Promise<boolean> {
  try {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    conn.close();
    return true;
  } catch {
    return false;
  }
}

/** A file's text, `""` if there is none. */
export function textOf(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}

/** The numbers of a user, by name. */
export function userIds(
  name: string,
): { readonly uid: number; readonly gid: number } {
  for (const line of textOf("/etc/passwd").split("\n")) {
    const [user, , uid, gid] = line.split(":");
    if (user === name) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new Error(`There is no user ${name}`);
}

/** The texts of the files in a folder, which need not be there. */
export function messagesIn(folder: string): string[] {
  try {
    return [...Deno.readDirSync(folder)].map(({ name }) =>
      Deno.readTextFileSync(`${folder}/${name}`)
    );
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
