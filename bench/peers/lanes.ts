/**
 * Lanes: each does one piece of work after the other on connections of its own.
 *
 * @module
 */

import { Client, type Target } from "./client.ts";
import type { Exchange } from "./dialogue.ts";
import type { Conversation } from "./works.ts";

/** Room for the longest reply that is read at once. */
export const REPLY_OCTETS = 4_096;

/** What does pieces of work. */
export interface Lane {
  /** Does a piece; resolves to how long that took, in milliseconds. */
  piece(): Promise<number>;
  close(): void;
}

async function talk(
  client: Client,
  exchanges: readonly Exchange[],
  target: Target,
): Promise<void> {
  for (const { octets, codes, does } of exchanges) {
    await client.send(octets);
    await client.expect(...codes);
    if (does === "encrypt") await client.startTls(target);
  }
}

/** Connects, and says what is said once. */
export async function opened(
  { encryption, once }: Conversation,
  target: Target,
  buffer: Uint8Array<ArrayBuffer>,
  onGreeting?: () => void,
): Promise<Client> {
  const implicit = encryption === "implicit";
  const client = await Client.connect(target, buffer, implicit);
  try {
    await client.expect(220);
    onGreeting?.();
    await talk(client, once, target);
    return client;
  } catch (error) {
    client.close();
    throw error;
  }
}

/** A lane that has not connected yet. */
export function newLane(conversation: Conversation, target: Target): Lane {
  const { again, fromGreeting } = conversation;
  const buffer = new Uint8Array(REPLY_OCTETS);
  let client: Client | undefined;
  return {
    async piece() {
      let began = performance.now();
      if (again.length === 0) {
        const greeted = () => began = performance.now();
        const onGreeting = fromGreeting ? greeted : undefined;
        (await opened(conversation, target, buffer, onGreeting)).close();
        return performance.now() - began;
      }
      client ??= await opened(conversation, target, buffer);
      try {
        await talk(client, again, target);
      } catch (error) {
        client.close();
        client = undefined;
        throw error;
      }
      return performance.now() - began;
    },
    close() {
      client?.close();
    },
  };
}

/**
 * Turns at even distances: each call resolves when the lane's next turn has
 * come, at once where the last piece took longer. The lanes of a work take
 * their turns between each other's.
 */
export function newPace(
  everyMs: number,
  lane: number,
  lanes: number,
): () => Promise<void> {
  let due = performance.now() + everyMs * lane / lanes;
  return async () => {
    const early = due - performance.now();
    if (early > 0) await new Promise((done) => setTimeout(done, early));
    due = Math.max(due + everyMs, performance.now());
  };
}
