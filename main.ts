/**
 * The command: an SMTP submission listener.
 *
 * It asks an operator's HTTP endpoint, or a local user, about each login, and
 * keeps accepted mail in a Maildir. Flags and environment variables are
 * explained by `--help`.
 *
 * @example Try it
 * ```sh
 * deno run -P main.ts
 * ```
 *
 * @module
 */

import type { AuthProvider } from "./auth/types.ts";
import config from "./deno.json" with { type: "json" };
import { type OpenAdapter, openAdapters } from "./command/adapters.ts";
import { hostPort, isLoopback } from "./lib/addresses.ts";
import { newProvider } from "./command/provider.ts";
import { followCertificate, readCertificate } from "./command/certificate.ts";
import { firstMessageHint, makeUpLogin } from "./command/first_start.ts";
import { helpText } from "./command/help.ts";
import { serveSmtp, type SmtpServer } from "./smtp/listener.ts";
import { entryOf, jsonLine, type LogEntry, textLine } from "./command/log.ts";
import { openMaildir } from "./delivery/maildir.ts";
import { isServerName, type SmtpAddress } from "./smtp/options.ts";
import {
  readInvocation,
  type Settings,
  UsageError,
} from "./command/settings.ts";

/** The arguments or the environment make no sense. */
const EXIT_USAGE = 2;

/** They do, but the machine does not give what they ask for. */
const EXIT_UNABLE = 1;

/**
 * Runs the command to its end.
 *
 * @param args The command line's arguments.
 * @returns The exit status: 0 after a signal to stop, 1 if the listener could
 * not start, 2 if the settings make no sense.
 */
export async function main(args: readonly string[]): Promise<number> {
  try {
    const invocation = readInvocation(args, (name) => Deno.env.get(name));
    switch (invocation.kind) {
      case "help":
        write(Deno.stdout, helpText());
        break;
      case "version":
        write(Deno.stdout, `${config.version}\n`);
        break;
      case "serve":
        await serve(invocation.settings);
        break;
      default:
        invocation satisfies never;
    }
    return 0;
  } catch (error) {
    write(Deno.stderr, `error: ${oneLine(error)}\n`);
    return error instanceof UsageError ? EXIT_USAGE : EXIT_UNABLE;
  }
}

async function serve(settings: Settings): Promise<void> {
  const log = newLog(settings.log);
  const madeUp = settings.auth.kind === "none" ? makeUpLogin() : undefined;
  const serverName = settings.hostname ?? machineName();
  const deliver = unable(
    `cannot use the maildir ${settings.maildir}`,
    () => openMaildir(settings.maildir, serverName),
  );
  const certificate = settings.tlsFiles && readCertificate(settings.tlsFiles);
  const provider = newProvider(settings, madeUp);
  const server = unable(
    `cannot listen on ${wanted(settings)}`,
    () =>
      serveSmtp({
        provider,
        hostname: settings.host,
        port: settings.port,
        ...(settings.tlsPort === undefined
          ? {}
          : { tlsPort: settings.tlsPort }),
        ...certificate,
        serverName,
        requireAuth: settings.requireAuth,
        allowInsecureAuth: settings.allowInsecureAuth,
        maxAuthFailures: settings.maxAuthFailures,
        maxSize: settings.maxSize,
        maxConnections: settings.maxConnections,
        maxConnectionsPerNetwork: settings.maxConnectionsPerNetwork,
        idleTimeoutMs: settings.idleTimeoutMs,
        greetingDelayMs: settings.greetingDelayMs,
        ...(settings.proxyProtocolFrom === undefined
          ? {}
          : { proxyProtocolFrom: settings.proxyProtocolFrom }),
        onEvent: (event) => log(entryOf(event)),
      }, deliver),
  );

  const [address] = server.addrs;
  if (madeUp !== undefined && address !== undefined) {
    const startTls = certificate !== undefined;
    const hint = firstMessageHint(madeUp, address, startTls, settings.maildir);
    write(Deno.stdout, hint);
  }
  // Whoever reads that it listens may send a signal at once.
  const files = settings.tlsFiles;
  const following = files &&
    followCertificate(files, (pair) => server.useCertificate(pair), log);
  // Without a certificate a terminal that hangs up ends the command as usual.
  if (following !== undefined) onSignals(["SIGHUP"], following.reload);
  stopOnSignals(server, log);
  const adapters = await openAll(settings, provider, server, log);
  server.addrs.forEach((bound) => log(listening(bound)));
  for (const { where } of adapters) {
    log({ level: "info", message: `listening on ${where}`, fields: {} });
  }
  const warning = plainTextWarning(settings, server.addrs);
  if (warning !== undefined) {
    log({ level: "warn", message: warning, fields: {} });
  }
  await server.finished;
  await Promise.all(adapters.map((adapter) => adapter.shutdown()));
  following?.stop();
  log({ level: "info", message: "stopped", fields: {} });
}

/** Opens the adapters; if one can't be opened, the listener is closed too. */
async function openAll(
  { adapters }: Settings,
  provider: AuthProvider,
  server: SmtpServer,
  log: Log,
): Promise<OpenAdapter[]> {
  try {
    return await openAdapters(adapters, provider, log);
  } catch (error) {
    await server.shutdown();
    throw error;
  }
}

type Log = (entry: LogEntry) => void;

function newLog(format: Settings["log"]): Log {
  const terminal = Deno.stderr.isTerminal();
  const colored = terminal && !Deno.env.get("NO_COLOR");
  const text = (format ?? (terminal ? "text" : "json")) === "text";
  return (entry) => {
    const now = new Date();
    const line = text ? textLine(entry, now, colored) : jsonLine(entry, now);
    write(Deno.stderr, `${line}\n`);
  };
}

function listening({ hostname, port, tls }: SmtpAddress): LogEntry {
  const where = hostPort(hostname, port);
  const message = `listening on ${where}${tls ? " with TLS" : ""}`;
  return { level: "info", message, fields: { hostname, port, tls } };
}

/** What an operator should know before the first user complains. */
function plainTextWarning(
  { tlsFiles, allowInsecureAuth }: Settings,
  addrs: readonly SmtpAddress[],
): string | undefined {
  if (addrs.every(({ hostname }) => isLoopback(hostname))) return undefined;
  if (allowInsecureAuth) {
    return "passwords may cross the network in plain text (--allow-insecure-auth)";
  }
  return tlsFiles === undefined
    ? "no certificate: clients on other machines cannot log in (--tls-cert, --tls-key)"
    : undefined;
}

/** The machine's name, if it can stand in a greeting. */
function machineName(): string {
  const name = Deno.hostname();
  return isServerName(name) ? name : "localhost";
}

function wanted({ host, port, tlsPort }: Settings): string {
  const ports = tlsPort === undefined ? [port] : [port, tlsPort];
  return ports.map((each) => hostPort(host, each)).join(" and ");
}

function stopOnSignals(server: SmtpServer, log: Log): void {
  let stopping = false;
  onSignals(["SIGINT", "SIGTERM"], (signal) => {
    // A terminal and a task runner may both send it.
    if (stopping) return;
    stopping = true;
    log({ level: "info", message: `stopping on ${signal}`, fields: {} });
    server.shutdown();
  });
}

function onSignals(
  signals: readonly Deno.Signal[],
  act: (signal: Deno.Signal) => void,
): void {
  for (const signal of signals) {
    // The only one that a program on Windows can be sent.
    if (Deno.build.os === "windows" && signal !== "SIGINT") continue;
    Deno.addSignalListener(signal, () => act(signal));
  }
}

/** Does what may fail for reasons of the machine's, and says what it was. */
function unable<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw new Error(`${what}: ${oneLine(cause)}`, { cause });
  }
}

function oneLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replaceAll(/\s*\n\s*/g, " ");
}

/** Writes at once. A log that nobody reads any more is no reason to stop. */
function write(to: { writeSync(octets: Uint8Array): number }, text: string) {
  const octets = new TextEncoder().encode(text);
  try {
    for (let written = 0; written < octets.length;) {
      written += to.writeSync(octets.subarray(written));
    }
  } catch {
    // Nowhere to say so.
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
