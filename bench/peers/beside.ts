/**
 * What other connections do while a work is measured.
 *
 * @module
 */

import type { Target } from "./client.ts";
import { type Lane, newLane, newPace } from "./lanes.ts";
import type { Beside } from "./works.ts";

/** What was done beside a work. */
export interface BesideSample {
  readonly pieces: number;
  readonly errors: number;
  /** What the first error said. */
  readonly error?: string;
}

/** A lane, and what begins its pace in a round. */
interface PacedLane {
  readonly lane: Lane;
  readonly beginPace: () => () => Promise<void>;
}

/** The lanes beside a work, kept over all rounds with one server. */
export class BesideLoad implements Disposable {
  readonly #lanes: readonly PacedLane[];

  constructor(besides: readonly Beside[], target: Target) {
    this.#lanes = besides.flatMap((beside): PacedLane[] => {
      const { connections, everyMs } = beside;
      return Array.from({ length: connections }, (_, i) => ({
        lane: newLane(beside, target),
        beginPace: () => newPace(everyMs, i, connections),
      }));
    });
  }

  /** Keeps all lanes going until a work is over. */
  async during(work: Promise<unknown>): Promise<BesideSample> {
    let over = false;
    let pieces = 0;
    let errors = 0;
    let error: string | undefined;
    const lanes = this.#lanes.map(async ({ lane, beginPace }) => {
      const turn = beginPace();
      for (;;) {
        await turn();
        if (over) return;
        try {
          await lane.piece();
          pieces++;
        } catch (thrown) {
          errors++;
          error ??= String(thrown);
        }
      }
    });
    try {
      await work;
    } finally {
      over = true;
      await Promise.all(lanes);
    }
    return { pieces, errors, ...(error === undefined ? {} : { error }) };
  }

  [Symbol.dispose](): void {
    this.#lanes.forEach(({ lane }) => lane.close());
  }
}
