/**
 * The clients of a soak: good ones, bad ones, and those who are cut off. Each
 * says through the PROXY protocol that it comes from a network of its own kind.
 *
 * @module
 */

import { assert, assertEquals } from "../support/assert.ts";
import { newFuzzCase } from "../support/fuzz.ts";
import { pick } from "../support/random.ts";
import { textOf } from "../support/session.ts";
import { plain, SmtpClient } from "../../testing/client.ts";
import type { SeenRequest } from "../support/http_end.ts";
import { cutInside } from "./cut_inside.ts";
import { enter, type Entry } from "./entries.ts";
import { type Ledger, wireOf } from "./ledger.ts";

/** The largest message that the listener is to take, in octets. */
export const MAX_SIZE = 4_000_000;

/** How many users there are. */
export const USERS = 50;

/** Asked about this one, the endpoint fails. */
const DOWN = "down@example.org";

/** Where the clients go, and what they write down. */
export interface Soak {
  /** All ways in. */
  readonly entries: readonly Entry[];
  /** The certificate that the listeners have. */
  readonly trusted: string;
  readonly random: (below: number) => number;
  readonly ledger: Ledger;
  readonly tally: Tally;
}

/** What has happened so far. */
export interface Tally {
  /** Replies of 4xx and 5xx to those who had earned them. */
  refusals: number;
  /** Connections that the client gave up in the middle. */
  cutOff: number;
}

/** The name of a user. */
export function userName(index: number): string {
  return `user${index}@example.org`;
}

/** The endpoint's answer: most logins at once, some a little later. */
export async function answer(request: SeenRequest): Promise<Response> {
  const asked: unknown = JSON.parse(request.body);
  const { username, password } = asked as Record<string, unknown>;
  if (username === DOWN) return new Response("down", { status: 503 });
  const late = String(username).length % 2 === 0 ? 20 : 1;
  await new Promise((resolve) => setTimeout(resolve, late));
  return Response.json({ ok: password === passwordOf(String(username)) });
}

function passwordOf(username: string): string {
  return /^user\d+@/.test(username) ? `right for ${username}` : "";
}

function headerFrom(address: string): string {
  return `PROXY TCP4 ${address} 192.0.2.1 40000 587\r\n`;
}

function homeOf(user: number): string {
  return headerFrom(`10.0.${user}.5`);
}

function badHome({ random }: Soak): string {
  return headerFrom(`203.0.113.${random(250)}`);
}

/** Comes in one way or another, up to the reply to EHLO. */
function greeted(
  { random, entries, trusted }: Soak,
  header: string,
): Promise<SmtpClient> {
  return enter(pick(random, entries), header, trusted);
}

/** Logs in as a user, sends up to three messages, and quits. */
export async function good(
  soak: Soak,
  user: number = soak.random(USERS),
): Promise<string> {
  const { ledger, random } = soak;
  using client = await greeted(soak, homeOf(user));
  await client.login(userName(user), passwordOf(userName(user)));
  let said = "";
  for (let count = 1 + random(3); count > 0; count--) {
    const number = ledger.next();
    await client.envelope(userName(user), ["bob@example.net"]);
    ledger.ended.add(number);
    await client.sendRaw(wireOf(number));
    said = (await client.expect("250 2.0.0")).lines.join("");
    ledger.answered.add(number);
  }
  await client.command("QUIT", "221");
  await client.expectEnd();
  return said;
}

/** One of the bad clients. */
export async function bad(soak: Soak): Promise<void> {
  await pick(soak.random, BAD)(soak);
}

const BAD: readonly ((soak: Soak) => Promise<void>)[] = [
  // A phone with an old password, at home.
  async (soak) => {
    const user = soak.random(USERS);
    using client = await greeted(soak, homeOf(user));
    await client.login(userName(user), "old password", "535");
    soak.tally.refusals++;
  },
  // Somebody who guesses: told no, later, or not any more.
  async (soak) => {
    using client = await greeted(soak, badHome(soak));
    const name = pick(soak.random, [userName(soak.random(USERS)), "root"]);
    await client.send(`AUTH PLAIN ${plain(name, `${soak.random(1e9)}`)}`);
    const { status } = await client.reply();
    assert(/^(535 5|454 4)/.test(status), status);
    soak.tally.refusals++;
  },
  async (soak) => {
    using client = await greeted(soak, headerFrom("198.51.100.9"));
    await client.login(DOWN, "any", "454");
    soak.tally.refusals++;
  },
  async (soak) => {
    using client = await greeted(soak, badHome(soak));
    for (let count = 0; count < 3; count++) {
      await client.command("AUTH PLAIN AGFu", "501");
    }
    await client.command("MAIL FROM:<ann@example.org>", "530");
    soak.tally.refusals += 4;
  },
  // Lines that mean nothing, until the listener has enough.
  async (soak) => {
    using client = await greeted(soak, badHome(soak));
    for (let count = 0; count < 25; count++) await client.send("XYZZY");
    const said = await client.rest();
    assert(/\r\n421 [^\r]*\r\n$/.test(said), said);
    soak.tally.refusals += said.split("\r\n").length - 1;
  },
  async (soak) => {
    using client = await loggedIn(soak);
    await client.command(
      `MAIL FROM:<a@example.org> SIZE=${MAX_SIZE + 1}`,
      "552",
    );
    soak.tally.refusals++;
  },
  // A message that is too large, or has a bare line end in it.
  async (soak) => {
    using client = await loggedIn(soak);
    await client.envelope();
    const size = soak.random(8) === 0 ? MAX_SIZE : 0;
    await client.sendRaw("x".repeat(size) + "\r\nbare\nend\r\n.\r\n");
    const { status } = await client.reply();
    assertEquals(status.slice(0, 1), "5", status);
    soak.tally.refusals++;
  },
  // Noise. What guesses are in it may be held up for long, one after another.
  async (soak) => {
    const { port, isProxied } = pick(soak.random, soak.entries);
    const wire = await Deno.connect({ hostname: "127.0.0.1", port });
    const { turns } = newFuzzCase(soak.random(1e9));
    const header = new TextEncoder().encode(isProxied ? badHome(soak) : "");
    const noise = new Blob([header, ...turns]).stream();
    const [said] = await Promise.all([
      textUntilEnd(wire),
      noise.pipeTo(wire.writable, { preventAbort: true }).catch(() => {}),
    ]);
    soak.tally.refusals += said.split(/^[45]/m).length - 1;
  },
  // A listener for proxies has no word for others.
  async (soak) => {
    const proxied = soak.entries.filter(({ isProxied }) => isProxied);
    using client = await SmtpClient.open(pick(soak.random, proxied).port);
    await client.sendRaw("GET / HTTP/1.1\r\n\r\n");
    assertEquals(await client.rest(), "");
    soak.tally.refusals++;
  },
];

/** All that comes until the end of a connection, whatever ends it. */
async function textUntilEnd(wire: Deno.Conn): Promise<string> {
  const space = new Uint8Array(4096);
  let text = "";
  try {
    for (;;) {
      const count = await wire.read(space);
      if (count === null) return text;
      text += textOf(space.subarray(0, count));
    }
  } catch {
    return text;
  }
}

async function loggedIn(soak: Soak): Promise<SmtpClient> {
  const user = soak.random(USERS);
  const client = await greeted(soak, homeOf(user));
  await client.login(userName(user), passwordOf(userName(user)));
  return client;
}

/** Sends the beginning of a whole session at once, and is gone. */
export async function cutOff(soak: Soak): Promise<void> {
  const { random, ledger, tally } = soak;
  const user = random(USERS);
  const number = ledger.next();
  const entry = pick(random, soak.entries);
  const head = "EHLO client.example.net\r\n" +
    `AUTH PLAIN ${plain(userName(user), passwordOf(userName(user)))}\r\n` +
    "MAIL FROM:<ann@example.org>\r\nRCPT TO:<bob@example.net>\r\nDATA\r\n";
  const header = entry.isProxied ? homeOf(user) : "";
  tally.cutOff++;
  if (entry.way !== "plain text") {
    return await cutInside(entry, header, head + wireOf(number), random);
  }
  const octets = new TextEncoder().encode(header + head + wireOf(number));
  // In the head, in the message, or behind its end.
  const most = pick(random, [head.length, octets.length, octets.length * 2]);
  const at = Math.min(1 + random(most), octets.length);
  if (at >= octets.length) ledger.ended.add(number);
  using client = await SmtpClient.open(entry.port);
  await client.sendRaw(octets.subarray(0, at));
  // Gone at once, a little later, or only as far as sending goes.
  const how = random(3);
  if (how === 1) await new Promise((resolve) => setTimeout(resolve, 50));
  if (how < 2) return;
  await client.closeWrite();
  const said = await client.rest();
  if (/^250 2\.0\.0 Queued/m.test(said)) ledger.answered.add(number);
}
