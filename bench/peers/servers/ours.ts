/**
 * This package as a server of the benchmark.
 *
 * @module
 */

import {
  type AuthProvider,
  type Deliver,
  newHTTPAuthProvider,
  newStaticAuthProvider,
  serveSmtp,
} from "../../../mod.ts";
import { openMaildir } from "../../../smtp/maildir.ts";
import { serverConfig } from "../config.ts";

const config = serverConfig();
const { login } = config;

const provider: AuthProvider = config.authUrl === undefined
  ? newStaticAuthProvider({ [login.username]: login.password })
  : newHTTPAuthProvider(config.authUrl, { timeoutMs: 30_000 });

const discard: Deliver = async ({ body }) => {
  const reader = body.getReader();
  while (!(await reader.read()).done);
};

const implicit = config.encryption === "implicit";
serveSmtp({
  provider,
  port: implicit ? 0 : config.port,
  ...(implicit ? { tlsPort: config.port } : {}),
  ...(config.encryption === "none" ? {} : config.certificate),
}, config.maildir === undefined ? discard : openMaildir(config.maildir, "mx"));
