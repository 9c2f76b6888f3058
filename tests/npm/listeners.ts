/**
 * A program for Node and Bun that serves SMTP with the package as it was
 * installed from npm. It does what lines of JSON on stdin say, and tells what
 * happens in lines of JSON on stdout (tests/support/node_listeners.ts).
 *
 * @module
 */

import { createInterface } from "node:readline";
import process from "node:process";
import {
  type AuthProvider,
  listenSmtp,
  type ServeSmtpOptions,
  type SmtpMessage,
  type SmtpReply,
  type SmtpServer,
} from "@meowmail/smtpauth";
import { decide } from "../support/decide.ts";

/** A line that comes in. */
interface Order {
  readonly id: number;
  readonly what: "listen" | "shutdown" | "useCertificate";
  readonly options?: Omit<ServeSmtpOptions, "provider">;
  readonly provider?: "decides" | "takes too long" | "takes everybody";
  readonly reply?: SmtpReply;
  /** Messages are read in pieces with pauses, and not kept. */
  readonly slowly?: boolean;
  readonly certificate?: { readonly cert: string; readonly key: string };
}

/** When a provider that is asked in vain gives up, in milliseconds. */
const TIMEOUT_MS = 500;

/** Between two pieces of a message that is read slowly, in milliseconds. */
const PAUSE_MS = 5;

const PROVIDERS: Readonly<Record<string, AuthProvider>> = {
  "decides": decide,
  "takes too long": (_request, signal) =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, TIMEOUT_MS, "authFailure");
      signal?.addEventListener("abort", () => clearTimeout(timer));
    }),
  "takes everybody": () => "authOk",
};

const servers = new Map<number, SmtpServer>();

function tell(id: number, what: string, value?: unknown): void {
  process.stdout.write(`${JSON.stringify({ id, what, value })}\n`);
}

async function readSlowly(body: SmtpMessage["body"]): Promise<void> {
  for await (const _ of body) {
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

async function listen({ id, options, provider, reply, slowly }: Order) {
  const server = await listenSmtp({
    ...options,
    provider: PROVIDERS[provider ?? "decides"] ?? decide,
    onEvent: (event) => tell(id, "event", event),
  }, async ({ envelope, body }: SmtpMessage) => {
    if (slowly === true) return await readSlowly(body);
    const octets = new Uint8Array(await new Response(body).arrayBuffer());
    const content = Buffer.from(octets).toString("base64");
    tell(id, "message", { envelope, content });
    return reply;
  });
  servers.set(id, server);
  server.finished.then(() => tell(id, "finished"));
  return server.addrs;
}

async function obey(order: Order): Promise<unknown> {
  switch (order.what) {
    case "listen":
      return await listen(order);
    case "shutdown":
      // It ends in its time; `finished` tells.
      servers.get(order.id)?.shutdown();
      return;
    case "useCertificate":
      if (order.certificate === undefined) throw new Error("which?");
      return servers.get(order.id)?.useCertificate(order.certificate);
    default:
      order.what satisfies never;
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const order: Order = JSON.parse(line);
  obey(order).then(
    (value) => tell(order.id, "done", value),
    (error) => tell(order.id, "failed", String(error)),
  );
}
