import { readBounded } from "../../lib/bounded_body.ts";
import { assertEquals, assertRejects } from "../support/assert.ts";
import { newCountedSignal } from "../support/counted_signal.ts";
import { octetsOf } from "../support/octets.ts";

// Off unless asked for since Deno 2.8: no timer, connection or body may be left.
Deno.test.sanitizer({ ops: true, resources: true });

const NEVER = new AbortController().signal;

/** A body of these chunks, and whether it was cancelled. */
function bodyOf(...chunks: string[]) {
  let cancelled = false;
  const left = chunks.map((chunk) => octetsOf(chunk));
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const next = left.shift();
      if (next === undefined) controller.close();
      else controller.enqueue(next);
    },
    cancel() {
      cancelled = true;
    },
  }, { highWaterMark: 0 });
  return { body, left, wasCancelled: () => cancelled };
}

Deno.test("readBounded() puts chunks together in order, up to the limit", async () => {
  const rows = [
    [[], ""],
    [[""], ""],
    [["abc"], "abc"],
    [["a", "bc", "", "d"], "abcd"],
    [["", "12345678"], "12345678"],
    [["1234", "5678"], "12345678"],
    [["1", "2", "3", "4", "5", "6", "7", "8"], "12345678"],
  ] as const;
  for (const [chunks, whole] of rows) {
    const { body, wasCancelled } = bodyOf(...chunks);
    assertEquals(await readBounded(body, 8, NEVER), octetsOf(whole));
    assertEquals(wasCancelled(), false);
  }
  assertEquals(await readBounded(null, 8, NEVER), octetsOf(""));
});

Deno.test("readBounded() stops reading one octet over the limit", async () => {
  const rows = [
    [["123456789"], 0],
    [["12345678", "9"], 0],
    [["12345678", "9", "more", "and more"], 2],
    [["1234", "56789", "more"], 1],
  ] as const;
  for (const [chunks, untouched] of rows) {
    const { body, left, wasCancelled } = bodyOf(...chunks);
    assertEquals(await readBounded(body, 8, NEVER), undefined);
    assertEquals(left.length, untouched, "chunks left in the stream");
    assertEquals(wasCancelled(), true);
  }
});

Deno.test("readBounded() throws what the stream throws", async () => {
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.error(new TypeError("broken")),
  });
  await assertRejects(() => readBounded(body, 8, NEVER), TypeError, "broken");
});

Deno.test("readBounded() ends at an abort even if the stream goes on", async () => {
  const { signal, abort, listening } = newCountedSignal();
  const cancelled = Promise.withResolvers<void>();
  const body = new ReadableStream<Uint8Array>({
    cancel: () => cancelled.resolve(),
  });
  const read = readBounded(body, 8, signal);
  abort();
  await read;
  await cancelled.promise;
  assertEquals(listening(), 0);
});

Deno.test("readBounded() cancels a body that comes after the abort", async () => {
  const { body, left, wasCancelled } = bodyOf("abc");
  await readBounded(body, 8, AbortSignal.abort());
  assertEquals(wasCancelled(), true);
  assertEquals(left.length, 1);
});

Deno.test("readBounded() takes its listener off whatever comes", async () => {
  const broken = new ReadableStream<Uint8Array>({
    start: (controller) => controller.error(new TypeError("broken")),
  });
  for (
    const body of [bodyOf("abc").body, bodyOf("123456789").body, broken, null]
  ) {
    const { signal, listening } = newCountedSignal();
    await readBounded(body, 8, signal).catch(() => {});
    assertEquals(listening(), 0);
  }
});
