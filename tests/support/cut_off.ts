/**
 * Clients that go away in the middle of a session, in every way to go.
 *
 * @module
 */

import { connect, type Socket } from "node:net";
import { mustHappen } from "../../testing/deadline.ts";

/** How a client goes. */
export type Way =
  /** Closes its sending half, and reads on to the end. */
  | "half"
  /** Closes the whole connection (FIN). */
  | "close"
  /** Resets it (RST). */
  | "reset";

/** All ways to go. */
export const WAYS: readonly Way[] = ["half", "close", "reset"];

/** One thing that a client says, and how many replies it waits for. */
export interface Saying {
  readonly text: string;
  readonly replies: number;
}

/** How far a client goes, and how it leaves. */
export interface CutOff {
  /** After so many octets of all that would be said. */
  readonly after: number;
  readonly way: Way;
  /** Sends all at once, instead of waiting for each reply. */
  readonly atOnce: boolean;
}

/**
 * Says things up to a point and goes.
 *
 * @returns All that the server has said until then.
 */
export async function sayUntil(
  port: number,
  sayings: readonly Saying[],
  { after, way, atOnce }: CutOff,
): Promise<string> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  const hearing = new Hearing(socket);
  try {
    // The greeting comes before anything is said.
    let replies = atOnce ? 0 : 1;
    let left = after;
    let batch = "";
    for (const saying of sayings) {
      if (left < 0) break;
      const part = saying.text.slice(0, left);
      left -= saying.text.length;
      if (atOnce) batch += part;
      else {
        await hearing.replies(replies);
        socket.write(part);
        replies += saying.replies;
      }
    }
    // Written at once and reset at once would be as if nothing was written.
    if (atOnce) await written(socket, batch);
    else await written(socket, "");
    if (way === "half") {
      socket.end();
      await hearing.end();
    }
  } finally {
    if (way === "reset") socket.resetAndDestroy();
    else socket.destroy();
    await hearing.closed();
  }
  return hearing.text;
}

function written(socket: Socket, text: string): Promise<void> {
  return mustHappen(
    new Promise<void>((resolve, reject) => {
      socket.write(text, (error) => error ? reject(error) : resolve());
    }),
    "the client has written",
  );
}

/** What a socket hears. */
class Hearing {
  text = "";
  readonly #socket: Socket;
  readonly #closed: Promise<void>;
  #ended = false;
  #wake: (() => void) | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => {
      this.text += text;
      this.#wake?.();
    });
    const over = () => {
      this.#ended = true;
      this.#wake?.();
    };
    socket.on("end", over);
    // A reset, by whichever side: the close follows.
    socket.on("error", over);
    this.#closed = new Promise((resolve) => {
      socket.on("close", () => {
        over();
        resolve();
      });
    });
  }

  /** Waits until so many replies have come in all, or no more will. */
  replies(count: number): Promise<void> {
    return this.#until(
      () => (this.text.match(/^[0-9]{3}(?!-).*\r\n/gm) ?? []).length >= count,
      `${count} replies`,
    );
  }

  /** Waits until the server has said everything. */
  end(): Promise<void> {
    return this.#until(() => false, "the end");
  }

  /** Waits until the socket is gone. */
  closed(): Promise<void> {
    this.#socket.resume();
    return mustHappen(this.#closed, "the socket is closed");
  }

  async #until(seen: () => boolean, what: string): Promise<void> {
    while (!seen() && !this.#ended) {
      const woken = new Promise<void>((resolve) => this.#wake = resolve);
      await mustHappen(woken, `${what}, after ${this.text}`);
    }
  }
}
