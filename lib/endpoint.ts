/**
 * Where an HTTP endpoint may be.
 *
 * @module
 */

import { bareHost, isLoopback } from "./addresses.ts";
import { blockedPort } from "./blocked_ports.ts";
import type { Rule } from "./options.ts";

/**
 * The URL of an endpoint. An error does not repeat it: it may hold the very
 * credentials that it must not have.
 */
export const anEndpoint: Rule = {
  is:
    "an http: or https: URL without credentials and without a port that fetch blocks",
  test: (value) => {
    const url = value instanceof URL
      ? value
      : typeof value === "string"
      ? URL.parse(value)
      : null;
    return url !== null && /^https?:$/.test(url.protocol) &&
      url.username === "" && url.password === "" &&
      blockedPort(url) === undefined;
  },
};

/** Whether what goes to a URL can be read by nobody on the way. */
export function isPrivateWay({ protocol, hostname }: URL): boolean {
  if (protocol !== "http:") return protocol === "https:";
  return hostname === "localhost" || isLoopback(bareHost(hostname));
}
