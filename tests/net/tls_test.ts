import { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";
import { newEncrypt } from "../../net/tls.ts";
import { assertEquals } from "../support/assert.ts";
import { testCertificate } from "../support/certificate.ts";
import { mustHappen } from "../../testing/deadline.ts";
import { connectTo, MemorySocket } from "../support/tls_pair.ts";

/** The prototype of the class that Deno's own engine is made of. */
function wrapPrototype(): object {
  const socket = new TLSSocket(new Duplex({ read() {} }));
  socket.on("error", () => {});
  const handle: object = Reflect.get(socket, "_handle");
  socket.destroy();
  return Object.getPrototypeOf(handle);
}

/** Somebody who looks at a method of the engine. */
type Looker = "whoever asks whether it is there" | "whoever calls it";

/** Puts something in place of a method until it is looked at once. */
function failOnce(
  name: string,
  looker: Looker,
  instead: (() => never) | undefined,
): { readonly failed: () => boolean } {
  const prototype = wrapPrototype();
  const method = Object.getOwnPropertyDescriptor(prototype, name);
  if (method === undefined) throw new Error(`There is no ${name}`);
  let failed = false;
  Object.defineProperty(prototype, name, {
    configurable: true,
    get(this: object) {
      const isCall = this !== prototype;
      if (isCall !== (looker === "whoever calls it")) return method.value;
      failed = true;
      Object.defineProperty(prototype, name, method);
      return instead;
    },
  });
  return { failed: () => failed };
}

function otherwise(): never {
  throw new Error("another signature");
}

for (
  const [what, name, looker, instead] of [
    [
      "lacks a method",
      "useUserBuffer",
      "whoever asks whether it is there",
      undefined,
    ],
    ["cannot talk to itself", "drainEncOut", "whoever calls it", otherwise],
    ["cannot be made", "initClientTls", "whoever calls it", otherwise],
  ] as const
) {
  Deno.test(`newEncrypt() takes node's TLS where Deno's engine ${what}`, async () => {
    const certificate = await testCertificate();
    const broken = failOnce(name, looker, instead);
    const encrypt = newEncrypt(certificate);
    const socket = new MemorySocket();
    // The client would look at the method as well.
    while (!broken.failed()) await new Promise((next) => setTimeout(next, 0));
    const peer = connectTo(socket, {});
    const connection = await mustHappen(encrypt(socket), "the handshake ends");
    await connection.write(new TextEncoder().encode("220 "));
    peer.tls.write("EHLO ");
    const space = new Uint8Array(16);
    const count = await mustHappen(connection.read(space), "octets come");
    assertEquals(
      new TextDecoder().decode(space.subarray(0, count ?? 0)),
      "EHLO ",
    );
    await connection.closeWrite();
    await mustHappen(peer.ended, "the client hears the end");
    assertEquals(peer.heard(), "220 ");
    connection.close();
  });
}
