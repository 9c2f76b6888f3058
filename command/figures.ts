/**
 * Figures of a running server, and whether it is well.
 *
 * @module
 */

import config from "../deno.json" with { type: "json" };
import { hostPort } from "../lib/addresses.ts";
import { systemReason } from "../lib/error_text.ts";
import { Health } from "../metrics/health.ts";
import { Observer } from "../metrics/observer.ts";
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
import { exportedQueries } from "./exported_urls.ts";
import { type LogEntry, logEvents } from "./log.ts";
import { PROMETHEUS } from "./optional.ts";
import type { Settings } from "./settings.ts";
import type { Telemetry, Watch } from "./telemetry.ts";

/**
 * Opens what the settings ask for, and what Deno was started with.
 *
 * @param settings Whether there are figures, and where.
 * @param log The log.
 * @returns Nothing where nobody wants to see any.
 * @throws {Error} If the port can't be had.
 */
export async function openFigures(
  settings: Settings,
  log: (entry: LogEntry) => void,
): Promise<Telemetry | undefined> {
  const { metricsPort: port, metricsHost: hostname } = settings;
  const logged = logEvents(log);
  const otel = findOpenTelemetry(config.version);
  if (port === undefined && otel === undefined) return undefined;
  for (const message of otel === undefined ? [] : exportedQueries(settings)) {
    log({ level: "warn", message, fields: {} });
  }
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
