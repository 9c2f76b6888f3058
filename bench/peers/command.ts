/**
 * The command as an operator runs it: all its guards, and its log as JSON into a
 * pipe that is read.
 *
 * @module
 */

import type { ServerConfig } from "./config.ts";
import type { Program } from "./process.ts";
import type { Work } from "./works.ts";

/** Whether the command can do a work: it discards no message. */
export function takesPartAsCommand(
  { octets, maildir, hop }: Work,
): boolean {
  return octets === 0 || maildir !== undefined || hop === true;
}

/**
 * How to start the command.
 *
 * @param tree Where its sources are.
 * @param folder For files: its certificate, and a Maildir that nothing is kept in
 * where the work has none.
 * @param config What it is to do.
 */
export function commandProgram(
  tree: string,
  folder: string,
  config: ServerConfig,
): Program {
  return {
    command: Deno.execPath(),
    // Deno lets nobody below /dev who may not do everything.
    args: [
      "run",
      "--quiet",
      config.maildir?.startsWith("/dev/") ? "-A" : "-P",
      "main.ts",
      ...flagsFor(config, folder),
    ],
    folder: tree,
    logs: true,
    env: variablesFor(config),
  };
}

function flagsFor(
  { port, encryption, certificate, hopPort, maildir }: ServerConfig,
  folder: string,
): string[] {
  const isImplicit = encryption === "implicit";
  const ports = isImplicit
    ? ["--port", "0", "--tls-port", String(port)]
    : ["--port", String(port)];
  if (encryption !== "none") {
    const paths = { cert: `${folder}/tls.cert`, key: `${folder}/tls.key` };
    Deno.writeTextFileSync(paths.cert, certificate.cert);
    Deno.writeTextFileSync(paths.key, certificate.key);
    ports.push("--tls-cert", paths.cert, "--tls-key", paths.key);
  }
  return hopPort === undefined
    ? [...ports, "--maildir", maildir ?? `${folder}/maildir`]
    : [...ports, "--relay", `smtp://127.0.0.1:${hopPort}`];
}

function variablesFor({ authUrl, login }: ServerConfig) {
  return authUrl === undefined
    ? {
      MEOWMAIL_SMTP_USER: login.username,
      MEOWMAIL_SMTP_PASS: login.password,
    }
    : {
      MEOWMAIL_SMTP_AUTH_URL: authUrl,
      // Longer than anybody here takes, as for all others.
      MEOWMAIL_SMTP_AUTH_TIMEOUT: "30000",
    };
}
