/**
 * The endpoint of the command: its connections, and what an operator should
 * know about the way there before passwords take it.
 *
 * @module
 */

import {
  type HttpConnections,
  newHttpConnections,
} from "../net/http_connections.ts";
import { systemReason } from "../lib/error_text.ts";
import type { LogEntry } from "./log.ts";
import {
  isOwnMachine,
  noProxyForOwnMachine,
  PROXY_NAMES,
  proxyVariableFor,
  type Variable,
} from "../net/proxy_env.ts";
import { readText } from "./text_file.ts";

/**
 * Opens what carries the questions to the endpoint. No proxy of the environment
 * gets to see one for the machine itself.
 *
 * @param url The endpoint.
 * @param caFile The PEM file of a private authority, if there is one.
 * @param log Is told what may be wrong with the way.
 * @throws {Error} If the file can't be used, or the environment not be changed.
 */
export function openEndpoint(
  url: string,
  caFile: string | undefined,
  log: (entry: LogEntry) => void,
): HttpConnections {
  const endpoint = new URL(url);
  watchWay(endpoint, LOGINS, log);
  if (caFile === undefined) return newHttpConnections(endpoint);
  const caCerts = [readAuthority("--auth-ca", caFile)];
  try {
    return newHttpConnections(endpoint, { caCerts });
  } catch (cause) {
    throw unusable("--auth-ca", caFile, cause);
  }
}

/** What goes to an endpoint, in the words of a warning. */
export interface Goods {
  readonly flag: string;
  readonly cross: string;
  readonly go: string;
}

const LOGINS: Goods = {
  flag: "--auth-url",
  cross: "passwords cross",
  go: "logins go",
};

/** What goes to `--deliver-url`. */
export const MAIL: Goods = {
  flag: "--deliver-url",
  cross: "mail crosses",
  go: "mail goes",
};

/**
 * Keeps proxies away from what stays on the machine, and says what may be wrong
 * with the way to an endpoint elsewhere.
 *
 * @throws {Error} If the environment can't be changed.
 */
export function watchWay(
  url: URL,
  goods: Goods,
  log: (entry: LogEntry) => void,
): void {
  keepFromProxies();
  const warnings = wayWarnings(url, (name) => Deno.env.get(name), goods);
  for (const message of warnings) log({ level: "warn", message, fields: {} });
}

/** What an operator should know about the way to an endpoint. */
export function wayWarnings(
  url: URL,
  variable: Variable,
  { flag, cross, go }: Goods = LOGINS,
): string[] {
  if (isOwnMachine(url)) return [];
  const warnings: string[] = [];
  if (url.protocol === "http:") {
    warnings.push(
      `${cross} the network in plain text to ${url.host} (${flag} is http:)`,
    );
  }
  const proxy = proxyVariableFor(url, variable);
  if (proxy !== undefined) {
    warnings.push(
      `${go} to ${url.host} through the proxy that ${proxy} names (NO_PROXY spares hosts)`,
    );
  }
  return warnings;
}

/**
 * The variable that names a proxy on the way to an endpoint, if one does.
 *
 * @throws {Error} If the environment can't be seen.
 */
export function proxyOnTheWay(url: URL): string | undefined {
  mustSeeProxies();
  if (isOwnMachine(url)) return undefined;
  return proxyVariableFor(url, (name) => Deno.env.get(name));
}

/** Only who may see and change the environment can keep proxies out. */
function keepFromProxies(): void {
  mustSeeProxies();
  const value = noProxyForOwnMachine((name) => Deno.env.get(name));
  Deno.env.set("NO_PROXY", value);
}

function mustSeeProxies(): void {
  for (const variable of PROXY_NAMES) {
    const { state } = Deno.permissions.querySync({ name: "env", variable });
    if (state === "granted") continue;
    throw new Error(
      `cannot keep requests from proxies: --allow-env must have ${PROXY_NAMES}`,
    );
  }
}

/**
 * Reads the certificate of a private authority. Deno itself passes over what is
 * none.
 *
 * @param flag Which flag names the file.
 * @throws {Error} If it can't be used: which, and why.
 */
export function readAuthority(flag: string, path: string): string {
  try {
    const pem = readText(path);
    if (pem.includes("-----BEGIN CERTIFICATE-----")) return pem;
    throw new Error("there is no certificate in it");
  } catch (cause) {
    throw unusable(flag, path, cause);
  }
}

function unusable(flag: string, path: string, cause: unknown): Error {
  const reason = systemReason(cause);
  return new Error(`cannot use ${flag} ${path}: ${reason}`, { cause });
}
