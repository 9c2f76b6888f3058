/**
 * Everything that the command runs: a listener, adapters, one provider for all
 * of them, one log.
 *
 * @module
 */

import type { FallbackOptions } from "../auth/state/fallback.ts";
import { hostPort, isLoopback } from "../lib/addresses.ts";
import type { SmtpServer } from "../smtp/listener.ts";
import { isServerName, type SmtpAddress } from "../smtp/options.ts";
import { openAdapters } from "./adapters.ts";
import {
  certificateFiles,
  followCertificate,
  readCertificate,
} from "./certificate.ts";
import { hasAuthSource } from "./consistency.ts";
import { openDestination } from "./destination.ts";
import { firstMessageHint, type Login, makeUpLogin } from "./first_start.ts";
import type { FollowedFiles } from "./follow.ts";
import { openListener } from "./listener.ts";
import type { LogEntry } from "./log.ts";
import { openProvider } from "./provider.ts";
import { limited } from "./sending_limits.ts";
import type { Settings } from "./settings.ts";
import { openState } from "./state.ts";
import { unthrottleEverybody } from "./unthrottle.ts";
import { openTelemetry, type Telemetry } from "./telemetry.ts";

/** Where the command says something. */
export interface Output {
  /** A line of the log. */
  readonly log: (entry: LogEntry) => void;
  /** Text for whoever has started it, and for nobody else. */
  readonly print: (text: string) => void;
}

/** What tests set otherwise. */
export interface Tuning {
  /** Milliseconds that a guess is held up at most. */
  readonly throttleDelayMs?: number;
  /** How long to wait for a shared state, and how long to leave it alone. */
  readonly state?: Pick<FallbackOptions, "timeoutMs" | "restMs">;
}

/** What is running. */
export interface Serving extends AsyncDisposable {
  /** The addresses of the listener; none if there is only an adapter. */
  readonly addrs: readonly SmtpAddress[];
  /**
   * Reads again what may have changed on the disk.
   *
   * @param settings The settings as they are now: passwords and tokens are
   * taken from them.
   */
  readonly reload: (settings: Settings) => void;
  /** Forgets what was counted for all users, if that is in memory. */
  readonly unthrottle: () => void;
  /** Says at `/readyz` that nobody is to come any more; serves on. */
  readonly stopping: () => void;
  /** Stops in good order; resolves when everything is closed. */
  readonly shutdown: () => Promise<void>;
}

/**
 * Starts all that the settings ask for, and says where it listens.
 *
 * @param settings What to run.
 * @param output Where to say what happens.
 * @param tuning What no operator is to set.
 * @throws {Error} If something can't be opened: which flag, where and why.
 * Then nothing stays open.
 */
export async function serve(
  settings: Settings,
  output: Output,
  tuning: Tuning = {},
): Promise<Serving> {
  const { log, print } = output;
  await using opened = new AsyncDisposableStack();
  const telemetry = opened.use(await openTelemetry(settings, log));
  const { onEvent, watch } = telemetry;
  const madeUp = hasAuthSource(settings) ? undefined : makeUpLogin();
  const { store, memory } = opened.use(
    await openState(settings, log, tuning.state),
  );
  const logins = opened.use(
    await openProvider(settings, madeUp, { log, store, watch, ...tuning }),
  );
  const provider = watch.traced(logins.provider);
  const { port, hostname: serverName = machineName() } = settings;
  const destination = port === undefined
    ? undefined
    : opened.use(await openDestination(settings, serverName, log, onEvent));
  const server = port === undefined || destination === undefined
    ? undefined
    : opened.use(openListener({ ...settings, port, serverName }, {
      provider,
      to: watch.tracedMail(
        await limited(settings, destination.to, { store, onEvent }),
      ),
      onEvent,
    }));
  const certificate = follow(settings, server, telemetry, log);
  opened.defer(() => certificate?.stop());
  const adapters = await openAdapters(settings, { provider, store, onEvent });

  const addrs = server?.addrs ?? [];
  const hint = hintOf(madeUp, addrs, certificate, destination?.where);
  if (hint !== undefined) print(hint);
  announce(settings, addrs, [...adapters, telemetry], log);
  telemetry.serving();

  const rest = opened.move();
  const shutdown = async () => {
    telemetry.stopping();
    // All at once: their clients share the time that they have.
    await Promise.all([...adapters, server].map((each) => each?.shutdown()));
    await rest.disposeAsync();
  };
  return {
    addrs,
    reload: (settings) => {
      certificate?.reload();
      logins.reload(settings);
      destination?.reload(settings);
      for (const { reload } of adapters) reload?.(settings);
    },
    unthrottle: () => log(unthrottleEverybody(memory)),
    stopping: telemetry.stopping,
    shutdown,
    [Symbol.asyncDispose]: shutdown,
  };
}

/** How to send a first message by the login that was made up. */
function hintOf(
  madeUp: Login | undefined,
  [address]: readonly SmtpAddress[],
  certificate: FollowedFiles | undefined,
  where = "",
): string | undefined {
  if (madeUp === undefined || address === undefined) return undefined;
  return firstMessageHint(madeUp, address, certificate !== undefined, where);
}

function follow(
  settings: Settings,
  server: SmtpServer | undefined,
  telemetry: Telemetry,
  log: Output["log"],
): FollowedFiles | undefined {
  const files = certificateFiles(settings);
  if (files === undefined || server === undefined) return undefined;
  telemetry.certificate(readCertificate(files).cert);
  return followCertificate(files, (pair) => {
    server.useCertificate(pair);
    telemetry.certificate(pair.cert);
  }, log);
}

/** Says where it listens, and what an operator should know before users do. */
function announce(
  settings: Settings,
  addrs: readonly SmtpAddress[],
  others: readonly Pick<Telemetry, "where">[],
  log: Output["log"],
): void {
  for (const { hostname, port, tls } of addrs) {
    const where = `${hostPort(hostname, port)}${tls ? " with TLS" : ""}`;
    const fields = { hostname, port, tls };
    log({ level: "info", message: `listening on ${where}`, fields });
  }
  for (const { where } of others) {
    if (where === undefined) continue;
    log({ level: "info", message: `listening on ${where}`, fields: {} });
  }
  const warning = plainTextWarning(settings, addrs);
  if (warning !== undefined) {
    log({ level: "warn", message: warning, fields: {} });
  }
}

function plainTextWarning(
  { tlsCert, allowInsecureAuth }: Settings,
  addrs: readonly SmtpAddress[],
): string | undefined {
  if (addrs.every(({ hostname }) => isLoopback(hostname))) return undefined;
  if (allowInsecureAuth) {
    return "passwords may cross the network in plain text (--allow-insecure-auth)";
  }
  return tlsCert === undefined
    ? "no certificate: clients on other machines cannot log in (--tls-cert, --tls-key)"
    : undefined;
}

/** The machine's name, if it can stand in a greeting. */
function machineName(): string {
  const name = Deno.hostname();
  return isServerName(name) ? name : "localhost";
}
