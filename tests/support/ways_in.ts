/**
 * The ways into a listener, how far a client goes on each, and what it does
 * there that no client should.
 *
 * @module
 */

import { RudeClient } from "./rude_client.ts";
import { plain, SmtpClient } from "../../testing/client.ts";

/** The ways in. */
export const WAYS_IN = [
  "plain text",
  "STARTTLS",
  "implicit TLS",
  "implicit TLS behind PROXY",
] as const;

/** One of the ways in. */
export type WayIn = typeof WAYS_IN[number];

/** Where a client can be when it turns rude. */
export const STATES = [
  "EHLO",
  "AUTH",
  "DATA",
  "handshake",
  "before the greeting",
  "after a refusal",
] as const;

/** One of these states. */
export type State = typeof STATES[number];

/** What a client can do there. */
export const MANNERS = [
  "silent",
  "never reads",
  "resets",
  "ends in mid-record",
] as const;

/** One of these. */
export type Manners = typeof MANNERS[number];

/** A header of the PROXY protocol. */
export const PROXY_HEADER = "PROXY TCP4 192.0.2.7 198.51.100.1 50000 465\r\n";

/** The record header of a ClientHello, and a few octets of it. */
const PART_OF_A_HELLO = Uint8Array.of(22, 3, 1, 2, 0, 1, 0, 1, 124, 3, 3);

/** The ports of a listener. */
export interface Ports {
  readonly port: number;
  readonly tlsPort: number;
}

/** Whether there is such a state on a way in. */
export function exists(way: WayIn, state: State): boolean {
  return way !== "plain text" || state !== "handshake";
}

/** Connects, and goes as far as a state. */
export async function reach(
  { port, tlsPort }: Ports,
  way: WayIn,
  state: State,
): Promise<RudeClient> {
  const implicit = way.startsWith("implicit");
  const client = await RudeClient.connect(implicit ? tlsPort : port);
  if (way === "implicit TLS behind PROXY") await client.say(PROXY_HEADER);
  if (implicit && state === "handshake") return client;
  if (implicit) await client.encrypt();
  if (state !== "before the greeting") await greet(client, way, state);
  return client;
}

async function greet(
  client: RudeClient,
  way: WayIn,
  state: State,
): Promise<void> {
  if (state === "after a refusal") return await client.hears(/^421 4\.3\.2 /m);
  await client.hears(/^220 /m);
  if (way === "STARTTLS") {
    await client.say("EHLO a\r\nSTARTTLS\r\n");
    await client.hears(/^220 /m);
    if (state === "handshake") return;
    await client.encrypt();
  }
  if (state === "EHLO") return await client.say("EHLO client.exam");
  await client.say("EHLO client.example.net\r\n");
  await client.hears(/^250 /m);
  if (state === "AUTH") {
    return await client.say(`AUTH PLAIN ${plain("ann", "secret")}\r\n`);
  }
  await client.say(
    "MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n",
  );
  await client.hears(/^354 /m);
  await client.say("Subject: half\r\n\r\nof a messa");
}

/** Connects to a port, as a client that does nothing wrong. */
export async function openEncrypted(
  port: number,
  way: WayIn,
  trusted: string,
): Promise<Deno.Conn> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  const client = new SmtpClient(conn);
  if (way === "STARTTLS") {
    await client.expect("220");
    await client.command("EHLO client.example.net", "250");
    await client.command("STARTTLS", "220");
  } else if (way === "implicit TLS behind PROXY") {
    await client.sendRaw(PROXY_HEADER);
  }
  return await Deno.startTls(conn, {
    hostname: "localhost",
    caCerts: [trusted],
  });
}

/** Does what no client should. */
export async function misbehave(
  client: RudeClient,
  state: State,
  manners: Manners,
): Promise<void> {
  if (state === "handshake") client.send(PART_OF_A_HELLO);
  switch (manners) {
    case "silent":
      return;
    case "resets":
      return client.reset();
    case "ends in mid-record":
      return client.endInside();
    case "never reads":
      if (state === "handshake") return client.stopReading();
      await client.say(state === "DATA" ? "ge\r\n.\r\n" : "ple.net\r\n");
      return client.flood();
    default:
      manners satisfies never;
  }
}
