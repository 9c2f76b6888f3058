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
  ehlo,
  type Exchange,
  message,
  QUIT,
  STARTTLS,
} from "./dialogue.ts";
import type { MailPlace } from "./maildirs.ts";

/** What a work's main figure is. */
export type Figure = "cpu" | "bulk" | "p99" | "memory" | "start";

/** What is said on a connection. */
export interface Conversation {
  readonly encryption: Encryption;
  /** At the start of a connection. */
  readonly once: readonly Exchange[];
  /** A piece of work on a long session; empty: the connection is the piece. */
  readonly again: readonly Exchange[];
  /**
   * Whether a connection's time counts from the greeting on, because
   * smtp-server waits 100 ms before it greets; absent: from connecting on.
   */
  readonly fromGreeting?: boolean;
}

/** What other connections do while a work is measured. */
export interface Beside extends Conversation {
  readonly connections: number;
  /** How often each of them begins a piece, in milliseconds. */
  readonly everyMs: number;
}

/** One kind of work. */
export interface Work extends Conversation {
  readonly id: string;
  readonly title: string;
  readonly figure: Figure;
  /** The HTTP end's delay; absent: no HTTP. */
  readonly httpMs?: number;
  /** Where messages are kept; absent: they are discarded. */
  readonly maildir?: MailPlace;
  /** Whether messages go on to a next hop; absent: they do not. */
  readonly hop?: true;
  readonly connections: number;
  /**
   * How often each connection begins a piece, in milliseconds; absent: as soon
   * as the last one is done.
   */
  readonly everyMs?: number;
  readonly pieces: number;
  /** Octets of a message; 0 without one. */
  readonly octets: number;
  readonly beside?: readonly Beside[];
}

const SMALL = bodyOf(2_048);
const MEDIUM = bodyOf(1_000_000);
const LARGE = bodyOf(20_000_000);

const PLAIN = { encryption: "none", octets: 0 } as const;

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
  readonly maildir?: MailPlace;
  readonly encryption?: Encryption;
}

function mail(id: string, title: string, options: Mail): Work {
  const { body = SMALL, pipelined = true, maildir } = options;
  const encryption = options.encryption ?? "none";
  const bulk = body === LARGE;
  return {
    id,
    title,
    figure: bulk ? "bulk" : "cpu",
    encryption,
    ...(maildir === undefined ? {} : { maildir }),
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

/**
 * Messages in lock-step, at a pace that all servers keep. The floor knows the
 * conversation by the length of the client's name.
 */
function submissions(
  name: string,
  body: Uint8Array<ArrayBuffer>,
  pace: Pick<Beside, "connections" | "everyMs">,
): Beside {
  return {
    encryption: "none",
    once: [ehlo(name), ...AUTH_PLAIN],
    again: message(body, false),
    ...pace,
  };
}

/**
 * Whether syncing messages to a disk keeps others waiting. 400 sessions, 200
 * small messages and 10 of a megabyte a second leave every server idle most of
 * the time, so that it is not queueing for the core that is measured. The pace
 * is slow enough for smtp-server's 100 ms before it greets: all servers have
 * the same to do.
 */
const authSyncing: Work = {
  ...session(
    "auth-syncing",
    "AUTH PLAIN from greeting to QUIT while messages are synced to a disk",
    AUTH_PLAIN,
  ),
  figure: "p99",
  fromGreeting: true,
  maildir: "disk",
  connections: 64,
  everyMs: 160,
  pieces: 1_600,
  beside: [
    submissions("small.bench.example", SMALL, { connections: 8, everyMs: 40 }),
    submissions("medium.bench.example", MEDIUM, {
      connections: 2,
      everyMs: 200,
    }),
  ],
};

const http = session("http-0", "AUTH over HTTP, 0 ms end", AUTH_PLAIN);

/**
 * A session with one message, which a next hop takes meanwhile: lock-step, as
 * each command goes on before it is answered.
 */
const relay: Work = {
  ...session("relay", "session with a 2 KB message, relayed", []),
  hop: true,
  once: [
    ...[EHLO, ...AUTH_PLAIN],
    ...message(SMALL, false).map((
      each,
    ) => ({ ...each, does: "relay" } as const)),
    QUIT,
  ],
  connections: 16,
  pieces: 5_000,
  octets: SMALL.length,
};

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
  mail("maildir", "2 KB message into a Maildir on tmpfs", { maildir: "tmpfs" }),
  relay,
  authSyncing,
  mail("bulk", "20 MB message, discarded", { body: LARGE }),
  mail("bulk-maildir", "20 MB message into a Maildir on tmpfs", {
    body: LARGE,
    maildir: "tmpfs",
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
