import * as front from "../metrics.ts";
import { COUNTERS, GAUGES, HISTOGRAMS } from "../metrics/figures.ts";
import { assertEquals } from "./support/assert.ts";

Deno.test("metrics.ts exports this value, and no other", () => {
  assertEquals(Object.keys(front), ["newMetrics"]);
});

Deno.test("docs/monitoring.md lists every figure, with what divides it", async () => {
  const page = await Deno.readTextFile(
    new URL("../docs/monitoring.md", import.meta.url),
  );
  const rows = [...page.matchAll(
    /^\| `(smtpauth_\w+)` +\| (\w+) +\| ([^|]*)\|/gm,
  )].map(([, name, kind, labels = ""]) => [
    name,
    kind,
    [...labels.replace(/:.*/, "").matchAll(/`(\w+)`/g)].map(([, label]) =>
      label
    ),
  ]);
  const expected = [
    ...Object.entries(COUNTERS).map(([name, { labels }]) => [
      name,
      "counter",
      labels,
    ]),
    ...Object.entries(HISTOGRAMS).map(([name, { labels }]) => [
      name,
      "histogram",
      labels,
    ]),
    ...Object.entries(GAUGES).map(([name, { labels }]) => [
      name,
      "gauge",
      labels,
    ]),
  ];
  assertEquals<unknown>(rows, expected);
});
