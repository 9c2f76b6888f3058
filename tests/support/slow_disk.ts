/**
 * A listener that keeps mail in a Maildir on a disk that is slow: a process of
 * its own, so that its memory can be measured. Prints its port.
 *
 * Arguments: a folder, how many octets a second the disk takes, how clients
 * come in, a certificate and its key in PEM.
 *
 * @module
 */

import { serveSmtp } from "../../smtp/listener.ts";
import { openMaildir } from "../../delivery/maildir.ts";

/** How often the disk takes something, in milliseconds. */
const TICK_MS = 10;

const [folder = "", rate = "", way = "", cert = "", key = ""] = Deno.args;
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

/** Waits until the disk has taken so many octets. */
function taken(octets: number): Promise<void> {
  return new Promise((go) => waiting.push({ octets, go }));
}

// The disk is behind the files, and nobody in front of them knows of it.
const { write, writeSync, sync } = Deno.FsFile.prototype;
Object.assign(Deno.FsFile.prototype, {
  async write(this: Deno.FsFile, octets: Uint8Array): Promise<number> {
    await taken(octets.length);
    return await write.call(this, octets);
  },
  writeSync(this: Deno.FsFile, octets: Uint8Array): number {
    room -= octets.length;
    return writeSync.call(this, octets);
  },
  async sync(this: Deno.FsFile): Promise<void> {
    await taken(0);
    await sync.call(this);
  },
});

const server = serveSmtp(
  {
    ...{ port: 0, tlsPort: 0, cert, key },
    ...way === "implicit TLS behind PROXY"
      ? { proxyProtocolFrom: ["127.0.0.0/8"] }
      : {},
    provider: () => "authOk",
    requireAuth: false,
  },
  async (message) => {
    const reply = await deliver(message);
    // The disk need not be large as well.
    for (const { name } of Deno.readDirSync(`${folder}/new`)) {
      Deno.removeSync(`${folder}/new/${name}`);
    }
    return reply;
  },
);
console.log(server.addrs[way.startsWith("implicit") ? 1 : 0]?.port);
