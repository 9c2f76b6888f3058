/**
 * The plot of a run: CPU per AUTH session, as bars.
 *
 * @module
 */

import { COMMAND, OURS } from "./contenders.ts";
import { figureOf } from "./report.ts";
import type { Result } from "./rounds.ts";

const WIDTH = 720;
const LABELS = 250;
const BAR = 26;
const ROW = 38;
const TOP = 74;
const BOTTOM = 34;

/** Room behind the longest bar for its number. */
const NUMBERS = 90;

/** An SVG with a bar for each result, the cheapest on top. */
export function plot(
  results: readonly Result[],
  heading: string,
  caption: string,
): string {
  const bars = results.toSorted((a, b) => figureOf(a) - figureOf(b));
  const most = Math.max(...bars.map(figureOf));
  const scale = (WIDTH - LABELS - NUMBERS) / most;
  const height = TOP + bars.length * ROW + BOTTOM;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${
      escaped(heading)
    }" font-family="system-ui, sans-serif" font-size="14">`,
    `  <style>`,
    `    text { fill: #1f2328 } .note { fill: #59636e } .others { fill: #8c959f } .ours { fill: #1a7f64 }`,
    `    @media (prefers-color-scheme: dark) { text { fill: #f0f6fc } .note { fill: #9198a1 } .others { fill: #656c76 } .ours { fill: #3fb68e } }`,
    `  </style>`,
    `  <text x="16" y="30" font-size="18" font-weight="600">${
      escaped(heading)
    }</text>`,
    `  <text x="16" y="52" class="note">${escaped(caption)}</text>`,
    ...bars.flatMap((result, i) => bar(result, TOP + i * ROW, scale)),
    `</svg>`,
    ``,
  ].join("\n");
}

function bar(result: Result, y: number, scale: number): string[] {
  const figure = figureOf(result);
  const width = (figure * scale).toFixed(1);
  const ours = [OURS, COMMAND].includes(result.server);
  const middle = y + BAR / 2 + 5;
  const weight = ours ? ` font-weight="600"` : "";
  return [
    `  <text x="${LABELS - 12}" y="${middle}" text-anchor="end"${weight}>${
      escaped(result.server)
    }</text>`,
    `  <rect x="${LABELS}" y="${y}" width="${width}" height="${BAR}" rx="3" class="${
      ours ? "ours" : "others"
    }"/>`,
    `  <text x="${
      (LABELS + figure * scale + 8).toFixed(1)
    }" y="${middle}"${weight}>${Math.round(figure)} µs</text>`,
  ];
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;")
    .replaceAll('"', "&quot;");
}
