/**
 * nginx as a mail proxy with a configuration of its own.
 *
 * @module
 */

import {
  type Daemon,
  type DaemonTest,
  findProgram,
  isFile,
  startDaemon,
} from "./daemons.ts";
import { temporaryFolder } from "./listener.ts";

const MODULE = "/usr/lib/nginx/modules/ngx_mail_module.so";

/** nginx with its mail module. */
export const NGINX: DaemonTest = {
  server: "nginx",
  program: isFile(MODULE) ? findProgram("/usr/sbin/nginx", "nginx") : undefined,
  missing: "there is no Debian package nginx with libnginx-mod-mail",
};

/** What nginx is told. */
export interface NginxOptions {
  /** The port that `mail` listens on. */
  readonly port: number;
  /** The block `mail { … }`; `/etc/nginx/` stands for its own folder. */
  readonly mail: string;
  /** Files for its own folder. */
  readonly files?: Readonly<Record<string, string>>;
}

/** Starts nginx as a proxy for SMTP. */
export async function startNginx(
  program: string,
  { port, mail, files = {} }: NginxOptions,
): Promise<Daemon> {
  await using cleanUp = new AsyncDisposableStack();
  const folder = temporaryFolder(cleanUp);
  const config = `${folder}/nginx.conf`;
  Deno.writeTextFileSync(
    config,
    `load_module ${MODULE};
daemon off;
master_process off;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log info;
events {}
${mail.replaceAll("/etc/nginx/", `${folder}/`)}
`,
  );
  for (const [name, text] of Object.entries(files)) {
    Deno.writeTextFileSync(`${folder}/${name}`, text);
  }
  const daemon = await startDaemon(program, {
    args: ["-c", config, "-e", `${folder}/error.log`],
    ports: [port],
    signal: "SIGQUIT",
    log: `${folder}/error.log`,
  });
  cleanUp.use(daemon);
  const ending = cleanUp.move();
  return { ...daemon, [Symbol.asyncDispose]: () => ending.disposeAsync() };
}
