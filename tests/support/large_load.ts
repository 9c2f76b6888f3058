/**
 * Many clients that send a large message each, at once, to a listener in a
 * process of its own; and what that costs it.
 *
 * @module
 */

import { type Held, heldBy } from "./watch.ts";

/** How much load. */
export interface LargeLoad {
  /** The listener: a program that prints its port, and its arguments. */
  readonly program: readonly [URL, ...readonly string[]];
  readonly clients: number;
  /** The size of each message. */
  readonly octets: number;
  /** What a client reads that has sent one. */
  readonly accepted: RegExp;
  /** What one reads before DATA that is to come again. Default: nothing. */
  readonly busy?: RegExp;
  /** Connects to the port. Default: in plain text. */
  readonly open?: (port: number) => Promise<Deno.Conn>;
}

/** What the listener held, in KiB. */
export interface LoadCost {
  /** When it had served one client. */
  readonly before: Held;
  /** The most while all were sending. */
  readonly peakKiB: number;
  /** When all had been served. */
  readonly after: Held;
}

const CONFIG = new URL("../../deno.json", import.meta.url);
const encoder = new TextEncoder();
const decoder = new TextDecoder();
const PIECE = encoder.encode(`${"x".repeat(998)}\r\n`.repeat(64));

/** Starts the listener, sends everything, and fails if a message is refused. */
export async function loadLarge(load: LargeLoad): Promise<LoadCost> {
  const [program, ...args] = load.program;
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--quiet", "--no-prompt", "--config"],
      ...[decodeURI(CONFIG.pathname), "-P", decodeURI(program.pathname)],
      ...args,
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  try {
    return await measure(child.pid, Number((await lines.read()).value), load);
  } finally {
    child.kill("SIGKILL");
    await lines.cancel();
    await child.status;
  }
}

async function measure(
  pid: number,
  port: number,
  { clients, octets, accepted, busy, open = openPlain }: LargeLoad,
): Promise<LoadCost> {
  const send = async (octets: number) => {
    for (let isSent = false; !isSent;) {
      using conn = await open(port);
      isSent = await sendLarge(conn, octets, { accepted, busy });
    }
  };
  await send(1000);
  const before = heldBy(pid);
  let peakKiB = 0;
  const measuring = setInterval(() => {
    peakKiB = Math.max(peakKiB, heldBy(pid).rssKiB);
  }, 100);
  try {
    const sending = Array.from(
      { length: clients },
      () => send(octets),
    );
    await Promise.all(sending);
  } finally {
    clearInterval(measuring);
  }
  return { before, peakKiB, after: heldBy(pid) };
}

function openPlain(port: number): Promise<Deno.Conn> {
  return Deno.connect({ hostname: "127.0.0.1", port });
}

/** What a client may read. */
interface Expected {
  readonly accepted: RegExp;
  readonly busy: RegExp | undefined;
}

/**
 * Sends one message of so many octets, and waits for its 250 without end; false
 * if it is to come again.
 */
async function sendLarge(
  conn: Deno.Conn,
  octets: number,
  { accepted, busy }: Expected,
): Promise<boolean> {
  const envelope = [
    "EHLO client.example.net",
    "MAIL FROM:<ann@example.org>",
    "RCPT TO:<bob@example.net>",
    "DATA",
    "",
  ];
  await writeAll(conn, encoder.encode(envelope.join("\r\n")));
  if (await readUntil(conn, /^354 /m, busy) === "other") return false;
  for (let sent = 0; sent < octets; sent += PIECE.length) {
    await writeAll(conn, PIECE.subarray(0, octets - sent));
  }
  await writeAll(conn, encoder.encode("\r\n.\r\n"));
  await readUntil(conn, accepted);
  return true;
}

async function writeAll(conn: Deno.Conn, octets: Uint8Array): Promise<void> {
  for (let sent = 0; sent < octets.length;) {
    sent += await conn.write(octets.subarray(sent));
  }
}

/** Reads until one of the two has come; any other refusal is an error. */
async function readUntil(
  conn: Deno.Conn,
  wanted: RegExp,
  other?: RegExp,
): Promise<"wanted" | "other"> {
  const space = new Uint8Array(1024);
  let said = "";
  for (;;) {
    const count = await conn.read(space);
    if (count === null) throw new Error(`The listener has closed: ${said}`);
    said += decoder.decode(space.subarray(0, count));
    if (wanted.test(said)) return "wanted";
    if (other?.test(said)) return "other";
    if (/^[45]/m.test(said)) throw new Error(`The listener refuses: ${said}`);
  }
}
