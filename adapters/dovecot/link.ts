/**
 * One connection to a Dovecot authentication server, with many questions in
 * flight on it.
 *
 * @module
 */

import type { TokenError } from "../../auth/types.ts";
import type { SocketAddress } from "../../net/address.ts";
import { readSome, tryClose, writeAll } from "../../net/conn.ts";
import { newLineReader } from "./lines.ts";
import {
  type DovecotReply,
  formatAuth,
  formatCancel,
  formatClientHandshake,
  formatCont,
  readReply,
} from "./protocol.ts";
import { type ClientMessage, explanationOf } from "./tokens.ts";

/** What became of a question. */
export type DovecotAnswer =
  | {
    readonly kind: "ok" | "fail";
    readonly fields: ReadonlyMap<string, string>;
    /** Why a token was refused, if the server has said it. */
    readonly tokenError?: TokenError;
  }
  /** The server does not have the mechanism. */
  | { readonly kind: "unknownMechanism" }
  /** There is no connection, or none any more. */
  | { readonly kind: "broken" }
  /** The server says something that no authentication server says. */
  | { readonly kind: "nonsense" };

/** A question under way. */
export interface DovecotQuestion {
  /** Never rejects; after `cancel` it may never resolve. */
  readonly answer: Promise<DovecotAnswer>;
  /** Nobody waits for the answer any more. */
  readonly cancel: () => void;
  /** It came too late: the connection may be one that nobody serves. */
  readonly giveUp: () => void;
}

/** What is said about a login, and the login itself. */
export interface SaidToDovecot {
  readonly message: ClientMessage;
  readonly fields: readonly string[];
}

const BROKEN: DovecotAnswer = { kind: "broken" };
const NONSENSE: DovecotAnswer = { kind: "nonsense" };
const UNKNOWN_MECHANISM: DovecotAnswer = { kind: "unknownMechanism" };

/**
 * How long a connection is used, in milliseconds. A Dovecot that is restarted
 * leaves its old process to those who are connected to it.
 */
const MAX_AGE_MS = 60_000;

/**
 * The most lines in a row that answer no question of ours. There are some twenty
 * in a handshake, and one for each question that nobody waits for any more.
 */
const MOST_IDLE_LINES = 10_000;

/** Ids are 32-bit numbers; half of them are enough. */
const MAX_ID = 0x7fff_ffff;

/** A question that waits for its answer. */
interface Pending {
  readonly resolve: (answer: DovecotAnswer) => void;
  /** What to say when the server explains a refusal; then it is said. */
  dummy: string | undefined;
  tokenError?: TokenError;
  /** Whether the server has been asked. */
  isSent?: true;
}

/** One connection, from before it is made until it has broken. */
export class Link {
  readonly #onEnd: () => void;
  readonly #questions = new Map<number, Pending>();
  /** What the server has said that it has. */
  readonly #mechanisms = new Set<string>();
  /** Whether the server has said all that; false if it never will. */
  readonly #ready = Promise.withResolvers<boolean>();
  readonly #oldAt: number = performance.now() + MAX_AGE_MS;
  #conn: Deno.UnixConn | Deno.TcpConn | undefined;
  #writing: Promise<void> = Promise.resolve();
  #ended = false;
  #retired = false;
  /** How many lines since the last one that was of use. */
  #idleLines = 0;
  #lastId = 0;

  /**
   * Connects.
   *
   * @param address Where the server is.
   * @param onEnd Called when the connection has broken or was closed.
   */
  constructor(address: SocketAddress, onEnd: () => void) {
    this.#onEnd = onEnd;
    this.#run(address).catch(() => {}).finally(() => this.#end(BROKEN));
  }

  /** Whether a new question should be asked here. */
  get isUsable(): boolean {
    return !this.#ended && !this.#retired && performance.now() < this.#oldAt;
  }

  /** Asks. */
  ask({ message, fields }: SaidToDovecot): DovecotQuestion {
    const id = this.#lastId = this.#lastId % MAX_ID + 1;
    const { promise, resolve } = Promise.withResolvers<DovecotAnswer>();
    const { mechanism, response, dummy } = message;
    const pending: Pending = { resolve, dummy };
    this.#questions.set(id, pending);
    this.#holdOrLetGo();
    this.#ready.promise.then((isReady) => {
      if (!isReady || !this.#questions.has(id)) return;
      if (!this.#mechanisms.has(mechanism)) {
        return this.#settle(id, UNKNOWN_MECHANISM);
      }
      pending.isSent = true;
      this.#send(formatAuth(id, mechanism, fields, response));
    });
    return {
      answer: promise,
      cancel: () => this.#cancel(id),
      giveUp: () => {
        // A server that hangs may have said much before.
        this.#retired = true;
        this.#cancel(id);
      },
    };
  }

  /** Ends it once all questions on it are answered. */
  retire(): void {
    this.#retired = true;
    this.#holdOrLetGo();
  }

  /** Ends it. */
  close(): void {
    this.#end(BROKEN);
  }

  async #run(address: SocketAddress): Promise<void> {
    const conn = this.#conn = await connect(address);
    // Whoever has asked may have gone meanwhile.
    this.#holdOrLetGo();
    if (this.#ended) return tryClose(conn);
    const processId = crypto.getRandomValues(new Uint32Array(1))[0] ?? 1;
    this.#send(formatClientHandshake((processId >>> 1) || 1));
    const readLines = newLineReader();
    const space = new Uint8Array(4096);
    for (;;) {
      const count = await readSome(conn, space);
      if (count === null || this.#ended) return;
      for (const line of readLines(space.subarray(0, count))) {
        if (line.tooLong) return this.#end(NONSENSE);
        this.#hear(readReply(line));
      }
    }
  }

  #hear(reply: DovecotReply): void {
    if (++this.#idleLines > MOST_IDLE_LINES) return this.#end(NONSENSE);
    switch (reply.kind) {
      case "version":
        if (reply.major !== 1) this.#end(NONSENSE);
        return;
      case "mech":
        this.#mechanisms.add(reply.mechanism);
        return;
      case "done":
        return this.#ready.resolve(true);
      case "ok":
      case "fail": {
        const { kind, id, fields } = reply;
        const tokenError = this.#questions.get(id)?.tokenError;
        const why = tokenError === undefined ? {} : { tokenError };
        return this.#settle(id, { kind, fields, ...why });
      }
      case "cont":
        return this.#goOn(reply.id, reply.challenge);
      case "other":
        return;
      default:
        reply satisfies never;
    }
  }

  /** Takes an explanation, and says that it was read. */
  #goOn(id: number, challenge: string): void {
    const pending = this.#questions.get(id);
    const tokenError = explanationOf(challenge);
    const dummy = pending?.dummy;
    if (pending === undefined || dummy === undefined) {
      // There is nothing left to ask for.
      this.#send(formatCancel(id));
      return this.#settle(id, NONSENSE);
    }
    pending.dummy = undefined;
    if (tokenError !== undefined) pending.tokenError = tokenError;
    this.#send(formatCont(id, dummy));
  }

  #settle(id: number, answer: DovecotAnswer): void {
    const pending = this.#questions.get(id);
    // Nobody: it was cancelled.
    if (pending === undefined) return;
    this.#idleLines = 0;
    this.#questions.delete(id);
    pending.resolve(answer);
    this.#holdOrLetGo();
  }

  #cancel(id: number): void {
    const pending = this.#questions.get(id);
    if (pending === undefined) return;
    this.#questions.delete(id);
    if (pending.isSent) this.#send(formatCancel(id));
    this.#holdOrLetGo();
  }

  #send(text: string): void {
    const octets = new TextEncoder().encode(text);
    this.#writing = this.#writing.then(async () => {
      if (this.#conn !== undefined && !this.#ended) {
        await writeAll(this.#conn, octets);
      }
    }).catch(() => this.#end(BROKEN));
  }

  /** What must be done when there are more questions, or fewer. */
  #holdOrLetGo(): void {
    // An idle connection is no reason for a program to go on.
    if (this.#questions.size > 0) this.#conn?.ref();
    else if (this.#retired) this.#end(BROKEN);
    else this.#conn?.unref();
  }

  #end(answer: DovecotAnswer): void {
    this.#ended = true;
    if (this.#conn !== undefined) tryClose(this.#conn);
    this.#ready.resolve(false);
    for (const { resolve } of this.#questions.values()) resolve(answer);
    this.#questions.clear();
    this.#onEnd();
  }
}

function connect(
  address: SocketAddress,
): Promise<Deno.UnixConn | Deno.TcpConn> {
  return "path" in address
    ? Deno.connect({ transport: "unix", path: address.path })
    : Deno.connect(address);
}
