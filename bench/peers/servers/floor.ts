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
const HOP_EHLO = encoder.encode("EHLO bench.example\r\n");
const config = serverConfig();
const replies = new Map(
  config.scripts.flatMap(({ turns }) => turns)
    .map(({ reply }) => [reply, encoder.encode(reply)]),
);
const greeting = encoder.encode(config.scripts[0]?.greeting);
const encrypt = config.encryption === "starttls"
  ? (await import("./node_tls.ts")).newEncrypt(config.certificate)
  : undefined;
const folder = config.maildir === undefined
  ? undefined
  : Deno.openSync(`${config.maildir}/new`);
let stored = 0;

/** Reads the first turn, which shows what conversation it is, and goes on. */
async function serve(pipe: Pipe): Promise<void> {
  await pipe.write(greeting);
  const space = new Uint8Array(MIN_READ_OCTETS);
  const count = await pipe.read(space);
  const script = config.scripts.find(({ turns }) => turns[0]?.octets === count);
  if (script === undefined) return;
  await follow(script, pipe, spaceFor(script, space));
}

function spaceFor(
  { turns }: Script,
  least: Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  const most = Math.max(...turns.map(({ octets }) => octets));
  if (most <= least.length) return least;
  return new Uint8Array(Math.min(MAX_READ_OCTETS, most));
}

async function follow(
  { turns, again }: Script,
  conn: Pipe,
  space: Uint8Array<ArrayBuffer>,
): Promise<void> {
  let pipe = conn;
  using hop = config.hopPort === undefined
    ? undefined
    : await connectHop(config.hopPort, space);
  for (let at = 0; at < turns.length;) {
    const turn = turns[at];
    if (turn === undefined) break;
    // The first has been read.
    if (at > 0 && !await hear(turn, pipe, space, hop)) break;
    if (turn.does === "ask" && config.authUrl !== undefined) {
      await ask(config.authUrl);
    }
    if (turn.does !== "relay") await pipe.write(encoded(turn));
    if (turn.does === "encrypt" && encrypt !== undefined) {
      pipe = await encrypt(pipe);
    }
    at++;
    if (at === turns.length && again !== undefined) at = again;
  }
}

async function hear(
  { does, octets }: Turn,
  pipe: Pipe,
  space: Uint8Array<ArrayBuffer>,
  hop: Deno.Conn | undefined,
): Promise<boolean> {
  if (does === "relay" && hop !== undefined) {
    return await handOn(pipe, space, octets, hop);
  }
  return does === "store" && config.maildir !== undefined
    ? await store(pipe, space, octets, config.maildir)
    : await skip(pipe, space, octets);
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

/** Connects to the next hop, and has its greeting and its reply to EHLO. */
async function connectHop(
  port: number,
  space: Uint8Array<ArrayBuffer>,
): Promise<Deno.Conn> {
  const hop = await Deno.connect({ hostname: "127.0.0.1", port });
  await hop.read(space);
  await hop.write(HOP_EHLO);
  await hop.read(space);
  return hop;
}

/** Hands a command or a message on, and the reply back. */
async function handOn(
  pipe: Pipe,
  space: Uint8Array<ArrayBuffer>,
  octets: number,
  hop: Deno.Conn,
): Promise<boolean> {
  for (let left = octets; left > 0;) {
    const count = await pipe.read(space);
    if (count === null) return false;
    left -= count;
    await hop.write(space.subarray(0, count));
  }
  const count = await hop.read(space);
  if (count === null) return false;
  await pipe.write(space.subarray(0, count));
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
    await serve(conn);
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
