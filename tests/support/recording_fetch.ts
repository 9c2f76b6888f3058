/**
 * A `fetch` of the tests' own, and what it may answer.
 *
 * @module
 */

import { octetsOf } from "./octets.ts";

/** An endpoint that nobody connects to. */
export const URL_TEXT = "https://intranet.example/may-send?from=smtp";
/** What never comes. */
export const NEVER: Promise<never> = new Promise<never>(() => {});

/** The global `fetch`, or one in its place. */
export type Fetch = typeof globalThis.fetch;

/** A `fetch` that answers so, and notes how it was called. */
export function recordingFetch(answer: () => Response): {
  calls: (readonly [Parameters<Fetch>[0], RequestInit])[];
  fetch: Fetch;
} {
  const calls: (readonly [Parameters<Fetch>[0], RequestInit])[] = [];
  const fetch: Fetch = (input, init = {}) => {
    calls.push([input, init]);
    return Promise.resolve(answer());
  };
  return { calls, fetch };
}

/** The answer that lets a user in. */
export const yes = (): Response => Response.json({ ok: true });

/** A body that never comes to an end, and tells when it is cancelled. */
export function endlessBody(start: string): {
  body: ReadableStream<Uint8Array>;
  cancelled: Promise<void>;
} {
  const cancelled = Promise.withResolvers<void>();
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(octetsOf(start)),
    cancel: () => cancelled.resolve(),
  });
  return { body, cancelled: cancelled.promise };
}
