/**
 * Reading command lines without a process.
 *
 * @module
 */

import { readInvocation } from "../../command/invocation.ts";
import type { Settings } from "../../command/settings.ts";
import { UsageError } from "../../command/values.ts";
import { assertThrows } from "./assert.ts";

/** Variables, and files by path. */
export interface Given {
  readonly env?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
}

/** What the command would do; its files are these. */
export function settings(args: readonly string[], given: Given = {}): Settings {
  const { env = {}, files = {} } = given;
  const invocation = readInvocation(args, () => env, (path) => {
    const content = files[path];
    if (content === undefined) {
      throw new Error(
        `No such file or directory (os error 2): readfile '${path}'`,
      );
    }
    return typeof content === "string"
      ? new TextEncoder().encode(content)
      : content;
  });
  if (invocation.kind !== "serve") throw new Error(invocation.kind);
  return invocation.settings;
}

/** What it says is wrong. */
export function complaint(args: readonly string[], given: Given = {}): string {
  return assertThrows(() => settings(args, given), UsageError).message;
}

/** A certificate and its key. */
export const PEM: readonly string[] = [
  "--tls-cert",
  "a.pem",
  "--tls-key",
  "b.pem",
];
/** Somebody to ask about logins. */
export const ENDPOINT: readonly string[] = ["--auth-url", "http://a.example/"];
