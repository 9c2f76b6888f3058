/**
 * Command line and environment become what to do, or one line that says what
 * is wrong.
 *
 * @module
 */

import { readArguments } from "./arguments.ts";
import { checkConsistency, checkShared } from "./consistency.ts";
import { newEnvironment, type Variables } from "./environment.ts";
import { FLAG_NAMES, type FlagName, FLAGS } from "./flags/table.ts";
import type { Settings } from "./settings.ts";
import type { Given } from "./values.ts";

/** What the command is asked for. */
export type Invocation =
  | { readonly kind: "help" }
  | { readonly kind: "version" }
  | { readonly kind: "hash-password" }
  | { readonly kind: "check"; readonly settings: Settings }
  | {
    readonly kind: "unthrottle";
    readonly user: string;
    readonly settings: Settings;
  }
  | { readonly kind: "serve"; readonly settings: Settings };

/** What stays where a setting that is read again is not good. */
export interface Kept {
  /** What has been in use until now. */
  readonly settings: Settings;
  /** Told what is wrong with each setting that stays. */
  readonly report: (error: unknown) => void;
}

/**
 * Settings that mean something only together: a name and the secret that goes
 * with it. If one of them stays, the other does, too.
 */
const TOGETHER: readonly (readonly FlagName[])[] = [
  ["user", "pass"],
  ["oauthClientId", "oauthClientSecret"],
  ["relayUser", "relayPass"],
  ["relayOauthClientId", "relayOauthClientSecret"],
];

/**
 * Reads the command line and the environment; a flag wins over a variable.
 *
 * What it says about a mistake names the flag and what is accepted. It repeats
 * no value that may hold a secret, such as a URL in the wrong place.
 *
 * @param args The arguments.
 * @param variables The environment; called only when it is needed.
 * @param readFile Reads the octets of a file that a variable names.
 * @param kept What each setting is that is not good; without it, one that is
 * not good is an error.
 * @throws {UsageError} If something is wrong with them.
 * @throws {Error} If a file can't be read.
 */
export function readInvocation(
  args: readonly string[],
  variables: () => Variables,
  readFile: (path: string) => Uint8Array,
  kept?: Kept,
): Invocation {
  const { request, user = "", given: flags } = readArguments(args);
  switch (request) {
    case "help":
    case "version":
    case "hash-password":
      return { kind: request };
  }
  const environment = newEnvironment(variables(), readFile);
  const given = new Map<FlagName, Given>();
  const settings = readSettings((name) => {
    const found = flags.get(name) ?? environment(name);
    if (found !== undefined) given.set(name, found);
    return found;
  }, kept);
  checkConsistency(settings, (name) => given.get(name)?.source);
  if (request !== "unthrottle") return { kind: request, settings };
  checkShared(settings);
  return { kind: request, user, settings };
}

function readSettings(
  find: (name: FlagName) => Given | undefined,
  kept: Kept | undefined,
): Settings {
  const settings: Partial<Settings> = {};
  const bad: FlagName[] = [];
  for (const name of FLAG_NAMES) {
    try {
      set(settings, name, find(name));
    } catch (error) {
      if (kept === undefined) throw error;
      kept.report(error);
      bad.push(name);
    }
  }
  if (kept !== undefined) {
    for (const name of bad.flatMap(togetherWith)) {
      keep(settings, name, kept.settings);
    }
  }
  if (isWhole(settings)) return settings;
  throw new TypeError("the table of flags has a row too few");
}

function togetherWith(name: FlagName): readonly FlagName[] {
  return TOGETHER.find((names) => names.includes(name)) ?? [name];
}

function keep<N extends FlagName>(
  settings: { -readonly [Name in FlagName]?: Settings[Name] },
  name: N,
  before: Settings,
): void {
  settings[name] = before[name];
}

/** A function of its own, so that name, row and member are of one type. */
function set<N extends FlagName>(
  settings: { -readonly [Name in FlagName]?: Settings[Name] },
  name: N,
  given: Given | undefined,
): void {
  const { read, byDefault }: {
    read: (given: Given) => Settings[N];
    byDefault: Settings[N];
  } = FLAGS[name];
  settings[name] = given === undefined ? byDefault : read(given);
}

function isWhole(settings: Partial<Settings>): settings is Settings {
  return FLAG_NAMES.every((name) => name in settings);
}
