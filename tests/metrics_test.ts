import * as front from "../metrics.ts";
import { COUNTERS, GAUGES, HISTOGRAMS } from "../metrics/figures.ts";
import { assert, assertEquals } from "./support/assert.ts";

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

const FIGURES: ReadonlySet<string> = new Set([
  ...Object.keys(COUNTERS),
  ...Object.keys(GAUGES),
  ...Object.keys(HISTOGRAMS).flatMap((name) => [
    `${name}_bucket`,
    `${name}_sum`,
    `${name}_count`,
  ]),
]);

function read(path: string): Promise<string> {
  return Deno.readTextFile(new URL(`../${path}`, import.meta.url));
}

Deno.test("alerts and dashboard ask for figures that there are", async () => {
  for (
    const path of [
      "contrib/prometheus-alerts.yml",
      "contrib/grafana-dashboard.json",
    ]
  ) {
    const names = (await read(path)).match(/\bsmtpauth_\w+/g) ?? [];
    assert(names.length > 5, path);
    assertEquals(names.filter((name) => !FIGURES.has(name)), [], path);
  }
});

Deno.test("the picture of the dashboard has its panels", async () => {
  const { panels } = JSON.parse(await read("contrib/grafana-dashboard.json"));
  const picture = await read("docs/dashboard.svg");
  const titles = [...picture.matchAll(/class="t">([^<]*)</g)]
    .map(([, title]) => title);
  assertEquals(
    titles,
    panels.map(({ title }: { readonly title: string }) => title),
  );
});
