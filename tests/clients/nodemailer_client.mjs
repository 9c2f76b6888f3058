// Does what the JSON on stdin says with nodemailer; prints what came of it. Runs
// under Node and under Deno.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import process from "node:process";

// From the folder that this file is copied to; the project does not need it.
const nodemailer = createRequire(import.meta.url)("nodemailer");

async function send(job) {
  const transport = nodemailer.createTransport({
    host: "127.0.0.1",
    port: job.port,
    name: job.helo,
    secure: job.mode === "implicit TLS",
    requireTLS: job.mode === "STARTTLS",
    ignoreTLS: job.mode === "plain text",
    ...(job.trusted && { tls: { ca: readFileSync(job.trusted) } }),
    ...(job.mechanism === "XOAUTH2"
      ? {
        auth: {
          type: "OAuth2",
          user: job.username,
          accessToken: job.password,
        },
      }
      : {
        auth: { user: job.username, pass: job.password },
        authMethod: job.mechanism,
      }),
  });
  try {
    const { accepted, response } = await transport.sendMail({
      envelope: { from: job.sender, to: job.recipients },
      raw: { path: job.message },
    });
    return { accepted, status: response.slice(0, 9) };
  } catch ({ code, responseCode, response }) {
    return { code, responseCode, response };
  } finally {
    transport.close();
  }
}

const jobs = JSON.parse(readFileSync(0, "utf8"));
const results = [];
for (const job of jobs) results.push(await send(job));
const runtime = "Deno" in globalThis ? "Deno" : "Node";
process.stdout.write(JSON.stringify({ runtime, results }));
