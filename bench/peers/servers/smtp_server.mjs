/**
 * npm's smtp-server as a server of the benchmark, for Node and for Deno. It is
 * copied next to the installed package and run there.
 *
 * @module
 */

import { open, rename } from "node:fs/promises";
import { Agent, request as httpRequest } from "node:http";
import process from "node:process";

const config = JSON.parse(process.argv[2]);
const login = config.login;

// Not a plain import: the package is in the temporary folder only.
const name = "smtp-server";
const { SMTPServer } = (await import(name)).default;

function staticAuth({ username, password }, _session, done) {
  if (username === login.username && password === login.password) {
    done(null, { user: username });
  } else done(new Error("Invalid username or password"));
}

const agent = new Agent({ keepAlive: true });

const asks = {
  async fetch(body) {
    const response = await fetch(config.authUrl, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
    });
    return await response.json();
  },
  "node:http"(body) {
    return new Promise((resolve, reject) => {
      const request = httpRequest(config.authUrl, {
        agent,
        method: "POST",
        headers: {
          "content-type": "application/json",
          "content-length": Buffer.byteLength(body),
        },
      }, (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (piece) => text += piece);
        response.on("end", () => resolve(JSON.parse(text)));
        response.on("error", reject);
      });
      request.on("error", reject);
      request.end(body);
    });
  },
};

function httpAuth({ method, username, password }, session, done) {
  asks[config.client ?? "fetch"](JSON.stringify({
    username,
    password,
    mechanism: method,
    remoteIp: session.remoteAddress,
    heloName: session.hostNameAppearsAs,
  })).then(
    ({ ok }) =>
      ok === true
        ? done(null, { user: username })
        : done(new Error("Invalid username or password")),
    done,
  );
}

function discard(stream, _session, done) {
  stream.on("end", () => done());
  stream.resume();
}

let stored = 0;

/** The same promise as any Maildir's: on the disk before it is answered. */
async function store(stream, session) {
  const name = `${
    Math.floor(Date.now() / 1000)
  }.P${process.pid}Q${stored++}.mx`;
  const waiting = `${config.maildir}/tmp/${name}`;
  const file = await open(waiting, "wx", 0o600);
  try {
    await file.write(
      `Return-Path: <${session.envelope.mailFrom.address}>\r\n` +
        `Received: from ${session.hostNameAppearsAs} (${session.remoteAddress})\r\n` +
        `\tby mx with ESMTPA; ${new Date().toUTCString()}\r\n`,
    );
    for await (const piece of stream) await file.write(piece);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(waiting, `${config.maildir}/new/${name}`);
  const folder = await open(`${config.maildir}/new`);
  await folder.sync();
  await folder.close();
}

const server = new SMTPServer({
  secure: config.encryption === "implicit",
  disabledCommands: config.encryption === "starttls" ? [] : ["STARTTLS"],
  ...(config.encryption === "none" ? {} : config.certificate),
  allowInsecureAuth: true,
  disableReverseLookup: true,
  authMethods: ["PLAIN", "LOGIN"],
  size: 26_214_400,
  onAuth: config.authUrl === undefined ? staticAuth : httpAuth,
  onData: config.maildir === undefined
    ? discard
    : (stream, session, done) =>
      store(stream, session).then(() => done(), done),
});
server.on("error", () => {});
server.listen(config.port, "127.0.0.1");
