/**
 * Postfix with a configuration and a queue of its own: some smtpd on loopback
 * that do nothing but authenticate.
 *
 * @module
 */

import {
  type Daemon,
  type DaemonTest,
  findProgram,
  freePort,
  type Program,
  startDaemon,
  textOf,
  userIds,
} from "./daemons.ts";
import { temporaryFolder } from "./listener.ts";

/** Postfix, if it is there. */
export const POSTFIX: DaemonTest = {
  server: "Postfix",
  program: findProgram("/usr/lib/postfix/sbin/master", "postfix"),
  missing: "there is no Debian package postfix, installed or unpacked",
};

/** Whom Postfix works as: a user that every Debian has and nobody is. */
export const POSTFIX_USER = "uucp";

const SETGID_GROUP = "news";

/** A running Postfix. */
export interface Postfix extends AsyncDisposable {
  /** The queue, which is what its processes are chrooted to. */
  readonly queue: string;
  /** The ports, by the names of the services. */
  readonly ports: Readonly<Record<string, number>>;
  /** Its log so far. */
  readonly log: () => string;
  /** Runs it; before that there is time to put sockets into the queue. */
  readonly start: () => Promise<void>;
  /** Stops it; it can be started again. */
  readonly stop: () => Promise<void>;
}

/** What a test adds to the configuration. */
export interface PostfixOptions {
  /** Parameters of each smtpd, by a name. */
  readonly services?: Readonly<
    Record<string, Readonly<Record<string, string>>>
  >;
  /** The text of Cyrus SASL's smtpd.conf. */
  readonly cyrus?: string;
  /** More of main.cf; `/etc/postfix/` stands for its own folder. */
  readonly main?: string;
  /** More of master.cf, with the port of each service in it. */
  readonly master?: string;
  /** The ports of those services, by a name. */
  readonly ports?: Readonly<Record<string, number>>;
  /** Files for its own folder. */
  readonly files?: Readonly<Record<string, string>>;
}

/** Prepares a Postfix. */
export function newPostfix(
  { root }: Program,
  { services = {}, cyrus = "", main = "", master = "", ...more }:
    PostfixOptions,
): Postfix {
  const cleanUp = new AsyncDisposableStack();
  const folder = temporaryFolder(cleanUp);
  Deno.chmodSync(folder, 0o755);
  const library = `${root}/usr/lib/postfix`;
  const names = Object.keys(services);
  const ports: Record<string, number> = { ...more.ports };
  for (const name of names) ports[name] = freePort();
  makeQueue(folder);
  Deno.mkdirSync(`${folder}/etc/sasl`, { recursive: true });
  Deno.writeTextFileSync(`${folder}/etc/sasl/smtpd.conf`, cyrus);
  Deno.writeTextFileSync(
    `${folder}/etc/main.cf`,
    mainCf(folder, root) + main.replaceAll("/etc/postfix/", `${folder}/etc/`),
  );
  for (const [name, text] of Object.entries(more.files ?? {})) {
    Deno.writeTextFileSync(`${folder}/etc/${name}`, text);
  }
  Deno.writeTextFileSync(
    `${folder}/etc/master.cf`,
    [
      ...names.map((name) => smtpd(ports[name] ?? 0, services[name] ?? {})),
      master,
      OTHER_SERVICES,
    ].join(""),
  );
  let running: Daemon | undefined;
  const stop = async () => {
    await running?.[Symbol.asyncDispose]();
    running = undefined;
  };
  cleanUp.defer(stop);
  return {
    queue: `${folder}/queue`,
    ports,
    log: () => textOf(`${folder}/log`),
    start: async () => {
      running = await startDaemon(`${library}/sbin/master`, {
        args: ["-c", `${folder}/etc`, "-d"],
        group: true,
        env: { MAIL_CONFIG: `${folder}/etc`, LD_LIBRARY_PATH: library },
        ports: Object.values(ports),
        log: `${folder}/log`,
      });
    },
    stop,
    [Symbol.asyncDispose]: () => cleanUp.disposeAsync(),
  };
}

function makeQueue(folder: string): void {
  const { uid } = userIds(POSTFIX_USER);
  const setgid = groupIdOf(SETGID_GROUP);
  for (const name of ["etc", "data", "queue"]) {
    Deno.mkdirSync(`${folder}/${name}`);
  }
  Deno.chownSync(`${folder}/data`, uid, null);
  for (const name of QUEUE_FOLDERS) {
    const path = `${folder}/queue/${name}`;
    Deno.mkdirSync(path);
    if (name !== "pid") Deno.chownSync(path, uid, null);
    if (name === "public" || name === "maildrop") {
      Deno.chownSync(path, uid, setgid);
    }
  }
}

function groupIdOf(group: string): number {
  for (const line of textOf("/etc/group").split("\n")) {
    const [name, , id] = line.split(":");
    if (name === group) return Number(id);
  }
  throw new Error(`There is no group ${group}`);
}

const QUEUE_FOLDERS = [
  "active",
  "bounce",
  "corrupt",
  "defer",
  "deferred",
  "flush",
  "hold",
  "incoming",
  "maildrop",
  "pid",
  "private",
  "public",
  "saved",
  "trace",
];

function mainCf(folder: string, root: string): string {
  const library = `${root}/usr/lib/postfix`;
  const parameters = {
    compatibility_level: "3.6",
    queue_directory: `${folder}/queue`,
    data_directory: `${folder}/data`,
    daemon_directory: `${library}/sbin`,
    command_directory: `${root}/usr/sbin`,
    shlib_directory: library,
    meta_directory: `${folder}/etc`,
    mail_owner: POSTFIX_USER,
    setgid_group: SETGID_GROUP,
    maillog_file: `${folder}/log`,
    maillog_file_prefixes: folder,
    import_environment: `LD_LIBRARY_PATH=${library} MAIL_CONFIG`,
    cyrus_sasl_config_path: `${folder}/etc/sasl`,
    inet_interfaces: "127.0.0.1",
    myhostname: "mail.example.com",
    mydestination: "",
    alias_maps: "",
    local_recipient_maps: "",
    smtpd_peername_lookup: "no",
    smtpd_sasl_auth_enable: "no",
  };
  return Object.entries(parameters)
    .map(([name, value]) => `${name} = ${value}\n`).join("");
}

/** An smtpd as Debian has it, chrooted. */
function smtpd(
  port: number,
  parameters: Readonly<Record<string, string>>,
): string {
  const options = Object.entries(parameters)
    .map(([name, value]) => `  -o ${name}=${value}\n`).join("");
  return `127.0.0.1:${port} inet n - y - - smtpd\n${options}`;
}

const OTHER_SERVICES = [
  "postlog unix-dgram n - n - 1 postlogd",
  "anvil unix - - y - 1 anvil",
  "rewrite unix - - y - - trivial-rewrite",
  "tlsmgr unix - - y 1000? 1 tlsmgr",
  "",
].join("\n");

/** What a Postfix needs that takes mail: more of master.cf. */
export const QUEUE_SERVICES: string = [
  "cleanup unix n - n - 0 cleanup",
  "qmgr unix n - n 300 1 qmgr",
  "bounce unix - - n - 0 bounce",
  "defer unix - - n - 0 bounce",
  "trace unix - - n - 0 bounce",
  "error unix - - n - - error",
  "retry unix - - n - - error",
  "discard unix - - n - - discard",
  "proxymap unix - - n - - proxymap",
  "",
].join("\n");
