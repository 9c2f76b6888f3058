/**
 * Real mail clients against the running command: finding them, running them,
 * and the listeners that they talk to.
 *
 * @module
 */

import { testCertificate } from "../support/certificate.ts";
import { mustHappen } from "../../testing/deadline.ts";
import { type HttpEnd, serveHttp } from "../support/http_end.ts";
import {
  type Listener,
  startListener,
  temporaryFolder,
} from "../support/listener.ts";

/** A mail client that may be on this machine. */
export interface Client {
  readonly name: string;
  /** Where it is; `undefined`: nowhere. */
  readonly program: string | undefined;
  /** What somebody must do to have it. */
  readonly missing: string;
}

/** How a connection is protected. */
export type Mode = "plain text" | "STARTTLS" | "implicit TLS";

/** The mechanisms that clients choose from. */
export const MECHANISMS = ["PLAIN", "LOGIN"] as const;

/** One of {@linkcode MECHANISMS}. */
export type Mechanism = typeof MECHANISMS[number];

/** A user name and a password. */
export interface Login {
  readonly username: string;
  readonly password: string;
}

/** The one local user: all that quoting and encoding can get wrong at once. */
export const LOGIN: Login = {
  username: "jörg@example.com",
  password: `pä "ss" w\\ö'rd€ $HOME %41:^🔑`,
};

/** Logins that clients, shells, URLs and configuration files stumble over. */
export const LOGINS: readonly Login[] = [
  LOGIN,
  { username: "ann@example.org", password: "correct horse" },
  { username: "jörg@example.com", password: "pässwörd€ 🔑" },
  { username: "jo\u0308rg", password: "not composed: a\u0308" },
  { username: "用户@例え.jp", password: "пароль" },
  { username: "o'hara+tag/x=y", password: `"quoted" 'twice'` },
  { username: `back\\slash "q"`, password: "back\\slash \\\\ \\n \\" },
  { username: "with a space", password: " spaces at both ends " },
  { username: "$USER", password: "$HOME ${HOME} $(id) `id` #!" },
  { username: "100%", password: "%41 100% %% %s &amp;" },
  { username: "ann@example.org", password: "colon: caret^caret ^^ tab\there" },
];

/** The envelope's sender. */
export const SENDER = "ann@example.org";

/** The envelope's recipients. */
export const RECIPIENTS: readonly string[] = [
  "bob@example.net",
  "eve+tag@example.com",
];

/** The name that clients give themselves, where they can be told one. */
export const HELO = "client.example.net";

/** How long a client may take. Only a limit: they take parts of a second. */
const CLIENT_LIMIT_MS = 30_000;

/** A client that is found by the name of its program. */
export function clientNamed(name: string, debianPackage: string): Client {
  return {
    name,
    program: findProgram(name),
    missing: `there is no ${name} (Debian package ${debianPackage})`,
  };
}

/** Where a program is, by PATH and where daemons are. */
export function findProgram(name: string): string | undefined {
  const folders = (Deno.env.get("PATH") ?? "").split(":")
    // Where Deno keeps a `node` that is Deno, for machines without Node.
    .filter((folder) => !folder.endsWith("/node_compat_bin"));
  return [...folders, "/usr/sbin"].map((folder) => `${folder}/${name}`)
    .find((path) => {
      try {
        return Deno.statSync(path).isFile;
      } catch {
        return false;
      }
    });
}

const reported = new Set<string>();

/** A test that needs a client, and is skipped, with a word, where it is missing. */
export function clientTest(
  { name, program, missing }: Client,
  criterion: string,
  run: (program: string) => Promise<void>,
): void {
  const skipped = program === undefined;
  if (skipped && !reported.has(name)) {
    reported.add(name);
    console.warn(`The tests with ${name} are skipped: ${missing}`);
  }
  Deno.test({
    name: `${name} ${criterion}${skipped ? ` (skipped: ${missing})` : ""}`,
    ignore: skipped,
    sanitizeOps: true,
    sanitizeResources: true,
    fn: async () => {
      if (program !== undefined) await run(program);
    },
  });
}

/** How a program is run. */
export interface RunOptions {
  readonly args: readonly string[];
  /** What it reads from stdin. Default: nothing. */
  readonly stdin?: string | Uint8Array<ArrayBuffer>;
  /** Variables beside the inherited ones. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** What came of it. */
export interface RunResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end; kills it if that does not come. */
export async function run(
  program: string,
  { args, stdin = "", env = {}, cwd }: RunOptions,
): Promise<RunResult> {
  const child = new Deno.Command(program, {
    args: [...args],
    clearEnv: true,
    env: { ...inherited(), ...env },
    ...(cwd === undefined ? {} : { cwd }),
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const output = child.output();
  let ended = false;
  try {
    await feed(child.stdin, stdin);
    const what = `${program} ends`;
    const { code, stdout, stderr } = await mustHappen(
      output,
      what,
      CLIENT_LIMIT_MS,
    );
    ended = true;
    const text = (octets: Uint8Array) => new TextDecoder().decode(octets);
    return { code, stdout: text(stdout), stderr: text(stderr) };
  } finally {
    // Only one that has not ended in time is still there.
    if (!ended) child.kill("SIGKILL");
    await child.status;
  }
}

async function feed(
  stdin: WritableStream<Uint8Array<ArrayBuffer>>,
  content: string | Uint8Array<ArrayBuffer>,
): Promise<void> {
  const octets = typeof content === "string"
    ? new TextEncoder().encode(content)
    : content;
  const writer = stdin.getWriter();
  try {
    if (octets.length > 0) await writer.write(octets);
    await writer.close();
  } catch {
    // Who does not read it all will say why.
  }
}

/** The environment, without what would tell listeners or clients what to do. */
function inherited(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(Deno.env.toObject()).filter(([name]) =>
      !/^(?:MEOWMAIL|SWAKS)_|_proxy$|^(?:NO|FORCE)_COLOR$/i.test(name)
    ),
  );
}

/** A place to send mail to. */
export interface Target {
  readonly mode: Mode;
  readonly port: number;
  readonly listener: Listener;
}

/** All that a test with a client needs; disposing removes it all. */
export interface Bench extends AsyncDisposable {
  /** A folder for the client's files. */
  readonly folder: string;
  /** A file with the listeners' certificate. */
  readonly trusted: string;
  /** Plain text, STARTTLS and implicit TLS. */
  readonly targets: readonly [plain: Target, startTls: Target, tls: Target];
}

/** Starts two listeners, without and with TLS, that know one login. */
export async function newBench(login: Login = LOGIN): Promise<Bench> {
  await using cleanUp = new AsyncDisposableStack();
  const certificate = await testCertificate();
  const env = {
    MEOWMAIL_SMTP_USER: login.username,
    MEOWMAIL_SMTP_PASS: login.password,
  };
  const plain = cleanUp.use(await startListener({ env }));
  const tls = cleanUp.use(await startListener({ env, certificate }));
  const folder = temporaryFolder(cleanUp);
  const trusted = `${folder}/trusted.pem`;
  Deno.writeTextFileSync(trusted, certificate.cert);
  const ending = cleanUp.move();
  return {
    folder,
    trusted,
    targets: [
      { mode: "plain text", port: plain.port, listener: plain },
      { mode: "STARTTLS", port: tls.port, listener: tls },
      { mode: "implicit TLS", port: tls.tlsPort, listener: tls },
    ],
    [Symbol.asyncDispose]: () => ending.disposeAsync(),
  };
}

/** A listener in plain text that asks an endpoint. */
export interface AskingBench extends AsyncDisposable {
  readonly folder: string;
  readonly listener: Listener;
  readonly target: Target;
  readonly endpoint: HttpEnd;
}

/** Starts an endpoint that gives one answer, and a listener that asks it. */
export async function newAskingBench(
  answer: () => Response,
): Promise<AskingBench> {
  await using cleanUp = new AsyncDisposableStack();
  const endpoint = cleanUp.use(serveHttp(answer));
  const listener = cleanUp.use(
    await startListener({ authUrl: endpoint.url }),
  );
  const folder = temporaryFolder(cleanUp);
  const ending = cleanUp.move();
  return {
    folder,
    listener,
    target: { mode: "plain text", port: listener.port, listener },
    endpoint,
    [Symbol.asyncDispose]: () => ending.disposeAsync(),
  };
}
