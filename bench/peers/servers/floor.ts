/**
 * The floor: a bare listener that answers by counting octets. It parses
 * nothing and checks nothing, so it shows what reading, writing, TLS, fetch and
 * the disk cost in Deno at the least.
 *
 * @module
 */

import { type Script, serverConfig, type Turn } from "../config.ts";

/** What the floor needs of a connection. */
interface Pipe {
  read(into: Uint8Array<ArrayBuffer>): Promise<number | null>;
  write(octets: Uint8Array): Promise<number>;
  close(): void;
}

/** The largest piece to read at once, and the smallest buffer for it. */
const MAX_READ_OCTETS = 65_536;
const MIN_READ_OCTETS = 1_024;

/** More than this is not written in one go: it could block all others. */
const SYNC_OCTETS = 65_536;

const encoder = new TextEncoder();
const config = serverConfig();
const replies = new Map(
  config.script.turns.map(({ reply }) => [reply, encoder.encode(reply)]),
);
const greeting = encoder.encode(config.script.greeting);
const encrypt = config.encryption === "starttls"
  ? (await import("./node_tls.ts")).newEncrypt(config.certificate)
  : undefined;
const readOctets = Math.min(
  MAX_READ_OCTETS,
  Math.max(MIN_READ_OCTETS, ...config.script.turns.map((turn) => turn.octets)),
);
const folder = config.maildir === undefined
  ? undefined
  : Deno.openSync(`${config.maildir}/new`);
let stored = 0;

async function serve(conn: Pipe, { turns, again }: Script): Promise<void> {
  let pipe = conn;
  const space = new Uint8Array(readOctets);
  await pipe.write(greeting);
  for (let at = 0; at < turns.length;) {
    const turn = turns[at];
    if (turn === undefined) break;
    if (turn.does === "store" && config.maildir !== undefined) {
      if (!await store(pipe, space, turn.octets, config.maildir)) break;
    } else if (!await skip(pipe, space, turn.octets)) break;
    if (turn.does === "ask" && config.authUrl !== undefined) {
      await ask(config.authUrl);
    }
    await pipe.write(encoded(turn));
    if (turn.does === "encrypt" && encrypt !== undefined) {
      pipe = await encrypt(pipe);
    }
    at++;
    if (at === turns.length && again !== undefined) at = again;
  }
}

function encoded({ reply }: Turn): Uint8Array {
  return replies.get(reply) ?? encoder.encode(reply);
}

async function skip(
  pipe: Pipe,
  space: Uint8Array<ArrayBuffer>,
  octets: number,
): Promise<boolean> {
  for (let left = octets; left > 0;) {
    const count = await pipe.read(space);
    if (count === null) return false;
    left -= count;
  }
  return true;
}

/** The same promise as any Maildir's: on the disk before it is answered. */
async function store(
  pipe: Pipe,
  space: Uint8Array<ArrayBuffer>,
  octets: number,
  maildir: string,
): Promise<boolean> {
  let left = octets;
  const first = await pipe.read(space);
  if (first === null) return false;
  left -= first;
  const name = `${Deno.pid}.${stored++}`;
  using file = Deno.openSync(`${maildir}/tmp/${name}`, {
    write: true,
    createNew: true,
  });
  file.writeSync(space.subarray(0, first));
  while (left > 0) {
    const count = await pipe.read(space);
    if (count === null) return false;
    left -= count;
    const piece = space.subarray(0, count);
    if (octets <= SYNC_OCTETS) file.writeSync(piece);
    else await file.write(piece);
  }
  await file.sync();
  Deno.renameSync(`${maildir}/tmp/${name}`, `${maildir}/new/${name}`);
  await folder?.sync();
  return true;
}

async function ask(url: string): Promise<void> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: encoder.encode(JSON.stringify({
      ...config.login,
      mechanism: "PLAIN",
      remoteIp: "127.0.0.1",
      heloName: "bench",
    })),
  });
  await response.json();
}

async function run(conn: Pipe): Promise<void> {
  try {
    await serve(conn, config.script);
  } catch {
    // The client has gone.
  } finally {
    try {
      conn.close();
    } catch {
      // It was closed with its TLS.
    }
  }
}

const { port } = config;
const listener: { accept(): Promise<Pipe> } = config.encryption === "implicit"
  ? Deno.listenTls({ port, hostname: "127.0.0.1", ...config.certificate })
  : Deno.listen({ port, hostname: "127.0.0.1" });
for (;;) run(await listener.accept());
