/**
 * A client that can be as rude as clients get: below TLS it sends what it
 * likes, stops reading, ends in the middle of a record or resets.
 *
 * @module
 */

import { connect, type Socket } from "node:net";
import { Duplex } from "node:stream";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { mustHappen } from "../../testing/deadline.ts";

/** What is written without a pause by a client that never reads. */
const FLOOD = "EHLO a\r\n".repeat(20_000);

/** More than anybody buffers. */
const LONG = `${"x".repeat(998)}\r\n`.repeat(400);

/** How much of it is sent, in octets of TLS: to the middle of a record. */
const CUT_OCTETS = 390_000;

/** A connection, seen from the client's side. */
export class RudeClient implements Disposable {
  readonly #socket: Socket;
  #tls: TLSSocket | undefined;
  #heard = "";
  #wake = () => {};
  #closed = false;
  /** How many octets more TLS may send. */
  #allowed = Infinity;
  readonly #cut = Promise.withResolvers<void>();

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (octets: Uint8Array) => this.#hear(octets));
    this.#watch(socket);
  }

  /** Connects. */
  static async connect(port: number): Promise<RudeClient> {
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    const client = new RudeClient(socket);
    await mustHappen(
      new Promise((resolve) => socket.once("connect", resolve)),
      "the listener accepts",
    );
    return client;
  }

  /** The port that it has connected from. */
  get port(): number {
    return this.#socket.localPort ?? 0;
  }

  /** Whether the connection is no more. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Waits until the listener has said something; a text: nothing else. */
  async hears(what: RegExp | string): Promise<void> {
    const isHeard = () =>
      typeof what === "string" ? this.#heard === what : what.test(this.#heard);
    while (!isHeard()) {
      if (this.#closed) throw new Error(`closed after: ${this.#heard}`);
      await mustHappen(
        new Promise<void>((resolve) => this.#wake = resolve),
        `${what} in: ${this.#heard}`,
      );
    }
    this.#heard = "";
  }

  /** Says something, over TLS if that is on. */
  say(text: string): Promise<void> {
    const to = this.#tls ?? this.#socket;
    return new Promise((resolve) => to.write(text, () => resolve()));
  }

  /** Sends octets below TLS. */
  send(octets: Uint8Array): void {
    this.#socket.write(octets);
  }

  /** Begins TLS. */
  async encrypt(): Promise<void> {
    const socket = this.#socket;
    socket.removeAllListeners("data");
    const beneath = new Duplex({
      read() {},
      write: (octets, _encoding, done) => this.#send(octets, done),
    });
    socket.on("data", (octets) => beneath.push(octets));
    const tls = connectTls({ socket: beneath, rejectUnauthorized: false });
    tls.on("data", (octets: Uint8Array) => this.#hear(octets));
    this.#watch(tls);
    await mustHappen(
      new Promise((resolve) => tls.once("secureConnect", resolve)),
      "TLS begins",
    );
    this.#tls = tls;
  }

  /** Reads nothing from now on, and writes until the connection is closed. */
  flood(): void {
    this.#socket.pause();
    const to = this.#tls ?? this.#socket;
    const more = () => void to.write(FLOOD, next);
    // In between others have their turn: a write may end at once.
    const next = (error?: Error | null) => {
      if (!error && !this.#closed) setTimeout(more, 0);
    };
    more();
  }

  /** Reads nothing from now on. */
  stopReading(): void {
    this.#socket.pause();
  }

  /** Resets the connection. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }

  /** Ends in the middle of something: a record of TLS, a line of text. */
  endInside(): void {
    if (this.#tls === undefined) this.#socket.end("NOO");
    else this.endAfter(LONG, CUT_OCTETS);
  }

  /** Says something over TLS, and ends after so many of TLS's octets. */
  endAfter(text: string, octets: number): void {
    this.#allowed = octets;
    this.#tls?.write(text);
  }

  /** Waits until the listener, or the system, has all that was to be sent. */
  async cutOff(): Promise<void> {
    await mustHappen(this.#cut.promise, "it is sent");
  }

  /** Waits until the listener has closed its side too. */
  async over(): Promise<void> {
    await mustHappen(
      new Promise<void>((resolve) => {
        if (this.#socket.readableEnded) resolve();
        else this.#socket.once("end", resolve);
      }),
      "the listener closes",
    );
  }

  [Symbol.dispose](): void {
    this.#tls?.destroy();
    this.#socket.destroy();
  }

  /** Sends what TLS sends, and ends where it may send no more. */
  #send(octets: Uint8Array, done: () => void): void {
    const allowed = octets.subarray(0, this.#allowed);
    this.#allowed -= octets.length;
    if (this.#allowed >= 0) this.#socket.write(allowed, done);
    else this.#socket.end(allowed, this.#cut.resolve);
  }

  #watch(socket: Socket): void {
    // A reset is as good as an end here.
    socket.on("error", () => {});
    socket.on("close", () => {
      this.#closed = true;
      this.#wake();
    });
  }

  #hear(octets: Uint8Array): void {
    this.#heard += new TextDecoder().decode(octets);
    this.#wake();
  }
}
