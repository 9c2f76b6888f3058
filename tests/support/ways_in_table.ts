/**
 * The table of all that clients can do to a listener, in every state and on
 * every way in: what they held is given back in time.
 *
 * @module
 */

import { assert, assertEquals } from "./assert.ts";
import { eventually } from "./eventually.ts";
import type { RudeClient } from "./rude_client.ts";
import { clientsHeld } from "./sockets.ts";
import { heldBy, watchable } from "./watch.ts";
import {
  exists,
  type Manners,
  misbehave,
  type Ports,
  reach,
  type State,
  STATES,
  type WayIn,
  WAYS_IN,
} from "./ways_in.ts";

/**
 * How many clients of each kind of manners are in each state: 100 or 120 in
 * all. Those who write without reading keep the test's own machine busy.
 */
const COUNTS: Readonly<Record<Manners, number>> = {
  "resets": 10,
  "ends in mid-record": 10,
  "silent": 16,
  "never reads": 4,
};

/** How much all of them may cost, in KiB. */
const MOST_KIB = 64 * 1024;

/** How long clients may be silent where that is to end them, in milliseconds. */
const IDLE_MS = 3_000;

/** When to stop waiting for the end of all, in milliseconds. */
const PATIENCE_MS = 30_000;

/** A number of clients in the same state with the same manners. */
interface Cell {
  readonly state: State;
  readonly manners: Manners;
  readonly clients: RudeClient[];
}

/** What ends the clients: they do, or the listener's patience. */
const ENDS = [
  {
    all: ["resets", "ends in mid-record"],
    when: "long before any time limit",
    idleMs: undefined,
  },
  {
    all: ["silent", "never reads"],
    when: "after the idle time",
    idleMs: IDLE_MS,
  },
] as const;

/**
 * A listener that shows what it holds. It takes {@linkcode TRIAL}'s settings and
 * those that it is started with, AUTH in plain text, and mail without a login.
 */
export interface Trial extends Ports, AsyncDisposable {
  /** The number of its process. */
  readonly pid: number;
}

/** What all of them have in common, in milliseconds. */
export const TRIAL = { providerTimeoutMs: 500, greetingDelayMs: 300 } as const;

/** How a listener is to be started. */
export interface TrialSettings {
  /** Whether its connections come through a proxy. */
  readonly proxied: boolean;
  /** How many clients there may be, in all and of one network. */
  readonly most: number;
  /** How long a client may be silent, in milliseconds. Default: its own. */
  readonly idleMs: number | undefined;
}

function cellsOf(way: WayIn, manners: readonly Manners[]): Cell[] {
  const states = STATES.filter((state) => exists(way, state));
  return states.flatMap((state) =>
    manners.map((each) => ({ state, manners: each, clients: [] }))
  );
}

const isServed = ({ state }: Cell) => state !== "after a refusal";

function countServed(cells: readonly Cell[]): number {
  return cells.filter(isServed)
    .reduce((sum, { manners }) => sum + COUNTS[manners], 0);
}

/** All clients take their places: those who are to be refused come last. */
async function fill(
  listener: Ports,
  way: WayIn,
  cells: readonly Cell[],
): Promise<void> {
  const enter = (some: readonly Cell[]) =>
    Promise.all(
      some.flatMap(({ state, manners, clients }) =>
        Array.from({ length: COUNTS[manners] }, async () => {
          clients.push(await reach(listener, way, state));
        })
      ),
    );
  // Those who do not wait for the greeting have less time than the others.
  const isBrief = ({ state }: Cell) =>
    state === "handshake" || state === "before the greeting";
  const served = cells.filter(isServed);
  await enter(served.filter((cell) => !isBrief(cell)));
  await enter(served.filter(isBrief));
  await enter(cells.filter((cell) => !isServed(cell)));
}

/** Each cell's clients that the listener still holds. */
function heldOf(cells: readonly Cell[], port: number): number[] {
  const held = clientsHeld(port);
  return cells.map(({ clients }) =>
    clients.filter((client) => held.has(client.port)).length
  );
}

/**
 * Has a test for each way in and each kind of end.
 *
 * @param who What is tested, for the names.
 * @param start Starts a listener, whose provider never answers in time.
 */
export function testWaysIn(
  who: string,
  start: (settings: TrialSettings) => Promise<Trial>,
): void {
  for (const way of WAYS_IN) {
    for (const { all, when, idleMs } of ENDS) {
      const states = STATES.filter((state) => exists(way, state));
      Deno.test({
        name:
          `${who} gives descriptor, place and memory back ${when}: ${way} × (${
            states.join(", ")
          }) × (${all.join(", ")})`,
        ignore: !watchable,
        fn: async (t) => {
          const cells = cellsOf(way, all);
          const most = countServed(cells);
          const proxied = way === "implicit TLS behind PROXY";
          await using listener = await start({ proxied, most, idleMs });
          const port = way.startsWith("implicit")
            ? listener.tlsPort
            : listener.port;
          // What TLS needs once is no client's cost.
          (await reach(listener, way, "before the greeting"))[Symbol.dispose]();
          await eventually("no client", () => clientsHeld(port).size === 0);
          const before = heldBy(listener.pid);
          let peakKiB = 0;
          const measuring = setInterval(() => {
            peakKiB = Math.max(peakKiB, heldBy(listener.pid).rssKiB);
          }, 100);
          try {
            await fill(listener, way, cells);
            await Promise.all(
              cells.flatMap(({ state, manners, clients }) =>
                clients.map((client) => misbehave(client, state, manners))
              ),
            );
            let left: number[] = [];
            await eventually("the end of most", () => {
              left = heldOf(cells, port);
              return left.every((count) => count === 0);
            }, PATIENCE_MS).catch(() => {});
            for (const [i, { state, manners }] of cells.entries()) {
              await t.step(`${state}, ${manners}`, () => {
                assertEquals(left[i], 0, "descriptors held");
              });
            }
            await t.step("all places are free", async () => {
              const next = await Promise.all(
                Array.from(
                  { length: most },
                  () => reach(listener, way, "EHLO"),
                ),
              );
              next.forEach((client) => client[Symbol.dispose]());
              await eventually(
                "no more files than before",
                () => heldBy(listener.pid).files <= before.files,
              );
            });
            await t.step("memory", () => {
              const above = peakKiB - before.rssKiB;
              assert(above < MOST_KIB, `${above} KiB above the start`);
            });
          } finally {
            clearInterval(measuring);
            for (const { clients } of cells) {
              clients.forEach((client) => client[Symbol.dispose]());
            }
          }
        },
      });
    }
  }
}
