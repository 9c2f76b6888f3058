/**
 * Dovecot's authentication server with a configuration and users of its own.
 *
 * @module
 */

import {
  type Daemon,
  type DaemonTest,
  findProgram,
  freePort,
  startDaemon,
} from "./daemons.ts";
import { LOGINS } from "../../testing/endpoint.ts";
import { codeBlocks, placed } from "./pages.ts";
import { temporaryFolder } from "./listener.ts";

/** Dovecot, if it is there. */
export const DOVECOT: DaemonTest = {
  server: "Dovecot",
  program: findProgram("/usr/sbin/dovecot", "dovecot-core"),
  missing: "there is no Debian package dovecot-core",
};

/** A user whom Dovecot knows and lets nobody in as. */
export const NO_LOGIN = "gone@example.com";

/** A user whose password another server is to check. */
export const ELSEWHERE = "away@example.com";

/** A user about whom another server must be asked, and does not answer. */
export const BROKEN = "ann@broken.example";

/** A prepared Dovecot. */
export interface Dovecot extends AsyncDisposable {
  /** Its unix socket for authentication clients. */
  readonly path: string;
  /** Its TCP port for the same. */
  readonly port: number;
  readonly start: () => Promise<Daemon>;
}

/** What a test adds to the configuration. */
export interface DovecotOptions {
  /** Where Dovecot asks about tokens (RFC 7662). Default: it knows none. */
  readonly introspectionUrl?: string;
}

/** Prepares a Dovecot; `start` runs it, as often as wanted. */
export function newDovecot(
  program: string,
  { introspectionUrl }: DovecotOptions = {},
): Dovecot {
  const cleanUp = new AsyncDisposableStack();
  const folder = temporaryFolder(cleanUp);
  Deno.chmodSync(folder, 0o755);
  Deno.mkdirSync(`${folder}/run`);
  Deno.writeTextFileSync(
    `${folder}/users`,
    [
      ...LOGINS.map(({ username, password }) =>
        `${username}:{PLAIN.B64}${base64Of(password)}::::::`
      ),
      `${NO_LOGIN}:{PLAIN}x::::::nologin=y`,
      `${ELSEWHERE}:{PLAIN}x::::::proxy=y host=192.0.2.1`,
      "",
    ].join("\n"),
  );
  const path = `${folder}/auth-client`;
  const port = freePort();
  const config = `${folder}/dovecot.conf`;
  const tokens = introspectionUrl === undefined
    ? ""
    : tokenConfiguration(folder, introspectionUrl);
  Deno.writeTextFileSync(config, configuration(folder, port) + tokens);
  return {
    path,
    port,
    start: () =>
      startDaemon(program, {
        args: ["-F", "-c", config],
        // Its auth process outlives it while somebody is connected.
        group: true,
        ports: [port],
        log: `${folder}/log`,
      }),
    [Symbol.asyncDispose]: () => cleanUp.disposeAsync(),
  };
}

function base64Of(text: string): string {
  return new TextEncoder().encode(text).toBase64();
}

function configuration(folder: string, port: number): string {
  return `base_dir = ${folder}/run
state_dir = ${folder}/run
log_path = ${folder}/log
protocols =
ssl = no
auth_mechanisms = plain login
auth_username_chars =
passdb {
  driver = passwd-file
  args = ${folder}/users
}
passdb {
  driver = imap
  args = host=127.0.0.1 port=1
  username_filter = *@broken.example
}
userdb {
  driver = static
  args = uid=nobody gid=nogroup home=/nonexistent
}
service auth {
  inet_listener {
    address = 127.0.0.1
    port = ${port}
  }
}
${
    placed(codeBlocks("docs/dovecot.md", "ini")[0], {
      "auth-client": `${folder}/auth-client`,
      "= smtpauth": "= mail",
    })
  }`;
}

function tokenConfiguration(folder: string, url: string): string {
  Deno.writeTextFileSync(
    `${folder}/oauth2.conf`,
    `introspection_mode = post
introspection_url = ${url}
active_attribute = active
active_value = true
username_attribute = username
scope = mail
openid_configuration_url = https://sso.example/.well-known/openid-configuration
timeout_msecs = 500
`,
  );
  return `
auth_mechanisms = plain login xoauth2 oauthbearer
passdb {
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = ${folder}/oauth2.conf
}
`;
}
