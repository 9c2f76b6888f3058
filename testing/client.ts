/**
 * A scripted SMTP client: it says lines, or any octets, and insists on the
 * replies.
 *
 * @module
 */

import type { HostPort } from "../net/address.ts";
import { tryClose } from "../net/conn.ts";
import {
  connectUpgradable,
  type UpgradableConnection,
} from "../net/tcp_client.ts";
import { LIMIT_MS, mustHappen } from "./deadline.ts";

/**
 * What a client talks over. `Deno.Conn` is one.
 *
 * @category Testing
 */
export interface ClientConn {
  /** Reads at least one octet; `null` at the end. */
  read(into: Uint8Array<ArrayBuffer>): Promise<number | null>;
  /** Writes some of the octets and says how many. */
  write(octets: Uint8Array): Promise<number>;
  /** Says that nothing more will be written. */
  closeWrite(): Promise<void>;
  /** Ends both directions at once. */
  close(): void;
}

/**
 * One whole reply of a server (RFC 5321 section 4.2).
 *
 * @category Testing
 */
export interface Reply {
  /** Code and enhanced code of its last line: `250 2.1.0`. */
  readonly status: string;
  /** The text of each line, behind the codes. */
  readonly lines: readonly string[];
}

/**
 * Whom a {@linkcode SmtpClient} connects to.
 *
 * @category Testing
 */
export interface ConnectOptions {
  /** Default: 127.0.0.1. */
  readonly hostname?: string;
  /** Begin with TLS, and trust this certificate, in PEM. Default: plain text. */
  readonly trusted?: string;
}

const encoder = new TextEncoder();

/**
 * A connection to a server, from the client's side. It waits ten seconds for
 * whatever a server must do, and throws if that does not come or is another
 * reply than was expected.
 *
 * @example A wrong password, word by word
 * ```ts
 * import { newTestServer } from "@meowmail/smtpauth/testing";
 *
 * await using server = newTestServer({
 *   inMemory: true,
 *   provider: () => "authInvalid",
 * });
 * using client = await server.open();
 * await client.expect("220");
 * await client.command("EHLO laptop", "250");
 * await client.command("AUTH LOGIN", "334");
 * await client.command(btoa("ann"), "334");
 * const { lines } = await client.command(btoa("wrong"), "535 5.7.8");
 * console.log(lines.join(" "));
 * ```
 * @category Testing
 */
export class SmtpClient implements Disposable {
  #conn: ClientConn;
  #received = "";
  /** Everything that the server has said so far. */
  heard = "";
  readonly #decoder = new TextDecoder();
  /** The server has sent its last octet. */
  #ended = false;

  /**
   * Talks over a connection.
   *
   * @param conn An open one.
   */
  constructor(conn: ClientConn) {
    this.#conn = conn;
  }

  /**
   * Connects; the greeting is not read yet.
   *
   * @throws What the system says if there is no connection.
   */
  static async open(
    port: number,
    { hostname = "127.0.0.1", trusted }: ConnectOptions = {},
  ): Promise<SmtpClient> {
    const connecting = connect({ hostname, port }, trusted);
    return new SmtpClient(await mustHappen(connecting, "the server accepts"));
  }

  /** Connects, reads the greeting, says EHLO. */
  static async greeted(
    port: number,
    options?: ConnectOptions,
  ): Promise<SmtpClient> {
    const client = await SmtpClient.open(port, options);
    await client.hello();
    return client;
  }

  /** Reads the greeting, says EHLO. */
  async hello(): Promise<Reply> {
    await this.expect("220");
    return await this.command("EHLO client.example.net", "250");
  }

  /** Sends lines, with a CRLF each, in one write. */
  send(...lines: readonly string[]): Promise<void> {
    return this.sendRaw(lines.map((line) => `${line}\r\n`).join(""));
  }

  /** Sends octets as they are; a text as UTF-8. */
  async sendRaw(content: string | Uint8Array): Promise<void> {
    const octets = typeof content === "string"
      ? encoder.encode(content)
      : content;
    for (let sent = 0; sent < octets.length;) {
      sent += await mustHappen(
        this.#conn.write(octets.subarray(sent)),
        "the server reads",
      );
    }
  }

  /** Reads one whole reply. Fails if the server closes instead. */
  async reply(): Promise<Reply> {
    const lines: string[] = [];
    for (;;) {
      const line = await this.#line();
      const [, code, mark, enhanced = "", text = ""] =
        /^([0-9]{3})([- ])([245]\.[0-9]+\.[0-9]+(?= ))? ?(.*)$/.exec(line) ??
          [];
      if (code === undefined) throw new Error(`This is no reply: ${line}`);
      lines.push(text);
      if (mark === "-") continue;
      return { status: `${code} ${enhanced}`.trimEnd(), lines };
    }
  }

  /**
   * Reads as many replies as statuses are given and compares them. A status
   * is a code, a code and an enhanced code, or more words of the reply: `250`
   * stands for `250 2.1.0` and for `250 2.1.0 Sender ok` too.
   *
   * @returns The last of them.
   */
  async expect(...statuses: readonly string[]): Promise<Reply> {
    const replies: Reply[] = [];
    for (const status of statuses) {
      const reply = await this.reply();
      replies.push(reply);
      const got = `${reply.status} ${reply.lines.join(" / ")}`.trimEnd();
      if (got === status || got.startsWith(`${status} `)) continue;
      throw new Error(`The reply must be ${status}: got ${got}`);
    }
    const last = replies.at(-1);
    if (last === undefined) throw new Error("Nothing is expected");
    return last;
  }

  /** Says one line and expects one reply, as `expect` does. */
  async command(line: string, status: string): Promise<Reply> {
    await this.send(line);
    return await this.expect(status);
  }

  /**
   * Logs in by PLAIN with an initial response.
   *
   * @param status What is to be the reply. Default: 235.
   */
  login(username: string, password: string, status = "235"): Promise<Reply> {
    return this.command(`AUTH PLAIN ${plain(username, password)}`, status);
  }

  /** MAIL, RCPT and DATA, up to the 354. */
  async envelope(
    sender = "ann@example.org",
    recipients: readonly string[] = ["bob@example.net"],
    parameters = "",
  ): Promise<void> {
    await this.send(
      `MAIL FROM:<${sender}>${parameters}`,
      ...recipients.map((recipient) => `RCPT TO:<${recipient}>`),
      "DATA",
    );
    await this.expect("250", ...recipients.map(() => "250"), "354");
  }

  /** Says STARTTLS and begins TLS. */
  async startTls(trusted: string): Promise<void> {
    await this.command("STARTTLS", "220 2.0.0");
    await this.beginTls(trusted);
  }

  /** Begins TLS where the server expects it. */
  async beginTls(trusted: string): Promise<void> {
    this.#mustBeEmpty("in plain text behind the 220");
    const conn = this.#conn;
    const what = "the TLS handshake ends";
    if (isUpgradable(conn)) {
      this.#conn = await mustHappen(conn.startTls("localhost", trusted), what);
      return;
    }
    if (!isTcp(conn)) throw new Error("This is no TCP connection");
    const tls = await Deno.startTls(conn, {
      hostname: "localhost",
      caCerts: [trusted],
    });
    // From now on this is what is to be closed, whatever the handshake does.
    this.#conn = tls;
    await mustHappen(tls.handshake(), what);
  }

  /** Says that nothing more will be sent. */
  closeWrite(): Promise<void> {
    return this.#conn.closeWrite();
  }

  /** Expects the end of the connection, and nothing before it. */
  async expectEnd(): Promise<void> {
    while (await this.#readMore());
    this.#mustBeEmpty("before the end of the connection");
  }

  /**
   * Expects that the connection ends, by whatever means, and takes what is said
   * before.
   */
  async rest(): Promise<string> {
    try {
      while (await this.#readMore());
    } catch (error) {
      if (!isCutOff(error)) throw error;
    }
    return this.#received;
  }

  /** Closes the connection; one with unread octets in it is reset. */
  close(): void {
    // It may have been closed before.
    tryClose(this.#conn);
  }

  /** Closes it. */
  [Symbol.dispose](): void {
    this.close();
  }

  #mustBeEmpty(where: string): void {
    if (this.#received === "") return;
    throw new Error(`Nothing must come ${where}: got ${this.#received}`);
  }

  async #line(): Promise<string> {
    for (;;) {
      const end = this.#received.indexOf("\r\n");
      if (end >= 0) {
        const line = this.#received.slice(0, end);
        this.#received = this.#received.slice(end + 2);
        return line;
      }
      if (!await this.#readMore()) {
        throw new Error(`The server has closed behind "${this.#received}"`);
      }
    }
  }

  async #readMore(): Promise<boolean> {
    if (this.#ended) return false;
    const space = new Uint8Array(4096);
    const count = await mustHappen(
      this.#conn.read(space),
      "the server says something, or closes",
    );
    if (count === null) this.#ended = true;
    else {
      const octets = space.subarray(0, count);
      const text = this.#decoder.decode(octets, { stream: true });
      this.#received += text;
      this.heard += text;
    }
    return !this.#ended;
  }
}

/**
 * The message of PLAIN (RFC 4616), in base64.
 *
 * @param username The authcid.
 * @param password The password.
 * @param authzid Who to act for. Default: nobody else.
 * @returns What a client says behind `AUTH PLAIN`.
 *
 * @example
 * ```ts
 * import { plain } from "@meowmail/smtpauth/testing";
 *
 * console.assert(plain("ann", "secret") === "AGFubgBzZWNyZXQ=");
 * ```
 * @category Testing
 */
export function plain(
  username: string,
  password: string,
  authzid = "",
): string {
  return base64(`${authzid}\0${username}\0${password}`);
}

/** A text's UTF-8 in base64, made without the code under test. */
export function base64(text: string): string {
  return btoa(String.fromCharCode(...encoder.encode(text)));
}

/** What Deno calls it, and what we do on Node. */
const CUT_OFF_NAMES: ReadonlySet<string> = new Set([
  "ConnectionReset",
  "Gone",
  "UnexpectedEof",
]);

/** Whether the other side has reset a connection, or ended TLS without a word. */
function isCutOff(error: unknown): boolean {
  return error instanceof Error &&
    CUT_OFF_NAMES.has(error.name);
}

function isTcp(conn: ClientConn): conn is Deno.TcpConn {
  return "setNoDelay" in conn;
}

/** Whether TLS can begin on it without Deno. */
function isUpgradable(conn: ClientConn): conn is UpgradableConnection {
  return "startTls" in conn;
}

/** Connects, over TLS if there is a certificate to trust. */
async function connect(
  target: HostPort,
  trusted: string | undefined,
): Promise<ClientConn> {
  if ("Deno" in globalThis) {
    return trusted === undefined
      ? await Deno.connect({ ...target })
      : await Deno.connectTls({ ...target, caCerts: [trusted] });
  }
  const conn = await connectUpgradable(target, AbortSignal.timeout(LIMIT_MS));
  if (trusted === undefined) return conn;
  return await conn.startTls(target.hostname, trusted);
}
