/**
 * nodemailer's smtp-server, the real package from npm, under Node and Deno.
 *
 * @module
 */

import type { TestCertificate } from "./certificate.ts";
import { type Daemon, freePort, startDaemon } from "./daemons.ts";
import { temporaryFolder } from "./listener.ts";

/** The version that the tests were written against. */
const VERSION = "3.21.6";

const ROOT = new URL("../../", import.meta.url);

/** Where to run it. */
export type Runtime = "Node" | "Deno";

/** A folder with the package, our module for Node, and a server. */
export interface SmtpServerPackage extends Disposable {
  /** Starts a server that asks an endpoint; tells its port. */
  readonly start: (
    runtime: Runtime,
    authUrl: string,
  ) => Promise<Daemon & { readonly port: number }>;
  /** Starts one that wants a login by token, and keeps mail. */
  readonly startHop: (
    certificate: TestCertificate,
  ) => Promise<Daemon & { readonly port: number }>;
  /** Starts a server of which a page prints the source, under Node. */
  readonly startPage: (
    source: string,
    files: Readonly<Record<string, string>>,
    port: number,
  ) => Promise<Daemon>;
}

/** The server, as its author would write it. */
const SERVER = `
import { SMTPServer } from "smtp-server";
const [module, url, port] = process.argv.slice(2);
const { newHTTPAuthProvider, smtpServerAuth } = await import(module);
new SMTPServer({
  allowInsecureAuth: true,
  authMethods: ["PLAIN", "LOGIN", "XOAUTH2"],
  onAuth: smtpServerAuth(newHTTPAuthProvider(url, { timeoutMs: 3000 }), {
    onEvent: (event) => console.log(JSON.stringify(event)),
  }),
}).listen(Number(port), "127.0.0.1");
`;

/** A next hop, as its author would write it; it prints each message. */
const HOP = `
import { SMTPServer } from "smtp-server";
const [cert, key, port] = process.argv.slice(2);
new SMTPServer({
  cert,
  key,
  authMethods: ["XOAUTH2"],
  onAuth: ({ username, accessToken }, session, callback) =>
    accessToken === "t1"
      ? callback(null, { user: username })
      : callback(null, { data: { status: "401", schemes: "bearer" } }),
  onRcptTo: ({ address }, session, callback) =>
    callback(
      address.startsWith("nobody@")
        ? Object.assign(new Error("no such user"), { responseCode: 550 })
        : null,
    ),
  onData: async (stream, { user, envelope }, callback) => {
    const message = Buffer.concat(await stream.toArray()).toString();
    const to = envelope.rcptTo.map(({ address }) => address);
    console.log(JSON.stringify({ user, from: envelope.mailFrom.address, to, message }));
    callback(null, "kept");
  },
}).listen(Number(port), "127.0.0.1");
`;

/** Gets the package. `undefined` where npm's registry cannot be reached. */
export function getSmtpServer(): SmtpServerPackage | undefined {
  using cleanUp = new DisposableStack();
  const folder = temporaryFolder(cleanUp);
  Deno.writeTextFileSync(
    `${folder}/package.json`,
    JSON.stringify({
      type: "module",
      dependencies: { "smtp-server": VERSION },
    }),
  );
  Deno.writeTextFileSync(`${folder}/server.js`, SERVER);
  Deno.writeTextFileSync(`${folder}/hop.js`, HOP);
  const installed = deno(folder, ["install", "--quiet", "--no-lock"]);
  if (!installed) return undefined;
  const bundle = `${folder}/smtpauth.js`;
  // Node does not read TypeScript, and both lack our import map: JSR sees to it.
  const bundled = deno(ROOT, ["bundle", "-q", "-o", bundle, "mod.ts"]);
  if (!bundled) throw new Error("mod.ts cannot be bundled");
  const ending = cleanUp.move();
  return {
    start: async (runtime, authUrl) => {
      const port = freePort();
      const node = runtime === "Node";
      const args = ["server.js", bundle, authUrl, String(port)];
      const daemon = await startDaemon(node ? "node" : Deno.execPath(), {
        args: node ? args : ["run", "-A", "--quiet", "--no-lock", ...args],
        cwd: folder,
        ports: [port],
      });
      return { ...daemon, port };
    },
    startHop: async ({ cert, key }) => {
      const port = freePort();
      const args = ["run", "-A", "--quiet", "--no-lock", "hop.js"];
      const daemon = await startDaemon(Deno.execPath(), {
        args: [...args, cert, key, String(port)],
        cwd: folder,
        ports: [port],
      });
      return { ...daemon, port };
    },
    startPage: (source, files, port) => {
      const page = source.replace("@meowmail/smtpauth", "./smtpauth.js");
      for (
        const [name, text] of Object.entries({ ...files, "page.js": page })
      ) {
        Deno.writeTextFileSync(`${folder}/${name}`, text);
      }
      const options = { args: ["page.js"], cwd: folder, ports: [port] };
      return startDaemon("node", options);
    },
    [Symbol.dispose]: () => ending.dispose(),
  };
}

function deno(cwd: string | URL, args: string[]): boolean {
  return new Deno.Command(Deno.execPath(), { args, cwd, stderr: "null" })
    .outputSync().success;
}

/** Whether there is a Node. */
export function hasNode(): boolean {
  try {
    return new Deno.Command("node", { args: ["--version"] }).outputSync()
      .success;
  } catch {
    return false;
  }
}
