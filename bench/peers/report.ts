/**
 * The table, for people and for READMEs.
 *
 * @module
 */

import { FLOOR, OURS, PEER } from "./contenders.ts";
import type { Result } from "./rounds.ts";

const HEAD = [
  "work",
  "server",
  "CPU ms per 1,000",
  "figure",
  "a second",
  "p50 ms",
  "p99 ms",
  "MiB",
  "× serveSmtp()",
  "× smtp-server on Node",
  "× floor",
  "errors",
];

/** The main figure of a result. */
export function figureOf(result: Result): number {
  const { cpuMs, mbPerSecond, p99, idleKiB, startMs } = result;
  switch (result.figure) {
    case "cpu":
      return cpuMs ?? NaN;
    case "bulk":
      return mbPerSecond ?? NaN;
    case "p99":
      return p99 ?? NaN;
    case "memory":
      return idleKiB ?? NaN;
    case "start":
      return startMs ?? NaN;
  }
}

/** How a result compares with another one's: 2 is twice the cost. */
export function costRatio(result: Result, other: Result | undefined): number {
  if (other === undefined) return NaN;
  const ratio = figureOf(result) / figureOf(other);
  return result.figure === "bulk" ? 1 / ratio : ratio;
}

/** The results of one work as rows of a Markdown table. */
export function table(results: readonly Result[]): string {
  const peer = results.find(({ server }) => server === PEER);
  const ours = results.find(({ server }) => server === OURS);
  const floor = results.find(({ server }) => server === FLOOR);
  return results.map((result) => {
    const { title, server, cpuMs, p50, p99, errors } = result;
    return row([
      title,
      server,
      number(cpuMs),
      figureText(result),
      rateText(result),
      number(p50),
      number(p99),
      number(result.memoryMiB),
      ratioText(costRatio(result, ours)),
      ratioText(costRatio(result, peer)),
      ratioText(costRatio(result, floor)),
      errors === 0 ? "0" : `${errors} (${result.error ?? "unknown"})`,
    ]);
  }).join("\n");
}

/** The table's head. */
export function tableHead(): string {
  const line = HEAD.map((_, i) => i < 2 ? "---" : "---:");
  return `${row(HEAD)}\n${row(line)}`;
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

function figureText(result: Result): string {
  const units = {
    cpu: "ms",
    bulk: "MB/s",
    p99: "ms p99",
    memory: "KiB",
    start: "ms",
  };
  return `${number(figureOf(result))} ${units[result.figure]}`;
}

/** Pieces a second, and behind a plus what was done beside them. */
function rateText({ perSecond, besidePerSecond }: Result): string {
  const beside = number(besidePerSecond);
  return beside === "" ? number(perSecond) : `${number(perSecond)} + ${beside}`;
}

function number(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return "";
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return value.toLocaleString("en", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

function ratioText(ratio: number): string {
  return Number.isNaN(ratio) ? "" : ratio.toFixed(2);
}
