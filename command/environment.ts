/**
 * The environment: which variables it gives, and what it must not have.
 *
 * @module
 */

import { systemReason } from "../lib/error_text.ts";
import {
  FLAG_NAMES,
  type FlagName,
  FLAGS,
  PREFIX,
  variableOf,
} from "./flags/table.ts";
import { didYouMean } from "./near_miss.ts";
import { type Given, UsageError } from "./values.ts";

/** Variables by name. */
export type Variables = Readonly<Record<string, string>>;

/** What behind a variable's name says that it names a file with the value. */
const FILE = "_FILE";

/**
 * Checks the names of all variables of ours.
 *
 * @param variables The environment; other programs' variables are passed over.
 * @param readFile Reads the octets of a file.
 * @returns What looks the value of a setting up. It throws if a file can't be
 * read or has no value.
 * @throws {UsageError} If there is one that nobody knows, an empty one, or a
 * value both in a variable and in a file.
 */
export function newEnvironment(
  variables: Variables,
  readFile: (path: string) => Uint8Array,
): (name: FlagName) => Given | undefined {
  for (const [name, value] of Object.entries(variables)) {
    if (!name.startsWith(PREFIX)) continue;
    if (!VARIABLES.includes(name)) {
      const hint = didYouMean(name, VARIABLES);
      throw new UsageError(`unknown variable ${printable(name)}: ${hint}`);
    }
    if (value === "") {
      throw new UsageError(`${name} is empty: give it a value or unset it`);
    }
    if (Object.hasOwn(variables, name + FILE)) {
      throw new UsageError(`there must be one of ${name} and ${name}${FILE}`);
    }
  }
  return (name) => {
    const source = variableOf(name);
    const secret = FLAGS[name].secret === true;
    const value = variables[source];
    if (value !== undefined) return { source, value, secret };
    const path = variables[source + FILE];
    return path === undefined
      ? undefined
      : fromFile(source + FILE, path, readFile);
  };
}

/** Every variable that there can be. */
export const VARIABLES: readonly string[] = FLAG_NAMES.map(variableOf)
  .flatMap((name) => [name, name + FILE]);

function fromFile(
  source: string,
  path: string,
  readFile: (path: string) => Uint8Array,
): Given {
  const octets = read(source, path, readFile);
  let content: string;
  try {
    content = new TextDecoder("utf-8", { fatal: true }).decode(octets);
  } catch {
    throw new UsageError(`${source}: ${path} is not UTF-8`);
  }
  const [value = ""] = content.split(/\r?\n/, 1);
  if (value === "") {
    throw new UsageError(`${source}: the first line of ${path} is empty`);
  }
  // Whatever it is, the file may be another one than was meant.
  return { source, value, secret: true };
}

function read(
  source: string,
  path: string,
  readFile: (path: string) => Uint8Array,
): Uint8Array {
  try {
    return readFile(path);
  } catch (cause) {
    throw new Error(`cannot read ${source} ${path}: ${systemReason(cause)}`, {
      cause,
    });
  }
}

/** A name that nobody knows may have anything in it. */
function printable(name: string): string {
  return name.replaceAll(/[^\x21-\x7e]/g, "?").slice(0, 64);
}
