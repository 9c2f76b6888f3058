/**
 * One connection to the next hop: moves octets between a socket and a session,
 * gives the replies to whoever waits for them, and keeps the time limits.
 *
 * @module
 */

import { faultOf } from "../../lib/network_fault.ts";
import { concat, free } from "../../lib/octets.ts";
import { type Conn, writeAll } from "../../net/conn.ts";
import type { Deadline } from "../../net/deadlines.ts";
import type { BodyReader } from "../../smtp/body_reader.ts";
import type { Mail } from "../../smtp/destination.ts";
import type { SmtpReply } from "../../smtp/protocol/replies.ts";
import { connect, type Connecting, encrypt } from "./connect.ts";
import type { Dialled } from "./dialler.ts";
import type { Extensions } from "./extensions.ts";
import { type Failure, RelayError } from "./failures.ts";
import type { MessageFront } from "./fitting.ts";
import { Opening, type RelayRules } from "./opening.ts";
import { RelaySession } from "./session.ts";

/** How long the next hop may take to read a piece. RFC 5321 section 4.5.3.2.5. */
const BLOCK_MS = 180_000;

/** How much is read at once, in octets: a reply is rarely larger. */
const READ_OCTETS = 4_096;

/**
 * How much of a message is put together at most, in octets: a small message
 * goes out in one write with what stands in front of it and what ends it.
 */
const PIECE_OCTETS = 16_384;

/** What is the same for all connections to a next hop. */
export interface UpstreamContext extends Connecting {
  /** The rules of its sessions, as they are now. */
  readonly rules: () => RelayRules;
  /** Whether TLS begins at once. */
  readonly implicitTls: boolean;
  /** Gets a token, where the login is by token. */
  readonly token: () => Promise<string>;
}

/** One connection to the next hop. */
export class Upstream {
  readonly #context: UpstreamContext;
  readonly #dialled: Dialled;
  readonly #deadline: Deadline;
  /** Whether it is open; if not, another one must be opened. */
  readonly #opened = Promise.withResolvers<boolean>();
  readonly #over = Promise.withResolvers<void>();
  /** Those who wait for replies, in order. */
  readonly #waiting: PromiseWithResolvers<SmtpReply>[] = [];
  #conn: Conn;
  #session: RelaySession;
  /** Why nothing more can be said. */
  #failure: RelayError | undefined;
  /** The last write; another one comes behind it. */
  #writing: Promise<void> = Promise.resolve();
  #onExpire: () => void = () => {};
  /** Wakes whoever sends a message when there is nobody to send it to. */
  #onEnd: () => void = () => {};

  private constructor(context: UpstreamContext, dialled: Dialled) {
    const { rules, implicitTls } = context;
    const { loopback, encrypt } = dialled;
    const encryptable = encrypt !== undefined;
    const peer = { tls: implicitTls, encryptable, loopback };
    this.#context = context;
    this.#dialled = dialled;
    this.#conn = dialled.conn;
    this.#session = new RelaySession(new Opening(rules(), peer));
    this.#deadline = context.deadlines.watch({
      expire: () => this.#onExpire(),
    });
  }

  /**
   * Opens a connection on which transactions can begin.
   *
   * @param signal Gives up when aborted.
   * @throws {RelayError} If there is none.
   */
  static async open(
    context: UpstreamContext,
    signal: AbortSignal,
  ): Promise<Upstream> {
    const upstream = new Upstream(context, await connect(context, signal));
    const giveUp = () => upstream.close();
    signal.addEventListener("abort", giveUp, { once: true });
    try {
      upstream.#run();
      if (signal.aborted) giveUp();
      const opened = await upstream.#opened.promise;
      return opened ? upstream : await Upstream.open(context, signal);
    } finally {
      signal.removeEventListener("abort", giveUp);
    }
  }

  /** Resolves when it is over. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  /** Whether it may be used. */
  get isOpen(): boolean {
    return this.#failure === undefined;
  }

  /** Whether the next hop has not answered everything yet. */
  get owesReply(): boolean {
    return this.#waiting.length > 0;
  }

  /** What the next hop can do. */
  get extensions(): Extensions {
    return this.#session.extensions;
  }

  /**
   * Begins a transaction.
   *
   * @param isUsed Whether it was used before: then this finds out first, in the
   * same packet if that may be, whether the next hop is still there.
   */
  async mail(mail: Mail, isUsed: boolean): Promise<SmtpReply> {
    const reset = isUsed ? this.#reset() : undefined;
    // Nobody waits for it if there is no MAIL to be said.
    reset?.catch(() => {});
    const reply = this.#ask((session) => session.mail(mail));
    this.#flush();
    await reset;
    return await reply;
  }

  /** Adds a recipient. */
  async rcpt(mailbox: string): Promise<SmtpReply> {
    const reply = this.#ask((session) => session.rcpt(mailbox));
    this.#flush();
    return await reply;
  }

  /** Ends a transaction that has no message. */
  async rset(): Promise<void> {
    const reset = this.#reset();
    this.#flush();
    await reset;
  }

  /**
   * Sends a message at the pace of the next hop.
   *
   * @param front What goes in front of it.
   * @param body The message. If it breaks, the connection is closed without the
   * end of a message, and this throws what it has thrown.
   * @returns The reply to the message, or to DATA, if that is refused.
   * @throws {RelayError} If there is none.
   * @throws {UnfitMessage} If the next hop cannot take what comes. What has gone
   * there is half a message: the connection is to be closed.
   */
  async message(
    front: MessageFront,
    body: BodyReader,
  ): Promise<SmtpReply> {
    const reply = await this.#startData(body);
    if (reply.code !== 354) return reply;
    const answer = this.#wait();
    this.#onEnd = () => body.cancel();
    if (!this.isOpen) this.#onEnd();
    const held: Uint8Array[] = [];
    for (let piece = await body.read(); piece && this.isOpen;) {
      held.push(...this.#stuffed(front.push(piece)));
      // No more is read before a large piece has gone: hundreds of clients may
      // wait for the next hop with one each.
      const isLarge = octetsOf(held) >= PIECE_OCTETS;
      const reading = isLarge ? undefined : body.read();
      const soon = reading && await atOnce(reading);
      if (soon === undefined && held.length > 0) {
        const octets = concat(held.splice(0));
        await this.#send(octets);
        if (body.isOwn) [octets, piece].forEach(free);
      }
      piece = soon !== undefined ? soon : await (reading ?? body.read());
    }
    // Throws if the client has gone, or what it sends is refused.
    if (!this.isOpen) await body.read();
    this.#onEnd = () => {};
    if (this.isOpen) {
      held.push(...this.#stuffed(front.end()), this.#session.endOfBody());
      this.#write(concat(held));
      this.#arm();
    }
    return await answer;
  }

  /** Asks for leave to send a message; from then on its client may leave. */
  async #startData(body: BodyReader): Promise<SmtpReply> {
    const data = this.#ask((session) => session.data());
    this.#flush();
    let state: "asked" | "broken" | "refused" = "asked";
    // The next hop may not answer then, or not read.
    body.onBroken(() => {
      if (state === "refused") return;
      state = "broken";
      this.close();
    });
    const reply = await data.catch(async (error) => {
      // Throws why.
      if (state === "broken") await body.read();
      throw error;
    });
    if (reply.code !== 354) state = "refused";
    return reply;
  }

  /** Has nothing to do for a while. */
  rest(milliseconds: number, onExpire: () => void): void {
    this.#limit(milliseconds, onExpire);
  }

  /** Leaves politely, where that is possible. */
  quit(): void {
    if (!this.isOpen) return;
    const bye = this.#ask((session) => session.quit());
    this.#flush();
    bye.then(() => this.close(), () => {});
  }

  /** Closes the connection as it is. */
  close(): void {
    this.#end(this.#session.ended("closed by us"));
  }

  async #run(): Promise<void> {
    try {
      if (this.#context.implicitTls) await this.#encrypt();
      await this.#talk();
    } catch (error) {
      this.#end(
        error instanceof RelayError
          ? error
          : this.#session.ended(faultOf(error)),
      );
    }
  }

  async #encrypt(): Promise<void> {
    this.#deadline.pause();
    this.#conn = await encrypt(this.#dialled, this.#context.deadlines);
    if (!this.isOpen) this.#conn.close();
  }

  /** Does what the session asks for until it is over. */
  async #talk(): Promise<void> {
    const space = new Uint8Array(READ_OCTETS);
    this.#arm();
    for (;;) {
      const action = this.#session.next();
      switch (action.kind) {
        case "needData": {
          this.#flush();
          const octets = await this.#conn.read(space);
          if (octets === null) {
            return this.#end(this.#session.ended("closed by the next hop"));
          }
          this.#session.receive(space.subarray(0, octets));
          break;
        }
        case "startTls":
          await this.#encrypt();
          this.#session = this.#session.afterTls();
          break;
        case "getToken":
          this.#session.useToken(await this.#context.token());
          break;
        case "opened":
          this.#arm();
          this.#opened.resolve(true);
          break;
        case "redial":
          this.#context.dialler.expectTls();
          this.#opened.resolve(false);
          return this.close();
        case "reply":
          this.#arm();
          this.#waiting.shift()?.resolve(action.reply);
          break;
        case "failed":
          // At once: whoever has had a reply may be about to go on.
          return this.#end(action.failure);
        default:
          action satisfies never;
      }
    }
  }

  async #reset(): Promise<void> {
    const reply = await this.#ask((session) => session.rset());
    if (reply.code < 300) return;
    this.close();
    // The reply to what was pipelined behind it may be here already.
    throw this.#failure;
  }

  /** Gives the session a command, if there is still somebody to read it. */
  #ask(command: (session: RelaySession) => void): Promise<SmtpReply> {
    if (this.isOpen) command(this.#session);
    // Nothing need come that would wake whoever reads.
    const { failure } = this.#session;
    if (failure !== undefined) this.#end(failure);
    return this.#wait();
  }

  #wait(): Promise<SmtpReply> {
    const waiter = Promise.withResolvers<SmtpReply>();
    // Whoever waits for several may have been told by the first.
    waiter.promise.catch(() => {});
    if (this.#failure === undefined) this.#waiting.push(waiter);
    else waiter.reject(this.#failure);
    return waiter.promise;
  }

  /** Writes what the session has to say. */
  #flush(): void {
    const octets = this.#session.takeOutput();
    // What the next hop says meanwhile is no reason to wait longer for it.
    if (octets.length === 0) return;
    this.#arm();
    this.#write(octets);
  }

  #stuffed(pieces: readonly Uint8Array[]): Uint8Array[] {
    return pieces.map((piece) => this.#session.body(piece));
  }

  /** Sends a piece of a message. */
  async #send(octets: Uint8Array): Promise<void> {
    this.#limit(BLOCK_MS, () => this.#end(this.#session.timedOut()));
    await this.#write(octets);
    this.#deadline.pause();
  }

  /** Why a write fails shows in the read that is always under way. */
  #write(octets: Uint8Array): Promise<void> {
    const conn = this.#conn;
    const write = () => writeAll(conn, octets);
    this.#writing = this.#writing.then(write).catch(() => {});
    return this.#writing;
  }

  /** Waits as long as the session would for what comes next. */
  #arm(): void {
    const { waitMs } = this.#session;
    if (waitMs === undefined) this.#deadline.pause();
    else this.#limit(waitMs, () => this.#end(this.#session.timedOut()));
  }

  #limit(milliseconds: number, onExpire: () => void): void {
    if (!this.isOpen) return;
    this.#onExpire = onExpire;
    this.#deadline.renew(milliseconds);
  }

  /** It is over: tells all who wait. The first reason stays. */
  #end(failure: Failure): void {
    if (this.#failure !== undefined) return;
    const error = this.#failure = new RelayError(failure);
    this.#deadline.stop();
    this.#conn.close();
    this.#dialled.conn.close();
    this.#opened.promise.catch(() => {});
    this.#opened.reject(error);
    for (const { reject } of this.#waiting.splice(0)) reject(error);
    this.#onEnd();
    this.#over.resolve();
  }
}

/** How many turns something may take that is as good as there. */
const TURNS = 8;

/** What a promise resolves to, if it does so before anything else happens. */
async function atOnce<T>(promise: Promise<T>): Promise<T | undefined> {
  let value: T | undefined;
  promise.then((settled) => value = settled, () => {});
  for (let turn = 0; turn < TURNS && value === undefined; turn++) {
    await undefined;
  }
  return value;
}

function octetsOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, { length }) => sum + length, 0);
}
