/**
 * Proxies that the environment names, `HTTP_PROXY` and its like: `fetch` heeds
 * them, and a password must not go where nobody has sent it.
 *
 * @module
 */

import { bareHost, isLoopback } from "../lib/addresses.ts";
import { isIn, parseIp, parseNetwork } from "../lib/ip.ts";

/** A variable's value in the environment; `undefined` if it is not set. */
export type Variable = (name: string) => string | undefined;

/** Which variables name a proxy for a protocol; the first that is set counts. */
const PROXY_VARIABLES: Readonly<Record<string, readonly string[]>> = {
  "http:": ["ALL_PROXY", "all_proxy", "HTTP_PROXY", "http_proxy"],
  // Deno takes the small http_proxy for both.
  "https:": [
    ...["ALL_PROXY", "all_proxy", "HTTPS_PROXY", "https_proxy"],
    "http_proxy",
  ],
};

/** What never goes to a proxy. */
const OWN_MACHINE = "127.0.0.0/8,::1,localhost";

/** All variables that matter here. */
export const PROXY_NAMES: readonly string[] = [
  ...new Set(Object.values(PROXY_VARIABLES).flat()),
  "NO_PROXY",
  "no_proxy",
];

/** Whether a host is the machine itself: an address of its own, or `localhost`. */
export function isOwnMachine({ hostname }: URL): boolean {
  const name = hostname.replace(/\.$/, "");
  return name === "localhost" || name.endsWith(".localhost") ||
    isLoopback(bareHost(name));
}

/** What `NO_PROXY` must be to keep requests to the machine itself from proxies. */
export function noProxyForOwnMachine(variable: Variable): string {
  const given = noProxy(variable);
  return given === "" ? OWN_MACHINE : `${OWN_MACHINE},${given}`;
}

/**
 * The variable that names a proxy for requests to a URL.
 *
 * @returns `undefined` if none does, or `NO_PROXY` spares the host.
 */
export function proxyVariableFor(
  url: URL,
  variable: Variable,
): string | undefined {
  if (isSpared(bareHost(url.hostname), noProxy(variable))) return undefined;
  return PROXY_VARIABLES[url.protocol]?.find((name) =>
    (variable(name) ?? "") !== ""
  );
}

function noProxy(variable: Variable): string {
  return variable("NO_PROXY") ?? variable("no_proxy") ?? "";
}

/** Whether a list of addresses, networks and domains has a host. */
function isSpared(host: string, list: string): boolean {
  const ip = parseIp(host);
  return list.split(",").map((each) => each.trim()).some((each) => {
    if (ip !== undefined) {
      const network = parseNetwork(each);
      return network !== undefined && isIn(ip, network);
    }
    const domain = each.replace(/^\./, "");
    return each === "*" ||
      domain !== "" && (host === domain || host.endsWith(`.${domain}`));
  });
}
