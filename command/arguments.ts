/**
 * The command line: which flags it gives, and what it asks for besides.
 *
 * @module
 */

import * as std from "@std/cli/parse-args";
import {
  FLAG_NAMES,
  type FlagName,
  flagOf,
  FLAGS,
  isSwitch,
} from "./flags/table.ts";
import { didYouMean } from "./near_miss.ts";
import { type Given, onOff, UsageError } from "./values.ts";

// The npm build of @std/cli has no type declarations: this is the one used.
const parseArgs: (args: readonly string[], options: {
  readonly string: readonly string[];
  readonly boolean: readonly string[];
  readonly negatable: readonly string[];
  readonly default: Readonly<Record<string, undefined>>;
  readonly unknown: (arg: string, key?: string) => boolean;
}) => Record<string, unknown> = std.parseArgs;

/** Flags that are no settings: what to do instead of serving. */
const REQUESTS = ["help", "version", "hash-password", "check"] as const;

/** The one that is about somebody: it has a value. */
const UNTHROTTLE = "unthrottle";

/** What the command line says. */
export interface Arguments {
  /** What to do; `serve` if nothing else is asked for. */
  readonly request: typeof REQUESTS[number] | typeof UNTHROTTLE | "serve";
  /** Whom `--unthrottle` is about. */
  readonly user?: string;
  /** The flags that are given. */
  readonly given: ReadonlyMap<FlagName, Given>;
}

/**
 * Reads the command line.
 *
 * @throws {UsageError} If it has what is no flag, or a flag without a value.
 */
export function readArguments(args: readonly string[]): Arguments {
  const parsed = parse(args);
  const given = new Map<FlagName, Given>();
  for (const [name, key] of KEYS) {
    const value = parsed[key];
    if (value === undefined) continue;
    const bare = args.includes(`--${key}`) ? FLAGS[name].bare : undefined;
    const word = typeof value === "boolean"
      ? (value ? "on" : "off")
      : value === ""
      ? bare
      : value;
    if (word === undefined) throw new UsageError(`--${key} needs a value`);
    given.set(name, {
      source: `--${key}`,
      value: String(word),
      secret: false,
    });
  }
  const request = REQUESTS.find((each) => parsed[each] === true);
  const user = parsed[UNTHROTTLE];
  if (request === undefined && user !== undefined) {
    if (user === "") throw new UsageError("--unthrottle needs a user name");
    return { request: UNTHROTTLE, user: String(user), given };
  }
  return { request: request ?? "serve", given };
}

/** The settings that have a flag, each with its flag less the dashes. */
const KEYS: readonly (readonly [FlagName, string])[] = FLAG_NAMES
  .flatMap((name) => {
    const flag = flagOf(name);
    return flag === undefined ? [] : [[name, flag.slice(2)]];
  });

const SWITCHES: readonly string[] = KEYS
  .flatMap(([name, key]) => isSwitch(name) ? [key] : []);

const OTHERS: readonly string[] = KEYS
  .flatMap(([name, key]) => isSwitch(name) ? [] : [key]);

function parse(args: readonly string[]): Record<string, unknown> {
  checkValuesBehindFlags(args);
  const parsed = parseArgs(args.map(spelledOut), {
    string: [...OTHERS, UNTHROTTLE],
    boolean: [...SWITCHES, ...REQUESTS],
    negatable: SWITCHES,
    // Tells a switch that is off from one that is not there.
    default: Object.fromEntries(SWITCHES.map((key) => [key, undefined])),
    unknown: (arg, key) => {
      if (key === undefined || !arg.startsWith("--")) throw unexpected();
      // What is unknown may be a secret that has lost its way: name it only.
      const hint = didYouMean(`--${key}`, ALL_FLAGS);
      throw new UsageError(`unknown flag --${key}: ${hint}`);
    },
  });
  // The parser does not ask about what stands behind "--".
  const { _: rest } = parsed;
  if (Array.isArray(rest) && rest.length > 0) throw unexpected();
  return parsed;
}

const ALL_FLAGS: readonly string[] = [
  ...SWITCHES,
  ...OTHERS,
  ...REQUESTS,
  UNTHROTTLE,
].map((key) => `--${key}`);

function unexpected(): UsageError {
  return new UsageError(
    "unexpected argument: everything is a flag, see --help",
  );
}

/**
 * What looks like the value of the flag before it and is none: the word behind
 * a switch, and what begins with a dash. It may be a secret: only the flag is
 * named.
 */
function checkValuesBehindFlags(args: readonly string[]): void {
  for (const [i, arg] of args.entries()) {
    if (arg === "--") return;
    const next = args[i + 1];
    if (!arg.startsWith("--") || next === undefined || next.startsWith("--")) {
      continue;
    }
    const key = arg.slice(2);
    if (SWITCHES.includes(key)) {
      throw new UsageError(`${arg} takes on or off behind a =: ${arg}=off`);
    }
    if (REQUESTS.some((request) => request === key)) throw noValue(key);
    if (OTHERS.includes(key) && /^-./.test(next)) {
      throw new UsageError(
        `${arg} needs a value; one that begins with - stands behind a =: ${arg}=…`,
      );
    }
  }
}

function noValue(key: string): UsageError {
  return new UsageError(`--${key} takes no value`);
}

/** `--switch=word`, which the parser would take for "on" whatever the word. */
function spelledOut(arg: string): string {
  const [, no = "", key = "", word = ""] =
    /^--(no-)?([a-z-]+)=(.*)$/s.exec(arg) ?? [];
  // A password behind --hash-password would go unread, and stay in `ps`.
  if (no === "" && REQUESTS.some((each) => each === key)) throw noValue(key);
  if (!SWITCHES.includes(key)) return arg;
  if (no !== "") throw noValue(`no-${key}`);
  const on = onOff({ source: `--${key}`, value: word, secret: false });
  return on ? `--${key}` : `--no-${key}`;
}
