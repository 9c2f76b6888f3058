/**
 * Flags and environment become settings, or one line that says what is wrong.
 *
 * @module
 */

import * as std from "@std/cli/parse-args";
import { parseIp, parseNetwork } from "../lib/ip.ts";
import type { CertificateFiles } from "./certificate.ts";
import {
  type Given,
  MAX_MS,
  not,
  readHost,
  readHostPort,
  readMode,
  readName,
  readNumber,
  readPlace,
  readSwitch,
  readToken,
  readURL,
  type SocketAddress,
  UsageError,
} from "./values.ts";
import { type Flag, type FlagName, FLAGS } from "./flags.ts";

export { type SocketAddress, UsageError };

// The npm build of @std/cli has no type declarations: this is the one used.
const parseArgs: (args: readonly string[], options: {
  readonly string: readonly string[];
  readonly boolean: readonly string[];
  readonly negatable: readonly string[];
  readonly default: Readonly<Record<string, undefined>>;
  readonly unknown: (arg: string, key?: string) => boolean;
}) => Record<string, unknown> = std.parseArgs;

/** Who decides about logins. */
export type AuthSource =
  | {
    readonly kind: "http";
    readonly url: string;
    readonly bearerToken?: string;
    readonly timeoutMs: number;
    /** How many requests may be under way. */
    readonly concurrency: number;
    /** How long an accepted login passes unasked; 0 for not at all. */
    readonly cacheMs: number;
    /** How much longer it passes while the endpoint fails; 0 for not at all. */
    readonly graceMs: number;
  }
  | { readonly kind: "dovecot"; readonly place: SocketAddress }
  | {
    readonly kind: "local";
    readonly username: string;
    readonly password: string;
  }
  /** Nobody yet: make somebody up. */
  | { readonly kind: "none" };

/** Where other servers may ask. */
export interface AdapterSettings {
  /** Where the Dovecot authentication protocol is spoken, if it is. */
  readonly dovecot?: SocketAddress;
  /** Where saslauthd's protocol is spoken, if it is. */
  readonly saslauthd?: SocketAddress;
  /** What unix sockets are to be like. */
  readonly socket: {
    readonly mode?: number;
    readonly group?: string;
  };
  /** Where nginx asks, and where it takes clients then. */
  readonly nginx?: {
    readonly hostname: string;
    readonly port: number;
    readonly upstream: { readonly hostname: string; readonly port: number };
    readonly secret?: string;
  };
}

/** What the command is to do. */
export interface Settings {
  readonly host: string;
  readonly port: number;
  /** The name to use; absent for the machine's own. */
  readonly hostname?: string;
  readonly tlsPort?: number;
  readonly tlsFiles?: CertificateFiles;
  readonly auth: AuthSource;
  readonly requireAuth: boolean;
  readonly allowInsecureAuth: boolean;
  readonly maxAuthFailures: number;
  /** Whether password guessing is slowed down. */
  readonly throttle: boolean;
  readonly adapters: AdapterSettings;
  readonly maildir: string;
  readonly maxSize: number;
  readonly maxConnections: number;
  readonly maxConnectionsPerNetwork: number;
  readonly idleTimeoutMs: number;
  readonly greetingDelayMs: number;
  /** The networks of proxies; absent if there are none. */
  readonly proxyProtocolFrom?: readonly string[];
  /** How to log; absent to decide by whether there is a terminal. */
  readonly log?: "text" | "json";
}

/** What the command line asks for. */
export type Invocation =
  | { readonly kind: "help" }
  | { readonly kind: "version" }
  | { readonly kind: "serve"; readonly settings: Settings };

/**
 * Reads the command line and the environment.
 *
 * What it says about a mistake names the flag and what is accepted. It repeats
 * no value that may hold a secret, such as a URL in the wrong place.
 *
 * @param args The arguments.
 * @param env Looks a variable up.
 * @throws {UsageError} If something is wrong with them.
 */
export function readInvocation(
  args: readonly string[],
  env: (name: string) => string | undefined,
): Invocation {
  const flags = readFlags(args);
  if (flags.help === true) return { kind: "help" };
  if (flags.version === true) return { kind: "version" };
  const given = (name: FlagName) => lookUp(FLAGS[name], flags, env);
  return { kind: "serve", settings: readSettings(given) };
}

type Lookup = (name: FlagName) => Given | undefined;

function readFlags(args: readonly string[]): Record<string, unknown> {
  const flags = Object.values(FLAGS).filter(({ flag }) => flag !== undefined);
  const named = (takes: Flag["takes"]) =>
    flags.flatMap(({ flag, takes: t }) => t === takes && flag ? [flag] : []);
  const parsed = parseArgs(args.map(spelledOut), {
    string: named("text"),
    boolean: [...named("switch"), "help", "version"],
    negatable: named("switch"),
    // Tells a switch that is off from one that is not there.
    default: Object.fromEntries(named("switch").map((f) => [f, undefined])),
    unknown: (arg, key) => {
      // What is unknown may be a secret that has lost its way: name it only.
      throw new UsageError(
        key === undefined || !arg.startsWith("--")
          ? ONLY_FLAGS
          : `unknown flag --${key}: see --help`,
      );
    },
  });
  // The parser does not ask about what stands behind "--".
  const { _: rest } = parsed;
  if (Array.isArray(rest) && rest.length > 0) throw new UsageError(ONLY_FLAGS);
  return parsed;
}

const ONLY_FLAGS = "unexpected argument: everything is a flag, see --help";

/** `--switch=word`, which the parser would take for "on" whatever the word. */
function spelledOut(arg: string): string {
  const [, no = "", flag, word = ""] = /^--(no-)?([a-z-]+)=(.*)$/s.exec(arg) ??
    [];
  const isSwitch = Object.values(FLAGS).some((known) =>
    known.takes === "switch" && known.flag === flag
  );
  if (!isSwitch) return arg;
  if (no !== "") throw new UsageError(`--no-${flag} takes no value`);
  const on = readSwitch({ source: `--${flag}`, value: word });
  return on ? `--${flag}` : `--no-${flag}`;
}

function lookUp(
  { flag, env: variable }: Flag,
  flags: Record<string, unknown>,
  env: (name: string) => string | undefined,
): Given | undefined {
  const value = flag === undefined ? undefined : flags[flag];
  const source = `--${flag}`;
  if (value === "") throw new UsageError(`${source} needs a value`);
  if (typeof value === "string") return { source, value };
  if (typeof value === "boolean") {
    return { source, value: value ? "on" : "off" };
  }
  const inEnv = env(variable);
  return inEnv === undefined || inEnv === ""
    ? undefined
    : { source: variable, value: inEnv };
}

function readSettings(given: Lookup): Settings {
  const tlsFiles = readTlsFiles(given);
  const port = readNumber(given("port"), 0, 65_535) ?? 2525;
  const tlsPort = readNumber(given("tlsPort"), 0, 65_535);
  if (tlsPort !== undefined && tlsFiles === undefined) {
    throw new UsageError("--tls-port needs --tls-cert and --tls-key");
  }
  if (tlsPort === port && port !== 0) {
    throw new UsageError("--tls-port must differ from --port");
  }
  const proxyProtocolFrom = readProxies(given);
  const hostname = readName(given("hostname"));
  const log = readLog(given("log"));
  return {
    host: readHost(given("host")) ?? "127.0.0.1",
    port,
    ...(hostname === undefined ? {} : { hostname }),
    ...(tlsPort === undefined ? {} : { tlsPort }),
    ...(tlsFiles === undefined ? {} : { tlsFiles }),
    auth: readAuth(given),
    requireAuth: readSwitch(given("requireAuth")) ?? true,
    allowInsecureAuth: readSwitch(given("allowInsecureAuth")) ?? false,
    maxAuthFailures: readNumber(given("maxAuthFailures")) ?? 3,
    throttle: readSwitch(given("throttle")) ?? true,
    adapters: readAdapters(given),
    maildir: given("maildir")?.value ?? "./maildir",
    maxSize: readNumber(given("maxSize")) ?? 26_214_400,
    maxConnections: readNumber(given("maxConnections")) ?? 10_000,
    maxConnectionsPerNetwork: readNumber(given("maxConnectionsPerNetwork")) ??
      200,
    idleTimeoutMs: readNumber(given("idleTimeout"), 1, MAX_MS) ?? 300_000,
    greetingDelayMs: readNumber(given("greetingDelay"), 0, MAX_MS) ?? 0,
    ...(proxyProtocolFrom === undefined ? {} : { proxyProtocolFrom }),
    ...(log === undefined ? {} : { log }),
  };
}

function readProxies(given: Lookup): readonly string[] | undefined {
  const on = readSwitch(given("proxyProtocol")) ?? false;
  const from = given("proxyProtocolFrom");
  if (!on && from !== undefined) {
    throw new UsageError(`${from.source} needs --proxy-protocol`);
  }
  if (!on) return undefined;
  const networks = from?.value.split(",") ?? ["127.0.0.0/8", "::1"];
  if (networks.every((text) => parseNetwork(text) !== undefined)) {
    return networks;
  }
  throw new UsageError(
    `${from?.source} must be networks such as 192.0.2.0/24, with commas between them`,
  );
}

function readTlsFiles(given: Lookup): Settings["tlsFiles"] {
  const cert = given("tlsCert")?.value;
  const key = given("tlsKey")?.value;
  if (cert !== undefined && key !== undefined) return { cert, key };
  if (cert === undefined && key === undefined) return undefined;
  throw new UsageError("--tls-cert and --tls-key must come together");
}

function readAuth(given: Lookup): AuthSource {
  const url = given("authUrl");
  const token = given("authToken");
  const user = given("user");
  const pass = given("pass");
  if ((user === undefined) !== (pass === undefined)) {
    throw new UsageError(
      "MEOWMAIL_SMTP_USER and MEOWMAIL_SMTP_PASS must come together",
    );
  }
  const dovecot = given("authDovecot");
  if (
    [url, dovecot, user].filter((source) => source !== undefined).length > 1
  ) {
    throw new UsageError(
      "there must be one auth source: --auth-url, --auth-dovecot or MEOWMAIL_SMTP_USER, not both",
    );
  }
  for (const extra of [token, given("authCache"), given("authGrace")]) {
    if (extra === undefined || url !== undefined) continue;
    throw new UsageError(`${extra.source} needs --auth-url`);
  }
  const endpoint = {
    timeoutMs: readNumber(given("authTimeout"), 1, MAX_MS) ?? 1200,
    concurrency: readNumber(given("authConcurrency")) ?? 1000,
    cacheMs: readNumber(given("authCache"), 0, MAX_MS) ?? 0,
    graceMs: readNumber(given("authGrace"), 0, MAX_MS) ?? 0,
  };
  if (url !== undefined) {
    return {
      kind: "http",
      url: readURL(url),
      ...endpoint,
      ...(token === undefined ? {} : { bearerToken: readToken(token) }),
    };
  }
  if (dovecot !== undefined) {
    return { kind: "dovecot", place: readPlace(dovecot) };
  }
  return user !== undefined && pass !== undefined
    ? { kind: "local", username: user.value, password: pass.value }
    : { kind: "none" };
}

function readAdapters(given: Lookup): AdapterSettings {
  const dovecot = given("dovecotSocket");
  const saslauthd = given("saslauthdSocket");
  const mode = readMode(given("socketMode"));
  const group = given("socketGroup")?.value;
  const nginx = readNginx(given);
  return {
    ...(dovecot === undefined ? {} : { dovecot: readPlace(dovecot) }),
    ...(saslauthd === undefined ? {} : { saslauthd: readPlace(saslauthd) }),
    ...(nginx === undefined ? {} : { nginx }),
    socket: {
      ...(mode === undefined ? {} : { mode }),
      ...(group === undefined ? {} : { group }),
    },
  };
}

function readNginx(given: Lookup): AdapterSettings["nginx"] {
  const port = readNumber(given("nginxPort"), 0, 65_535);
  const upstream = given("nginxUpstream");
  const secret = given("nginxSecret");
  const extra = upstream ?? secret;
  if (port === undefined && extra === undefined) return undefined;
  if (port === undefined || upstream === undefined) {
    throw new UsageError(
      "--nginx-port and --nginx-upstream must come together",
    );
  }
  const to = readHostPort(upstream.value);
  if (to === undefined || parseIp(to.hostname) === undefined || to.port === 0) {
    throw new UsageError(`${upstream.source} must be an IP address and a port`);
  }
  return {
    hostname: "127.0.0.1",
    port,
    upstream: to,
    ...(secret === undefined ? {} : { secret: readToken(secret) }),
  };
}

function readLog(given: Given | undefined): Settings["log"] {
  switch (given?.value) {
    case undefined:
      return undefined;
    case "text":
      return "text";
    case "json":
      return "json";
    default:
      throw new UsageError(
        `${given?.source} must be text or json${not(given)}`,
      );
  }
}
