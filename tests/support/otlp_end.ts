/**
 * Where OpenTelemetry goes in tests: an end of OTLP over HTTP, in JSON.
 *
 * @module
 */

import { type HttpEnd, serveHttp } from "./http_end.ts";

/** A span as it has come. */
export interface SeenSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly failed: boolean;
}

/** A value of a figure as it has come. */
export interface SeenPoint {
  readonly name: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** The value, or how often a time was noted. */
  readonly value: number;
}

/** A running end. */
export interface OtlpEnd extends AsyncDisposable {
  /** The variables that make Deno send everything here. */
  readonly env: Readonly<Record<string, string>>;
  /** Every span so far. */
  readonly spans: () => SeenSpan[];
  /** Every value so far, the newest last. */
  readonly points: () => SeenPoint[];
}

/**
 * Starts one.
 *
 * @param before What it waits for before it answers to spans.
 */
export function serveOtlp(before?: () => Promise<void>): OtlpEnd {
  const end = serveHttp(async ({ target }) => {
    if (target === "/v1/traces") await before?.();
    return Response.json({});
  });
  const bodies = (path: string) =>
    end.requests.filter(({ target }) => target === path)
      .map(({ body }) => JSON.parse(body));
  return {
    env: {
      OTEL_DENO: "true",
      OTEL_EXPORTER_OTLP_ENDPOINT: new URL(end.url).origin,
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_METRIC_EXPORT_INTERVAL: "50",
      OTEL_BSP_SCHEDULE_DELAY: "50",
    },
    spans: () => bodies("/v1/traces").flatMap(spansOf),
    points: () => bodies("/v1/metrics").flatMap(pointsOf),
    [Symbol.asyncDispose]: () => stop(end),
  };
}

async function stop(end: HttpEnd): Promise<void> {
  await end[Symbol.asyncDispose]();
}

interface Attribute {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

function attributesOf(list: readonly Attribute[] = []) {
  return Object.fromEntries(
    list.map(({ key, value }) => [key, Object.values(value)[0]]),
  );
}

/** As much of `ExportTraceServiceRequest` as is looked at. */
interface Traces {
  readonly resourceSpans: readonly {
    readonly scopeSpans: readonly {
      readonly spans: readonly {
        readonly traceId: string;
        readonly spanId: string;
        readonly parentSpanId: string;
        readonly name: string;
        readonly attributes: readonly Attribute[];
        readonly status: { readonly code?: number };
      }[];
    }[];
  }[];
}

function spansOf({ resourceSpans }: Traces): SeenSpan[] {
  return resourceSpans.flatMap(({ scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map(({ attributes, status, ...span }) => ({
        ...span,
        attributes: attributesOf(attributes),
        failed: status.code === 2,
      }))
    )
  );
}

interface Point {
  readonly attributes: readonly Attribute[];
  readonly asDouble?: number;
  readonly asInt?: string;
  readonly count?: string;
}

/** As much of `ExportMetricsServiceRequest` as is looked at. */
interface Figures {
  readonly resourceMetrics: readonly {
    readonly scopeMetrics: readonly {
      readonly metrics: readonly (
        & { readonly name: string }
        & Partial<
          Record<
            "sum" | "gauge" | "histogram",
            { readonly dataPoints: readonly Point[] }
          >
        >
      )[];
    }[];
  }[];
}

function pointsOf({ resourceMetrics }: Figures): SeenPoint[] {
  return resourceMetrics.flatMap(({ scopeMetrics }) =>
    scopeMetrics.flatMap(({ metrics }) =>
      metrics.flatMap(({ name, sum, gauge, histogram }) =>
        ((sum ?? gauge ?? histogram)?.dataPoints ?? []).map((point) => ({
          name,
          attributes: attributesOf(point.attributes),
          value: Number(point.asDouble ?? point.asInt ?? point.count),
        }))
      )
    )
  );
}
