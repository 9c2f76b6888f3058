/**
 * One mail server's connection to our Dovecot adapter: moves octets between it
 * and a session, and asks the provider.
 *
 * @module
 */

import type { AuthRequest } from "../../auth/types.ts";
import { nextTurn } from "../../lib/next_turn.ts";
import { type Conn, readSome, tryClose, writeAll } from "../../net/conn.ts";
import { askInTime } from "../ask.ts";
import type { AuthServerContext } from "../auth_server.ts";
import type { DovecotAction, DovecotSession } from "./session.ts";

/**
 * Room for one read, in octets: a question or a few. Deno may look for news from
 * other sockets only at every sixtieth turn of a busy loop, so that a turn must
 * be short.
 */
const READ_OCTETS = 512;

/** After how many reads others have a turn in any case. */
const READS_IN_A_ROW = 16;

/** A mail server that asks, many questions at a time. */
export class DovecotConnection {
  readonly #conn: Conn;
  readonly #context: AuthServerContext;
  readonly #session: DovecotSession;
  /** The questions under way, by the mail server's numbers. */
  readonly #asking = new Map<number, AbortController>();
  #writing: Promise<void> = Promise.resolve();
  #closed = false;

  /**
   * @param conn Its socket.
   * @param context What the server tells all connections.
   * @param session What is said on it.
   */
  constructor(
    conn: Conn,
    context: AuthServerContext,
    session: DovecotSession,
  ) {
    this.#conn = conn;
    this.#context = context;
    this.#session = session;
  }

  /** Serves it until it is over. */
  async run(): Promise<void> {
    const { stop } = this.#context;
    const onStop = () => this.#closeIfDone();
    stop.addEventListener("abort", onStop);
    try {
      this.#act(this.#session.open());
      this.#closeIfDone();
      await this.#read();
    } finally {
      stop.removeEventListener("abort", onStop);
      for (const abort of this.#asking.values()) abort.abort();
      await this.#writing;
    }
  }

  async #read(): Promise<void> {
    const { stop } = this.#context;
    const space = new Uint8Array(READ_OCTETS);
    for (let reads = 1; !this.#closed; reads++) {
      // A client that does not read is not read from.
      await this.#writing;
      const count = await readSome(this.#conn, space);
      if (count === null) return;
      // No new questions once the server stops: the old ones end it.
      if (stop.aborted) continue;
      const octets = space.subarray(0, count);
      const actions = this.#session.receive(octets, performance.now());
      this.#act(actions);
      // Who says much at once does not keep the others waiting.
      const isMuch = actions.length > 1 || reads % READS_IN_A_ROW === 0;
      if (isMuch) await nextTurn();
    }
  }

  #act(actions: readonly DovecotAction[]): void {
    const { report, ends, id } = this.#context;
    let text = "";
    for (const action of actions) {
      switch (action.kind) {
        case "send":
          text += action.text;
          break;
        case "ask":
          this.#ask(action.id, action.request);
          break;
        case "drop":
          this.#asking.get(action.id)?.abort();
          this.#asking.delete(action.id);
          break;
        case "ended":
          report({ ...action.event, id });
          break;
        case "close":
          if (action.why === undefined) ends("temporary-failure");
          else ends("bad-protocol", action.why);
          break;
        default:
          action satisfies never;
      }
    }
    if (text !== "") this.#send(text);
    if (actions.some(({ kind }) => kind === "close")) this.#close();
  }

  async #ask(id: number, request: AuthRequest): Promise<void> {
    const abort = new AbortController();
    this.#asking.set(id, abort);
    const { signal } = abort;
    const asked = await askInTime(request, { ...this.#context, signal });
    if (this.#asking.get(id) === abort) this.#asking.delete(id);
    this.#context.report(asked.event);
    if (!signal.aborted) this.#act(this.#session.decided(id, asked.result));
    this.#closeIfDone();
  }

  #send(text: string): void {
    const octets = new TextEncoder().encode(text);
    this.#writing = this.#writing.then(() => writeAll(this.#conn, octets))
      // Whoever does not read has gone: the read under way finds out.
      .catch(() => tryClose(this.#conn));
  }

  /** Closes once all that was said is written. */
  #close(): void {
    this.#closed = true;
    this.#writing = this.#writing.then(() => tryClose(this.#conn));
  }

  #closeIfDone(): void {
    if (this.#context.stop.aborted && this.#asking.size === 0) this.#close();
  }
}
