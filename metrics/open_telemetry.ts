/**
 * Deno's own OpenTelemetry, without any package: it is there where the process
 * was started with `OTEL_DENO=true`.
 *
 * @module
 */

import {
  BUCKETS,
  COUNTERS,
  type Figure,
  type FigureSink,
  GAUGES,
  HISTOGRAMS,
  type Labels,
} from "./figures.ts";

/** What a span says of itself. */
export type Attributes = Readonly<Record<string, string | number | boolean>>;

/** A piece of work that takes time. */
export interface Span {
  /** Says more about it. */
  setAttributes(attributes: Attributes): void;
  /** Says that it came to nothing (2), in words without names. */
  setStatus(status: { readonly code: 2; readonly message: string }): void;
  /** It is over. */
  end(): void;
}

/** Begins spans. */
export interface Tracer {
  /** Begins one, and what `work` begins is part of it. */
  startActiveSpan<T>(
    name: string,
    options: { readonly kind: number; readonly attributes?: Attributes },
    work: (span: Span) => T,
  ): T;
}

/** As much of a meter as is used (OpenTelemetry metrics API). */
interface Meter {
  createCounter(name: string, options: object): {
    add(value: number, labels: Labels): void;
  };
  createHistogram(name: string, options: object): {
    record(value: number, labels: Labels): void;
  };
  createGauge(name: string, options: object): {
    record(value: number, labels: Labels): void;
  };
}

/** As much of Deno's OpenTelemetry as is used. */
interface Providers {
  readonly meterProvider: {
    getMeter(name: string, version: string): Meter;
  };
  readonly tracerProvider: {
    getTracer(name: string, version: string): Tracer;
  };
}

/** What goes out by OpenTelemetry. */
export interface OpenTelemetry extends FigureSink {
  /** Begins spans. */
  readonly tracer: Tracer;
}

const NAME = "@meowmail/smtpauth";

/**
 * Finds Deno's OpenTelemetry.
 *
 * @param version What runs here.
 * @param from Where it is.
 * @returns Nothing where the process was not started with it.
 */
export function findOpenTelemetry(
  version: string,
  from: Providers = Deno.telemetry,
): OpenTelemetry | undefined {
  let meter: Meter;
  try {
    meter = from.meterProvider.getMeter(NAME, version);
  } catch {
    // "otel not initialized": there is no other way to ask.
    return undefined;
  }
  const counters = made(
    COUNTERS,
    (name, options) => meter.createCounter(name, options),
  );
  const histograms = made(
    HISTOGRAMS,
    (name, options) =>
      meter.createHistogram(name, {
        ...options,
        unit: "s",
        advice: { explicitBucketBoundaries: [...BUCKETS] },
      }),
  );
  // Not observable ones: those are asked about while the process ends, too.
  const gauges = made(
    GAUGES,
    (name, options) => meter.createGauge(name, options),
  );
  return {
    tracer: from.tracerProvider.getTracer(NAME, version),
    add: (name, labels, by = 1) => counters[name].add(by, labels),
    observe: (name, labels, seconds) =>
      histograms[name].record(seconds, labels),
    set: (name, labels, value) => gauges[name].record(value, labels),
  };
}

/** Makes an instrument of each figure. */
function made<Name extends string, Instrument>(
  figures: Readonly<Record<Name, Figure>>,
  make: (name: Name, options: { readonly description: string }) => Instrument,
): Record<Name, Instrument> {
  const entries = Object.entries<Figure>(figures)
    .map((
      [name, { help }],
    ) => [name, make(name as Name, { description: help })]);
  return Object.fromEntries(entries);
}
