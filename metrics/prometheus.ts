/**
 * Figures as Prometheus reads them.
 *
 * @module
 */

import type { Counter, Gauge, Histogram } from "prom-client";
import {
  BUCKETS,
  type CounterName,
  COUNTERS,
  type Figure,
  type FigureSink,
  type GaugeName,
  type GaugeReader,
  GAUGES,
  type HistogramName,
  HISTOGRAMS,
  type Labels,
} from "./figures.ts";

/** Figures, and their text. */
export interface PrometheusSink extends FigureSink {
  /** The media type of the text. */
  readonly contentType: string;
  /**
   * All figures in the text format of Prometheus.
   *
   * @param read Tells the gauges.
   */
  text(read: GaugeReader): Promise<string>;
}

/** Loads what writes the text, and makes all figures. */
export async function newPrometheusSink(): Promise<PrometheusSink> {
  const prom = await import("prom-client");
  const registry = new prom.Registry();
  const registers = [registry];
  const make = <Name extends string, Made>(
    figures: Readonly<Record<Name, Figure>>,
    one: (options: {
      name: Name;
      help: string;
      labelNames: string[];
      registers: typeof registers;
    }) => Made,
  ) =>
    new Map(
      namesOf(figures).map((name) => {
        const { help, labels } = figures[name];
        return [name, one({ name, help, labelNames: [...labels], registers })];
      }),
    );
  const counters: Map<CounterName, Counter> = make(
    COUNTERS,
    (options) => new prom.Counter(options),
  );
  const histograms: Map<HistogramName, Histogram> = make(
    HISTOGRAMS,
    (options) => new prom.Histogram({ ...options, buckets: [...BUCKETS] }),
  );
  const gauges: Map<GaugeName, Gauge> = make(
    GAUGES,
    (options) => new prom.Gauge(options),
  );
  return {
    contentType: registry.contentType,
    add: (name: CounterName, labels: Labels, by = 1) =>
      counters.get(name)?.inc(labels, by),
    observe: (name: HistogramName, labels: Labels, seconds: number) =>
      histograms.get(name)?.observe(labels, seconds),
    text: (read) => {
      for (const [name, gauge] of gauges) {
        gauge.reset();
        // One without labels would say 0 where there is nothing to say.
        if (GAUGES[name].labels.length === 0) gauge.remove();
        for (const { labels, value } of read(name)) gauge.set(labels, value);
      }
      return registry.metrics();
    },
  };
}

function namesOf<Name extends string>(
  record: Readonly<Record<Name, unknown>>,
): Name[] {
  return Object.keys(record) as Name[];
}
