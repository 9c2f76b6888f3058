/**
 * The work that servers are measured with.
 *
 * @module
 */

import type { Encryption } from "./config.ts";
import {
  AUTH_LOGIN,
  AUTH_PLAIN,
  bodyOf,
  EHLO,
  type Exchange,
  message,
  QUIT,
  STARTTLS,
} from "./dialogue.ts";

/** What a work's main figure is. */
export type Figure = "cpu" | "bulk" | "memory" | "start";

/** One kind of work. */
export interface Work {
  readonly id: string;
  readonly title: string;
  readonly figure: Figure;
  readonly encryption: Encryption;
  /** The HTTP end's delay; absent: no HTTP. */
  readonly httpMs?: number;
  readonly maildir: boolean;
  /** At the start of a connection. */
  readonly once: readonly Exchange[];
  /** A piece of work on a long session; empty: the connection is the piece. */
  readonly again: readonly Exchange[];
  readonly connections: number;
  readonly pieces: number;
  /** Octets of a message; 0 without one. */
  readonly octets: number;
}

const SMALL = bodyOf(2_048);
const LARGE = bodyOf(20_000_000);

const PLAIN = { encryption: "none", maildir: false, octets: 0 } as const;

/** The beginning of a session up to the first message. */
function loggedIn(encryption: Encryption): readonly Exchange[] {
  const tls = encryption === "starttls" ? [EHLO, STARTTLS] : [];
  return [...tls, EHLO, ...AUTH_PLAIN];
}

function session(
  id: string,
  title: string,
  auth: readonly Exchange[],
): Work {
  const once = [EHLO, ...auth, QUIT];
  const base = { ...PLAIN, id, title, once, again: [] };
  return { ...base, figure: "cpu", connections: 64, pieces: 6_000 };
}

interface Mail {
  readonly body?: Uint8Array<ArrayBuffer>;
  readonly pipelined?: boolean;
  readonly maildir?: boolean;
  readonly encryption?: Encryption;
}

function mail(id: string, title: string, options: Mail): Work {
  const { body = SMALL, pipelined = true, maildir = false } = options;
  const encryption = options.encryption ?? "none";
  const bulk = body === LARGE;
  return {
    id,
    title,
    figure: bulk ? "bulk" : "cpu",
    encryption,
    maildir,
    once: loggedIn(encryption),
    again: message(body, pipelined),
    connections: bulk ? 2 : 32,
    pieces: bulk ? 40 : 15_000,
    octets: body.length,
  };
}

function handshake(id: string, title: string, encryption: Encryption): Work {
  const start = encryption === "starttls" ? [EHLO, STARTTLS] : [];
  return {
    ...session(id, title, []),
    encryption,
    once: [...start, EHLO, QUIT],
    pieces: 1_500,
    connections: 32,
  };
}

const http = session("http-0", "AUTH over HTTP, 0 ms end", AUTH_PLAIN);

/** All of it, in the order of the table. */
export const WORKS: readonly Work[] = [
  session("auth-plain", "AUTH PLAIN session, static", AUTH_PLAIN),
  session("auth-login", "AUTH LOGIN session, static", AUTH_LOGIN),
  { ...http, httpMs: 0, pieces: 4_000 },
  {
    ...http,
    id: "http-20",
    title: "AUTH over HTTP, 20 ms end, 512 at once",
    httpMs: 20,
    connections: 512,
    pieces: 6_000,
  },
  mail("pipelined", "2 KB message, pipelined, discarded", {}),
  mail("lock-step", "2 KB message, lock-step, discarded", {
    pipelined: false,
  }),
  mail("maildir", "2 KB message into a Maildir on tmpfs", { maildir: true }),
  mail("bulk", "20 MB message, discarded", { body: LARGE }),
  mail("bulk-maildir", "20 MB message into a Maildir on tmpfs", {
    body: LARGE,
    maildir: true,
  }),
  handshake("tls", "TLS session, implicit", "implicit"),
  handshake("starttls", "TLS session, STARTTLS", "starttls"),
  mail("tls-mail", "2 KB message, pipelined, implicit TLS", {
    encryption: "implicit",
  }),
  mail("starttls-mail", "2 KB message, pipelined, STARTTLS", {
    encryption: "starttls",
  }),
  mail("tls-bulk", "20 MB message, implicit TLS", {
    body: LARGE,
    encryption: "implicit",
  }),
  mail("starttls-bulk", "20 MB message, STARTTLS", {
    body: LARGE,
    encryption: "starttls",
  }),
  {
    ...session("idle", "KiB per idle connection", []),
    figure: "memory",
    once: [EHLO],
    again: [EHLO],
    connections: 5_000,
    pieces: 0,
  },
  {
    ...session("start", "ms from exec to the first connection", []),
    figure: "start",
    pieces: 1,
  },
];
