/**
 * A client that costs little: it keeps its buffer, sends what was encoded
 * before, and looks at nothing but reply codes.
 *
 * @module
 */

const LF = 10;
const SPACE = 32;
const ZERO = 48;

/** Where a server is, and whose certificate to trust. */
export interface Target {
  readonly port: number;
  readonly caCert: string;
}

/** One connection to a server. */
export class Client {
  #conn: Deno.TcpConn | Deno.TlsConn;
  readonly #buffer: Uint8Array<ArrayBuffer>;

  private constructor(
    conn: Deno.TcpConn | Deno.TlsConn,
    buffer: Uint8Array<ArrayBuffer>,
  ) {
    this.#conn = conn;
    this.#buffer = buffer;
  }

  /** Connects, and takes over the buffer that replies are read into. */
  static async connect(
    { port, caCert }: Target,
    buffer: Uint8Array<ArrayBuffer>,
    tls = false,
  ): Promise<Client> {
    const address = { hostname: "127.0.0.1", port };
    if (!tls) return new Client(await Deno.connect(address), buffer);
    const conn = await Deno.connectTls({ ...address, caCerts: [caCert] });
    await conn.handshake();
    return new Client(conn, buffer);
  }

  /** Encrypts the connection. */
  async startTls({ caCert }: Target): Promise<void> {
    if (!("setNoDelay" in this.#conn)) return;
    const conn = await Deno.startTls(this.#conn as Deno.TcpConn, {
      hostname: "127.0.0.1",
      caCerts: [caCert],
    });
    this.#conn = conn;
    await conn.handshake();
  }

  /** Sends all octets. */
  async send(octets: Uint8Array): Promise<void> {
    let sent = await this.#conn.write(octets);
    while (sent < octets.length) {
      sent += await this.#conn.write(octets.subarray(sent));
    }
  }

  /** Reads as many replies as there are codes; throws at any other code. */
  async expect(...codes: readonly number[]): Promise<void> {
    const buffer = this.#buffer;
    let end = 0;
    let line = 0;
    let reply = 0;
    while (reply < codes.length) {
      const count = await this.#conn.read(buffer.subarray(end));
      if (!count) throw new Error(`closed before ${codes[reply]}`);
      const from = end;
      end += count;
      for (let at = from; at < end; at++) {
        if (buffer[at] !== LF) continue;
        const code = this.#code(line);
        if (code !== codes[reply]) {
          throw new Error(`${code} in place of ${codes[reply]}`);
        }
        if (buffer[line + 3] === SPACE) reply++;
        line = at + 1;
      }
    }
    if (line !== end) throw new Error(`more than ${codes.join(", ")}`);
  }

  /** Closes the connection. */
  close(): void {
    try {
      this.#conn.close();
    } catch {
      // It is closed already.
    }
  }

  #code(at: number): number {
    const digit = (i: number) => (this.#buffer[at + i] ?? 0) - ZERO;
    return digit(0) * 100 + digit(1) * 10 + digit(2);
  }
}
