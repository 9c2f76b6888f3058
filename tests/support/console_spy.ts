/**
 * What is written to the console during a test.
 *
 * @module
 */

const METHODS = [
  "debug",
  "log",
  "info",
  "warn",
  "error",
  "trace",
  "dir",
] as const;

/** The console, silenced and recorded until disposed. */
export interface ConsoleSpy extends Disposable {
  /** Everything written, one call a line. */
  readonly text: () => string;
}

/** Puts a recorder in place of the console's methods. */
export function spyOnConsole(): ConsoleSpy {
  const lines: string[] = [];
  const originals = METHODS.map((method) => [method, console[method]] as const);
  for (const method of METHODS) {
    console[method] = (...values: unknown[]) => {
      lines.push(values.map((value) => Deno.inspect(value)).join(" "));
    };
  }
  return {
    text: () => lines.join("\n"),
    [Symbol.dispose]: () => {
      for (const [method, original] of originals) console[method] = original;
    },
  };
}
