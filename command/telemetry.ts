/**
 * What an operator sees of a running server: its log, its figures, and whether
 * it is well.
 *
 * @module
 */

import config from "../deno.json" with { type: "json" };
import type { ReadyProvider } from "../auth/types.ts";
import { hostPort } from "../lib/addresses.ts";
import { systemReason } from "../lib/error_text.ts";
import { Health } from "../metrics/health.ts";
import { type CountedEvent, Observer } from "../metrics/observer.ts";
import {
  findOpenTelemetry,
  type OpenTelemetry,
} from "../metrics/open_telemetry.ts";
import type { PrometheusSink } from "../metrics/prometheus.ts";
import {
  tracedDestination,
  tracedProvider,
  traceUnasked,
} from "../metrics/spans.ts";
import { readCertificateFacts } from "../net/certificate.ts";
import {
  type ProbeAnswer,
  type ProbePages,
  type ProbeServer,
  serveProbes,
} from "../net/probe_server.ts";
import { type LogEntry, logEvents } from "./log.ts";
import { PROMETHEUS } from "./optional.ts";
import type { Deliver } from "../smtp/delivery.ts";
import type { Destination } from "../smtp/destination.ts";
import type { Settings } from "./settings.ts";

/** What measures the way to a back end; where nobody looks, it is the way. */
export interface Watch {
  /** Around the back end itself. */
  readonly measured: (provider: ReadyProvider) => ReadyProvider;
  /** Around what lets so many calls through at a time. */
  readonly queued: (provider: ReadyProvider) => ReadyProvider;
  /** Around all that decides about a login. */
  readonly traced: (provider: ReadyProvider) => ReadyProvider;
  /** Around who takes mail. */
  readonly tracedMail: (to: Deliver | Destination) => Deliver | Destination;
}

/** The way as it is. */
export const UNWATCHED: Watch = {
  measured: (provider) => provider,
  queued: (provider) => provider,
  traced: (provider) => provider,
  tracedMail: (to) => to,
};

/** What an operator sees. */
export interface Telemetry extends AsyncDisposable {
  /** Where the figures are to be had, in the words of the log. */
  readonly where: string | undefined;
  /** Takes the events of listener, adapters and destination. */
  readonly onEvent: (event: CountedEvent) => void;
  readonly watch: Watch;
  /** Learns of the certificate that is in use, as PEM. */
  readonly certificate: (pem: string) => void;
  /** All is bound. */
  readonly serving: () => void;
  /** The end begins. */
  readonly stopping: () => void;
}

/**
 * Opens what the settings ask for.
 *
 * @param settings Whether there are figures, and where.
 * @param log The log.
 * @throws {Error} If the port can't be had.
 */
export async function openTelemetry(
  { metricsPort: port, metricsHost: hostname }: Settings,
  log: (entry: LogEntry) => void,
): Promise<Telemetry> {
  const logged = logEvents(log);
  const otel = findOpenTelemetry(config.version);
  if (port === undefined && otel === undefined) return unseen(logged);
  const prometheus = port === undefined ? undefined : await openPrometheus();
  const health = new Health();
  const sinks = [prometheus, otel].filter((sink) => sink !== undefined);
  const observer = new Observer(sinks, config.version, health.onAnswer);
  const server = port === undefined || prometheus === undefined
    ? undefined
    : await openPort(
      { hostname, port },
      pagesOf(prometheus, observer, health),
      log,
    );
  return {
    where: server && `${placeOf(server)} for metrics`,
    onEvent: (event) => {
      observer.onEvent(event);
      health.onEvent(event);
      if (otel && event.kind === "auth") traceUnasked(event, otel.tracer);
      logged(event);
    },
    watch: watchOf(observer, otel),
    certificate: (pem) => noteEnd(pem, observer),
    serving: () => health.serving(),
    stopping: () => health.stopping(),
    [Symbol.asyncDispose]: async () => await server?.shutdown(),
  };
}

async function openPrometheus(): Promise<PrometheusSink> {
  const { newPrometheusSink }: typeof import("../metrics/prometheus.ts") =
    await import(PROMETHEUS);
  return await newPrometheusSink();
}

function watchOf(observer: Observer, otel: OpenTelemetry | undefined): Watch {
  return {
    measured: (provider) => observer.measured(provider),
    queued: (provider) => observer.queued(provider),
    traced: (provider) =>
      otel === undefined ? provider : tracedProvider(provider, otel.tracer),
    tracedMail: (to) =>
      otel === undefined ? to : tracedDestination(to, otel.tracer),
  };
}

function placeOf({ address: { hostname, port } }: ProbeServer): string {
  return hostPort(hostname, port);
}

function unseen(onEvent: Telemetry["onEvent"]): Telemetry {
  return {
    where: undefined,
    onEvent,
    watch: UNWATCHED,
    certificate: () => {},
    serving: () => {},
    stopping: () => {},
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

async function openPort(
  at: { readonly hostname: string; readonly port: number },
  pages: ProbePages,
  log: (entry: LogEntry) => void,
): Promise<ProbeServer> {
  const onFault = (page: string, error: unknown) => {
    const message = `cannot make the page ${page}: ${systemReason(error)}`;
    log({ level: "error", message, fields: { page } });
  };
  try {
    return await serveProbes(at, pages, { onFault });
  } catch (cause) {
    const where = `--metrics-port ${hostPort(at.hostname, at.port)}`;
    const reason = systemReason(cause);
    throw new Error(`cannot listen on ${where}: ${reason}`, { cause });
  }
}

function pagesOf(
  prometheus: PrometheusSink,
  observer: Observer,
  health: Health,
): ProbePages {
  return {
    "/metrics": async () => ({
      status: 200,
      body: await prometheus.text(observer.read),
      type: prometheus.contentType,
    }),
    "/livez": () => ({ status: 200, body: "ok\n" }),
    "/readyz": () => readiness(health.lack()),
  };
}

function readiness(lack: string | undefined): ProbeAnswer {
  return lack === undefined
    ? { status: 200, body: "ok\n" }
    : { status: 503, body: `${lack}\n` };
}

async function noteEnd(pem: string, observer: Observer): Promise<void> {
  try {
    const { until } = await readCertificateFacts(pem);
    observer.certificateUntil(until);
  } catch {
    // It is in use all the same, and its end is not known.
  }
}
