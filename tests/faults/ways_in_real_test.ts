import { assert, assertEquals } from "../support/assert.ts";
import { newTestEndpoint } from "../../testing/endpoint.ts";
import { testCertificate } from "../support/certificate.ts";
import { eventually } from "../support/eventually.ts";
import { type Listener, startListener } from "../support/listener.ts";
import type { RudeClient } from "../support/rude_client.ts";
import { clientsHeld } from "../support/sockets.ts";
import { heldBy, watchable } from "../support/watch.ts";
import {
  exists,
  type Manners,
  misbehave,
  reach,
  type State,
  STATES,
  type WayIn,
  WAYS_IN,
} from "../support/ways_in.ts";

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
    args: [],
  },
  {
    all: ["silent", "never reads"],
    when: "after the idle time",
    args: ["--idle-timeout", String(IDLE_MS)],
  },
] as const;

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

async function start(
  way: WayIn,
  most: number,
  authUrl: string,
  args: readonly string[],
): Promise<Listener> {
  const proxied = way === "implicit TLS behind PROXY";
  return await startListener({
    certificate: await testCertificate(),
    authUrl,
    args: [
      ...["--allow-insecure-auth", "--no-require-auth", "--no-throttle"],
      ...["--auth-timeout", "500", "--greeting-delay", "300"],
      ...["--max-connections", String(most)],
      ...["--max-connections-per-network", String(most)],
      ...proxied ? ["--proxy-protocol"] : [],
      ...args,
    ],
  });
}

/** All clients take their places: those who are to be refused come last. */
async function fill(
  listener: Listener,
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

for (const way of WAYS_IN) {
  for (const { all, when, args } of ENDS) {
    const states = STATES.filter((state) => exists(way, state));
    Deno.test({
      name:
        `main.ts gives descriptor, place and memory back ${when}: ${way} × (${
          states.join(", ")
        }) × (${all.join(", ")})`,
      ignore: !watchable,
      fn: async (t) => {
        const cells = cellsOf(way, all);
        const most = countServed(cells);
        await using end = await newTestEndpoint();
        await end.break("hang");
        await using listener = await start(way, most, end.url, args);
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
              Array.from({ length: most }, () => reach(listener, way, "EHLO")),
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
