/**
 * A client of a soak that goes in the middle of a handshake or of a record.
 *
 * @module
 */

import { RudeClient } from "../support/rude_client.ts";
import type { Entry } from "./entries.ts";

/** What is left out, so that no message comes to its end. */
const END = ".\r\n";

/**
 * Comes in over TLS, sends a part of a session that ends in the middle of a
 * record, and goes: with an end, or with a reset.
 */
export async function cutInside(
  { way, port }: Entry,
  header: string,
  session: string,
  random: (below: number) => number,
): Promise<void> {
  using client = await RudeClient.connect(port);
  if (header !== "") await client.say(header);
  if (way === "STARTTLS") {
    await client.hears(/^220 /m);
    await client.say("EHLO a\r\nSTARTTLS\r\n");
    await client.hears(/^220 /m);
  }
  const manners = random(4);
  if (manners === 0) return;
  if (manners === 1) return client.reset();
  await client.encrypt();
  const text = session.slice(0, -END.length);
  client.endAfter(text, 1 + random(text.length));
  await client.cutOff();
  if (manners === 2) client.reset();
  else await client.over();
}
