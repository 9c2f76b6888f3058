/**
 * An HTTP endpoint that breaks in every way, and works in between.
 *
 * @module
 */

import { type RawConnection, type RawEnd, serveRaw } from "./raw_end.ts";

/** What the endpoint does with a question. */
export type Ailment =
  | "none"
  | "hangs"
  | "resets"
  | "garbage"
  | "trickles"
  | "diesInHead"
  | "diesInBody"
  | "closes"
  | "never ends";

/** An endpoint whose ailment can change at any time. */
export interface BrokenEnd extends AsyncDisposable {
  readonly url: string;
  ail(ailment: Ailment): void;
}

const YES = '{"ok":true}';

/** Starts an endpoint that says yes to everybody, until it is told to ail. */
export function serveBroken(): BrokenEnd {
  let ailment: Ailment = "none";
  const end: RawEnd = serveRaw(async (connection) => {
    try {
      // One connection may bring many questions.
      for (;;) {
        // What is closed with a question unread is reset by the system.
        if (ailment === "resets") return await connection.reset();
        await connection.readRequest();
        if (!await answer(connection, ailment)) return;
      }
    } catch {
      // The listener has hung up, as it may.
    }
  });
  return {
    url: `http://${end.host}/may-send`,
    ail: (next) => ailment = next,
    [Symbol.asyncDispose]: () => end[Symbol.asyncDispose](),
  };
}

/** Answers one question; false if the connection is over then. */
async function answer(
  { send, close, gone }: RawConnection,
  ailment: Ailment,
): Promise<boolean> {
  const head = `HTTP/1.1 200 OK\r\ncontent-length: ${YES.length}\r\n`;
  switch (ailment) {
    case "none":
      await send(`${head}\r\n${YES}`);
      return true;
    case "hangs":
      await gone();
      break;
    case "garbage":
      await send("220 mail.example.org ESMTP\r\n\0\xff\r\n\r\n");
      break;
    case "trickles":
      for (const octet of `${head}\r\n${YES}`) {
        await send(octet);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      break;
    case "diesInHead":
      await send(head);
      break;
    case "diesInBody":
      await send(`${head}\r\n${YES.slice(0, 6)}`);
      break;
    case "closes":
    case "resets":
      break;
    case "never ends":
      await send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
      for (;;) await send(`1000\r\n${" ".repeat(4096)}\r\n`);
    default:
      ailment satisfies never;
  }
  close();
  return false;
}
