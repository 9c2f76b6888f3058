/**
 * The command as a process of its own: started, waited for, listened to and
 * ended.
 *
 * @module
 */

import type { TestCertificate } from "./certificate.ts";
import { mustHappen } from "../../testing/deadline.ts";

const CONFIG = pathOf("../../deno.json");
const MAIN = pathOf("../../main.ts");

/** What makes a `deno` run the command; flags of its own may follow. */
export const COMMAND_ARGS: readonly string[] = commandArgs(["-P"]);

function commandArgs(permissions: readonly string[]): string[] {
  const quietly = ["run", "--quiet", "--no-prompt", "--config", CONFIG];
  return [...quietly, ...permissions, MAIN];
}

/** The one user whom a listener knows where a test says nothing else. */
export const USER = "ann@example.org";

/** That user's password. */
export const PASSWORD = "correct horse";

/** How to run the command. */
export interface CommandOptions {
  /** Flags. */
  readonly args?: readonly string[];
  /**
   * Variables, beside the few that every program has. Nothing else comes
   * through from the environment of the tests.
   */
  readonly env?: Readonly<Record<string, string>>;
  /** What it reads from stdin. Default: nothing. */
  readonly stdin?: string;
  /** The working folder. Default: a temporary one, removed at the end. */
  readonly cwd?: string;
  /** What it is permitted, as Deno's flags. Default: `-P`. */
  readonly permissions?: readonly string[];
}

/**
 * How to start a listener. All that is said here goes through the environment:
 * a flag in `args` wins.
 */
export interface ListenerOptions extends CommandOptions {
  /**
   * Switches STARTTLS on, and implicit TLS on a port of its own. Default: no
   * TLS.
   */
  readonly certificate?: TestCertificate;
  /**
   * The endpoint to ask. Default: none, and {@linkcode USER} is the one local
   * user.
   */
  readonly authUrl?: string;
  /** No auth source at all: the command makes up a login. */
  readonly firstStart?: boolean;
  /**
   * Where mail goes; `null` if flags say it. Default: `maildir` in the working
   * folder.
   */
  readonly maildir?: string | null;
}

/** One line of the JSON log. */
export type LogLine = Readonly<Record<string, unknown>>;

/** The command's end and what it has said. */
export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A running listener on any free port. Disposing ends it by force. */
export interface Listener extends AsyncDisposable {
  /** The port for plain text and STARTTLS. */
  readonly port: number;
  /** The port for implicit TLS; 0 if there is none. */
  readonly tlsPort: number;
  /** The number of its process. */
  readonly pid: number;
  /** The working folder. */
  readonly folder: string;
  /** Where mail goes, as an absolute path. */
  readonly maildir: string;
  /** All that it has written to stdout so far. */
  readonly stdout: () => string;
  /** All that it has written to stderr so far: the log. */
  readonly stderr: () => string;
  /** The lines of the JSON log so far. */
  readonly log: () => LogLine[];
  /** Waits until stderr matches. */
  readonly logged: (pattern: RegExp) => Promise<void>;
  /** Its end, once that has come and all output has been read. */
  readonly status: Promise<Deno.CommandStatus>;
  /** Sends a signal. */
  readonly signal: (signal: Deno.Signal) => void;
  /** Sends SIGTERM and waits for the end. */
  readonly stop: () => Promise<Deno.CommandStatus>;
  /** Sends SIGKILL and waits for the end. */
  readonly kill: () => Promise<Deno.CommandStatus>;
}

/** A running process and what it has written so far. */
interface Running {
  readonly child: Deno.ChildProcess;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly status: Promise<Deno.CommandStatus>;
}

/** Starts the command as a listener and waits until it listens. */
export async function startListener(
  options: ListenerOptions = {},
): Promise<Listener> {
  await using cleanUp = new AsyncDisposableStack();
  const folder = options.cwd ?? temporaryFolder(cleanUp);
  const maildir = options.maildir ?? `${folder}/maildir`;
  const running = startCommand({
    ...options,
    env: {
      MEOWMAIL_SMTP_PORT: "0",
      ...(options.firstStart === true || options.maildir === null
        ? {}
        : { MEOWMAIL_SMTP_MAILDIR: maildir }),
      ...authSource(options),
      ...tlsFiles(options.certificate, cleanUp),
      ...options.env,
    },
    cwd: folder,
  });
  const { child, stdout, stderr, status } = running;
  const kill = () => {
    signalIfRunning(child, "SIGKILL");
    return status;
  };
  cleanUp.defer(async () => void await kill());
  const [port = 0, tlsPort = 0] = await portsOf(
    running,
    options.certificate === undefined ? 1 : 2,
  );

  const ending = cleanUp.move();
  return {
    port,
    tlsPort,
    pid: child.pid,
    folder,
    maildir,
    stdout: () => stdout.text(),
    stderr: () => stderr.text(),
    log: () => parseLog(stderr.text()),
    logged: (pattern) => logged(running, pattern),
    status,
    signal: (signal) => child.kill(signal),
    stop: () => {
      signalIfRunning(child, "SIGTERM");
      return mustHappen(status, "the listener ends after SIGTERM", 20_000);
    },
    kill,
    [Symbol.asyncDispose]: () => ending.disposeAsync(),
  };
}

/** Runs the command to its own end; fails if that does not come. */
export async function runCommand(
  options: CommandOptions = {},
): Promise<CommandResult> {
  await using cleanUp = new AsyncDisposableStack();
  const cwd = options.cwd ?? temporaryFolder(cleanUp);
  const { child, stdout, stderr, status } = startCommand({ ...options, cwd });
  cleanUp.defer(async () => {
    signalIfRunning(child, "SIGKILL");
    await status;
  });
  const { code } = await mustHappen(status, "the command ends by itself");
  return { code, stdout: stdout.text(), stderr: stderr.text() };
}

/** The lines of a JSON log. Throws if one is no JSON object. */
export function parseLog(stderr: string): LogLine[] {
  return stderr.split("\n").filter((line) => line !== "").map((line) => {
    const parsed: unknown = JSON.parse(line);
    if (!isObject(parsed)) throw new Error(`This is no log line: ${line}`);
    return parsed;
  });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function pathOf(relative: string): string {
  return decodeURIComponent(new URL(relative, import.meta.url).pathname);
}

function startCommand(
  { args = [], env, stdin, cwd, permissions = ["-P"] }: CommandOptions,
): Running {
  const child = new Deno.Command(Deno.execPath(), {
    args: [...commandArgs(permissions), ...args],
    clearEnv: true,
    env: { ...inherited(), ...env },
    ...(cwd === undefined ? {} : { cwd }),
    stdin: stdin === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  if (stdin !== undefined) {
    ReadableStream.from([new TextEncoder().encode(stdin)]).pipeTo(child.stdin);
  }
  const stdout = new Output(child.stdout);
  const stderr = new Output(child.stderr);
  const status = Promise.all([child.status, stdout.ended, stderr.ended])
    .then(([status]) => status);
  return { child, stdout, stderr, status };
}

/** What Deno itself needs: where its cache is, mostly. */
function inherited(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(Deno.env.toObject())
      .filter(([name]) => !/^MEOWMAIL_|^NO_COLOR$|^FORCE_COLOR$/.test(name)),
  );
}

function authSource(
  { authUrl, firstStart }: ListenerOptions,
): Record<string, string> {
  if (firstStart === true) return {};
  return authUrl === undefined
    ? { MEOWMAIL_SMTP_USER: USER, MEOWMAIL_SMTP_PASS: PASSWORD }
    : { MEOWMAIL_SMTP_AUTH_URL: authUrl };
}

/** Puts the certificate into files and says where they are. */
function tlsFiles(
  certificate: TestCertificate | undefined,
  cleanUp: AsyncDisposableStack,
): Record<string, string> {
  if (certificate === undefined) return {};
  const folder = temporaryFolder(cleanUp);
  const cert = `${folder}/cert.pem`;
  const key = `${folder}/key.pem`;
  Deno.writeTextFileSync(cert, certificate.cert);
  Deno.writeTextFileSync(key, certificate.key);
  return {
    MEOWMAIL_SMTP_TLS_CERT: cert,
    MEOWMAIL_SMTP_TLS_KEY: key,
    MEOWMAIL_SMTP_TLS_PORT: "0",
  };
}

/** Makes a folder that goes with the stack. */
export function temporaryFolder(
  cleanUp: AsyncDisposableStack | DisposableStack,
): string {
  const folder = Deno.makeTempDirSync({ prefix: "smtpauth-test-" });
  cleanUp.defer(() => Deno.removeSync(folder, { recursive: true }));
  return folder;
}

const LISTENING = /listening on [^"\n]*?:([0-9]+)(?: with TLS)?["\n]/g;

async function portsOf(running: Running, count: number): Promise<number[]> {
  const lines = new RegExp(`(?:${LISTENING.source}[^]*){${count}}`);
  await logged(running, lines);
  return [...running.stderr.text().matchAll(LISTENING)]
    .map(([, port]) => Number(port));
}

/** Waits until stderr matches; a process that has ended will never do so. */
async function logged(
  { stdout, stderr, status }: Running,
  pattern: RegExp,
): Promise<void> {
  const ended = status.then(({ code }) => {
    if (pattern.test(stderr.text())) return;
    throw new Error(
      `The command has ended with ${code} and has not logged ${pattern}:\n` +
        stdout.text() + stderr.text(),
    );
  });
  await mustHappen(
    Promise.race([stderr.matches(pattern), ended]),
    `stderr matches ${pattern}`,
  );
}

/** Sends a signal to a process that may have ended by itself. */
export function signalIfRunning(
  child: Deno.ChildProcess,
  signal: Deno.Signal,
): void {
  try {
    child.kill(signal);
  } catch {
    // It has ended by itself.
  }
}

/** All that comes out of a process. */
class Output {
  /** Resolves at the end of the output. */
  readonly ended: Promise<void>;
  #text = "";
  #waiting: { readonly pattern: RegExp; readonly resolve: () => void }[] = [];

  constructor(stream: ReadableStream<Uint8Array<ArrayBuffer>>) {
    this.ended = this.#collect(stream);
  }

  text(): string {
    return this.#text;
  }

  /** Resolves as soon as the text matches, which may be never. */
  matches(pattern: RegExp): Promise<void> {
    if (pattern.test(this.#text)) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push({ pattern, resolve });
    return promise;
  }

  async #collect(stream: ReadableStream<Uint8Array<ArrayBuffer>>) {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      this.#text += text;
      this.#waiting = this.#waiting.filter(({ pattern, resolve }) => {
        if (!pattern.test(this.#text)) return true;
        resolve();
        return false;
      });
    }
  }
}
