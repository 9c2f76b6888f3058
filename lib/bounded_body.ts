/**
 * Reading an answer of unknown length from a server that is not trusted.
 *
 * @module
 */

import { concat } from "./octets.ts";

/**
 * Reads a body to its end, or to a limit.
 *
 * @param body The body of a response; `null` reads as empty.
 * @param limit The most octets to accept.
 * @param signal Ends the reading at once when aborted, even if the stream
 * itself does not listen to it.
 * @returns The octets, or `undefined` if there were more than the limit; the
 * rest is then cancelled.
 * @throws What the stream throws when it breaks.
 */
export async function readBounded(
  body: ReadableStream<Uint8Array> | null,
  limit: number,
  signal: AbortSignal,
): Promise<Uint8Array | undefined> {
  if (body === null) return new Uint8Array();
  const reader = body.getReader();
  // A stream that has broken already rejects the cancelling: nothing to add.
  const cancel = () => reader.cancel().catch(() => {});
  if (signal.aborted) await cancel();
  signal.addEventListener("abort", cancel, { once: true });
  try {
    const chunks: Uint8Array[] = [];
    let size = 0;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return concat(chunks);
      size += value.length;
      if (size > limit) {
        await cancel();
        return undefined;
      }
      chunks.push(value);
    }
  } finally {
    signal.removeEventListener("abort", cancel);
  }
}
