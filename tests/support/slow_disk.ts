/**
 * A listener that keeps mail in a Maildir on a disk that is slow: a process of
 * its own, so that its memory can be measured. Prints its port.
 *
 * Arguments: a folder, and how many octets a second the disk takes.
 *
 * @module
 */

import type { SmtpMessage } from "../../smtp/envelope.ts";
import { serveSmtp } from "../../smtp/listener.ts";
import { openMaildir } from "../../smtp/maildir.ts";

/** How often the disk takes something, in milliseconds. */
const TICK_MS = 10;

const [folder = "", rate = ""] = Deno.args;
const deliver = openMaildir(folder, "mail.example.org");

/** Those who wait for the disk, and how much it takes at this moment. */
const waiting: { readonly octets: number; readonly go: () => void }[] = [];
let room = 0;
setInterval(() => {
  room = Math.min(room, 0) + Number(rate) * TICK_MS / 1000;
  while (room > 0) {
    const next = waiting.shift();
    if (next === undefined) break;
    room -= next.octets;
    next.go();
  }
}, TICK_MS);

/** Lets octets through at the pace of the disk, and keeps none. */
function slowed(body: SmtpMessage["body"]): SmtpMessage["body"] {
  const reader = body.getReader();
  return new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      const { done, value } = await reader.read();
      if (done) return controller.close();
      await new Promise<void>((go) =>
        waiting.push({ octets: value.length, go })
      );
      controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
}

const server = serveSmtp(
  { port: 0, provider: () => "authOk", requireAuth: false },
  async ({ envelope, body }) => {
    const reply = await deliver({ envelope, body: slowed(body) });
    // The disk need not be large as well.
    for (const { name } of Deno.readDirSync(`${folder}/new`)) {
      Deno.removeSync(`${folder}/new/${name}`);
    }
    return reply;
  },
);
console.log(server.addrs[0]?.port);
