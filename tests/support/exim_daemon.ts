/**
 * Exim as a server with a configuration and a spool of its own, that does
 * nothing but authenticate.
 *
 * @module
 */

import type { TestCertificate } from "./certificate.ts";
import {
  type Daemon,
  type DaemonTest,
  findProgram,
  messagesIn,
  outputOf,
  startDaemon,
  textOf,
} from "./daemons.ts";
import { temporaryFolder } from "./listener.ts";

const PATH = "/usr/sbin/exim4";

/** Whether the user is there that it works as, which exim4-base makes. */
function hasUser(): boolean {
  return textOf("/etc/passwd").includes("\nDebian-exim:");
}

/** An Exim of any kind. */
export const EXIM: DaemonTest = {
  server: "Exim",
  program: findProgram(PATH, "exim4-daemon-light", hasUser) ??
    findProgram(PATH, "exim4-daemon-heavy", hasUser),
  missing: "there is no Debian package exim4-daemon-light or -heavy",
};

/** One that has the driver for Dovecot's protocol. */
export const EXIM_HEAVY: DaemonTest = {
  server: "Exim (heavy)",
  program: findProgram(
    PATH,
    "exim4-daemon-heavy",
    ({ path }) =>
      hasUser() &&
      /^Authenticators: .*\bdovecot\b/m.test(outputOf(path, "-bV")),
  ),
  missing:
    "there is no Debian package exim4-daemon-heavy, installed or unpacked",
};

/** A running Exim. */
export interface Exim extends AsyncDisposable {
  readonly log: () => string;
  /** What it has delivered, LF line ends. */
  readonly messages: () => string[];
}

/** What takes mail for example.net and keeps it. */
const KEEPS_MAIL = [
  "begin acl",
  "rcpt:",
  "  deny local_parts = nobody",
  "       message = 5.1.1 no such user",
  "  accept domains = example.net",
  "  deny message = 5.7.1 relaying denied",
  "begin routers",
  "all:",
  "  driver = accept",
  "  transport = keep",
  "begin transports",
  "keep:",
  "  driver = appendfile",
  "  maildir_format",
  "  directory = FOLDER",
  "  create_directory",
  "  user = Debian-exim",
];

/** The beginning of the part that the tests write. */
const AUTHENTICATORS = "begin authenticators";

/**
 * Starts Exim on some ports of loopback.
 *
 * @param authenticators Lines of that part, with or without its beginning.
 * @param certificate For STARTTLS. Default: none.
 * @param keepsMail Whether it takes mail. Default: false.
 */
export async function startExim(
  program: string,
  ports: readonly number[],
  authenticators: readonly string[],
  certificate?: TestCertificate,
  keepsMail: boolean = false,
): Promise<Exim> {
  await using cleanUp = new AsyncDisposableStack();
  const folder = temporaryFolder(cleanUp);
  // It works as a user of its own, whoever starts it.
  Deno.chmodSync(folder, 0o755);
  for (const name of ["spool", "log", "mail"]) {
    Deno.mkdirSync(`${folder}/${name}`);
    Deno.chmodSync(`${folder}/${name}`, 0o777);
  }
  const pem = `${folder}/cert.pem`;
  if (certificate !== undefined) {
    Deno.writeTextFileSync(pem, certificate.cert + certificate.key);
  }
  const config = `${folder}/exim.conf`;
  Deno.writeTextFileSync(
    config,
    [
      `spool_directory = ${folder}/spool`,
      `log_file_path = ${folder}/log/%slog`,
      `pid_file_path = ${folder}/exim.pid`,
      "primary_hostname = mail.example.com",
      "local_interfaces = 127.0.0.1",
      `daemon_smtp_ports = ${ports.join(" : ")}`,
      "keep_environment =",
      "disable_ipv6",
      "host_lookup =",
      "rfc1413_query_timeout = 0s",
      "auth_advertise_hosts = *",
      `acl_smtp_rcpt = ${keepsMail ? "rcpt" : "deny"}`,
      ...(certificate === undefined
        ? []
        : ["tls_advertise_hosts = *", `tls_certificate = ${pem}`]),
      ...(keepsMail
        ? KEEPS_MAIL.map((line) => line.replace("FOLDER", `${folder}/mail`))
        : []),
      ...(authenticators[0]?.startsWith(AUTHENTICATORS) === true
        ? []
        : [AUTHENTICATORS]),
      ...authenticators,
      "",
    ].join("\n"),
  );
  const log = `${folder}/log/mainlog`;
  const daemon: Daemon = await startDaemon(program, {
    args: ["-C", config, "-bdf"],
    ports,
    log,
  });
  cleanUp.use(daemon);
  const ending = cleanUp.move();
  return {
    log: () => daemon.output() + textOf(`${folder}/log/paniclog`),
    messages: () => messagesIn(`${folder}/mail/new`),
    [Symbol.asyncDispose]: () => ending.disposeAsync(),
  };
}
