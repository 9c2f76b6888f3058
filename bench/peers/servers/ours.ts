/**
 * This package as a server of the benchmark.
 *
 * @module
 */

import {
  type AuthProvider,
  type Deliver,
  type Destination,
  newHTTPAuthProvider,
  newRelay,
  newStaticAuthProvider,
  serveSmtp,
} from "../../../mod.ts";
import { openMaildir } from "../../../delivery/maildir.ts";
import { serverConfig } from "../config.ts";

const config = serverConfig();
const { login } = config;

const provider: AuthProvider = config.authUrl === undefined
  ? newStaticAuthProvider({ [login.username]: login.password })
  : newHTTPAuthProvider(config.authUrl, { timeoutMs: 30_000 });

/** Where messages go. */
function destination(): Deliver | Destination {
  const { maildir, hopPort } = config;
  if (maildir !== undefined) return openMaildir(maildir, "mx");
  if (hopPort === undefined) return discard;
  return newRelay({ url: `smtp://127.0.0.1:${hopPort}` });
}

const discard: Deliver = async ({ body }) => {
  const reader = body.getReader();
  while (!(await reader.read()).done);
};

/** A free port that is not this one, which is free as well. */
function otherPort(port: number): number {
  const hostname = "127.0.0.1";
  using _taken = Deno.listen({ hostname, port });
  using other = Deno.listen({ hostname, port: 0 });
  return other.addr.port;
}

const { port } = config;
const implicit = config.encryption === "implicit";
serveSmtp({
  provider,
  ...(implicit ? { port: otherPort(port), tlsPort: port } : { port }),
  ...(config.encryption === "none" ? {} : config.certificate),
}, destination());
