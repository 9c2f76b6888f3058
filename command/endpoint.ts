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
  keepFromProxies();
  const warnings = wayWarnings(endpoint, (name) => Deno.env.get(name));
  for (const message of warnings) log({ level: "warn", message, fields: {} });
  if (caFile === undefined) return newHttpConnections(endpoint);
  try {
    return newHttpConnections(endpoint, { caCerts: [readAuthority(caFile)] });
  } catch (cause) {
    const reason = systemReason(cause);
    throw new Error(`cannot use --auth-ca ${caFile}: ${reason}`, { cause });
  }
}

/** What an operator should know about the way to an endpoint. */
export function wayWarnings(url: URL, variable: Variable): string[] {
  if (isOwnMachine(url)) return [];
  const warnings: string[] = [];
  if (url.protocol === "http:") {
    warnings.push(
      `passwords cross the network in plain text to ${url.host} (--auth-url is http:)`,
    );
  }
  const proxy = proxyVariableFor(url, variable);
  if (proxy !== undefined) {
    warnings.push(
      `logins go to ${url.host} through the proxy that ${proxy} names (NO_PROXY spares hosts)`,
    );
  }
  return warnings;
}

/** Only who may see and change the environment can keep proxies out. */
function keepFromProxies(): void {
  for (const variable of PROXY_NAMES) {
    const { state } = Deno.permissions.querySync({ name: "env", variable });
    if (state === "granted") continue;
    throw new Error(
      `cannot keep logins from proxies: --allow-env must have ${PROXY_NAMES}`,
    );
  }
  const value = noProxyForOwnMachine((name) => Deno.env.get(name));
  Deno.env.set("NO_PROXY", value);
}

/** Deno itself passes over what is no certificate. */
function readAuthority(path: string): string {
  const pem = Deno.readTextFileSync(path);
  if (pem.includes("-----BEGIN CERTIFICATE-----")) return pem;
  throw new Error("there is no certificate in it");
}
