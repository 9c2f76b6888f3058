/**
 * Replays transcripts against `serveSmtp`, through real sockets.
 *
 * @module
 */

import type { SmtpReply } from "../../auth/replies.ts";
import { serveSmtp } from "../../smtp/listener.ts";
import type { ServeSmtpOptions, SmtpAddress } from "../../smtp/options.ts";
import { type TestCertificate, testCertificate } from "./certificate.ts";
import { mustHappen } from "../../testing/deadline.ts";
import { decide } from "./decide.ts";
import {
  firstMismatch,
  linesTaken,
  type Transcript,
  type TranscriptSettings,
  type Turn,
} from "./transcript.ts";

/** How long silence may last where the transcript waits for its end, in milliseconds. */
const SHORT_IDLE_MS = 100;

/** What a replay needs of a listener. */
export interface ReplayServer extends AsyncDisposable {
  readonly addrs: readonly SmtpAddress[];
  shutdown(): Promise<void>;
}

/** Serves with the provider `decide`, and answers messages with the reply. */
export type ServeReplay = (
  options: Omit<ServeSmtpOptions, "provider">,
  reply: SmtpReply | undefined,
) => ReplayServer | Promise<ReplayServer>;

/**
 * Replays a transcript, turn by turn.
 *
 * @param serve Starts the listener. Default: `serveSmtp`.
 * @returns What went otherwise, in words, or `undefined` if nothing did.
 */
export async function replayThroughSocket(
  transcript: Transcript,
  serve: ServeReplay = serveHere,
): Promise<string | undefined> {
  const { settings, turns } = transcript;
  const certificate = settings.tls || settings.certificate
    ? await testCertificate()
    : undefined;
  const waits = turns.some((turn) => turn.event === "idle");
  await using server = await serve(
    optionsOf(settings, certificate, waits),
    settings.deliver,
  );
  using client = await connect(server, settings, certificate);
  for (const [index, turn] of turns.entries()) {
    if (turn.event === "shutdown") server.shutdown();
    await client.send(turn.octets);
    const { lines, closed } = await client.answers(turn);
    const wrong = firstMismatch(turn.expected, lines, closed);
    if (wrong !== undefined) return `turn ${index}: ${wrong}`;
    if (beginsTls(turn) && lines.at(-1)?.startsWith("220 ")) {
      await client.startTls(certificate?.cert ?? "");
    }
  }
}

const serveHere: ServeReplay = (options, reply) =>
  serveSmtp({ ...options, provider: decide }, async ({ body }) => {
    await body.pipeTo(new WritableStream());
    return reply;
  });

function optionsOf(
  settings: TranscriptSettings,
  certificate: TestCertificate | undefined,
  waits: boolean,
): Omit<ServeSmtpOptions, "provider"> {
  return {
    port: 0,
    ...certificate,
    ...(certificate === undefined ? {} : { tlsPort: 0 }),
    serverName: "mail.example.org",
    requireAuth: settings.requireAuth,
    allowInsecureAuth: settings.insecure,
    maxAuthFailures: settings.maxAuthFailures,
    mechanisms: settings.mechanisms,
    maxSize: settings.maxSize,
    normalizeNewlines: settings.normalizeNewlines,
    maxRecipients: settings.maxRecipients,
    ...(waits ? { idleTimeoutMs: SHORT_IDLE_MS } : {}),
  };
}

async function connect(
  server: ReplayServer,
  settings: TranscriptSettings,
  certificate: TestCertificate | undefined,
): Promise<LineClient> {
  const address = server.addrs.find(({ tls }) => tls === settings.tls);
  const where = { hostname: "127.0.0.1", port: address?.port ?? 0 };
  return new LineClient(
    settings.tls
      ? await Deno.connectTls({ ...where, caCerts: [certificate?.cert ?? ""] })
      : await Deno.connect(where),
  );
}

function beginsTls({ octets }: Turn): boolean {
  return /^STARTTLS\r\n/i.test(new TextDecoder("latin1").decode(octets));
}

/** What a server sent before it was the client's turn again. */
interface Answers {
  readonly lines: readonly string[];
  readonly closed: boolean;
}

/** A client that reads lines, as many as are expected of the server. */
class LineClient implements Disposable {
  #conn: Deno.TcpConn | Deno.TlsConn;
  #received = "";
  #ended = false;

  constructor(conn: Deno.TcpConn | Deno.TlsConn) {
    this.#conn = conn;
  }

  async send(octets: Uint8Array): Promise<void> {
    try {
      for (let sent = 0; sent < octets.length;) {
        sent += await this.#conn.write(octets.subarray(sent));
      }
    } catch {
      // The server has closed in the middle of it: the answers will tell.
    }
  }

  /** Reads lines until they are all there, or the server closes. */
  async answers({ expected }: Turn): Promise<Answers> {
    const lines: string[] = [];
    let at = 0;
    for (const one of expected) {
      if (one.kind === "close") {
        while (!this.#ended) await this.#readMore();
        break;
      }
      let taken = linesTaken(one, lines.slice(at));
      while (taken === undefined || taken > lines.length - at) {
        const line = await this.#line();
        if (line === undefined) return { lines, closed: true };
        lines.push(line);
        taken = linesTaken(one, lines.slice(at));
        if (taken === undefined && line[3] !== "-") break;
      }
      at += taken ?? 0;
    }
    // What came although it was not expected is part of the answer.
    const surplus = this.#received.split("\r\n");
    this.#received = surplus.pop() ?? "";
    return { lines: [...lines, ...surplus], closed: this.#ended };
  }

  async startTls(trusted: string): Promise<void> {
    if (!("setNoDelay" in this.#conn)) throw new Error("TLS is on already");
    this.#conn = await Deno.startTls(this.#conn, {
      hostname: "localhost",
      caCerts: [trusted],
    });
  }

  [Symbol.dispose](): void {
    this.#conn.close();
  }

  async #line(): Promise<string | undefined> {
    for (;;) {
      const end = this.#received.indexOf("\r\n");
      if (end >= 0) {
        const line = this.#received.slice(0, end);
        this.#received = this.#received.slice(end + 2);
        return line;
      }
      if (this.#ended) return undefined;
      await this.#readMore();
    }
  }

  async #readMore(): Promise<void> {
    const space = new Uint8Array(65_536);
    const octets = await mustHappen(
      this.#conn.read(space).catch(() => null),
      `more than ${JSON.stringify(this.#received)}, or the end`,
    );
    if (octets === null) this.#ended = true;
    else {
      this.#received += new TextDecoder("latin1")
        .decode(space.subarray(0, octets));
    }
  }
}
