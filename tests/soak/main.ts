/**
 * Minutes of good, bad and cut-off clients against the real command, by every
 * way in: no message that was answered with 250 may be missing, memory must
 * stay flat, and whenever the clients pause, all descriptors must be back.
 * Linux only:
 *
 *     deno task soak --minutes 10
 *
 * @module
 */

import { testCertificate } from "../support/certificate.ts";
import { eventually } from "../support/eventually.ts";
import { serveHttp } from "../support/http_end.ts";
import { startListener } from "../support/listener.ts";
import { filesIn } from "../support/maildir.ts";
import { newRandom } from "../support/random.ts";
import { clientsHeld, connectionsTo } from "../support/sockets.ts";
import { heldBy } from "../support/watch.ts";
import {
  answer,
  bad,
  cutOff,
  good,
  MAX_SIZE,
  type Soak,
  USERS,
} from "./clients.ts";
import { entriesOf } from "./entries.ts";
import { Ledger } from "./ledger.ts";

/** How many clients of each kind are there at a time. */
const CROWD = [[good, 8], [bad, 12], [cutOff, 4]] as const;

/** How long a client's place stays empty, in milliseconds, at most. */
const MOST_PAUSE_MS = 100;

const REAP_MS = 250;
const SAMPLE_MS = 1000;
const LINE_MS = 15_000;

/** How often the clients pause, in milliseconds. */
const LULL_MS = 15_000;

/** How long the last of them may take to end, and what they held, then. */
const LULL_LIMIT_MS = 60_000;

/** How much more memory the last third may take than the middle one. */
const MOST_GROWTH = 1.1;

/**
 * For how long memory grows because heaps do, in milliseconds: what comes
 * later must be flat.
 */
const WARM_UP_MS = 120_000;

const minutes = minutesOf(Deno.args);
const certificate = await testCertificate();
const failures: string[] = [];
const end = serveHttp(answer);
const flags = [
  ...["--allow-insecure-auth", "--auth-timeout=5000", "--log=json"],
  ...[`--max-size=${MAX_SIZE}`, "--idle-timeout=20000"],
];
const shared = { authUrl: end.url, certificate };
await using proxied = await startListener({
  ...shared,
  args: [...flags, "--proxy-protocol"],
});
// Whoever comes without a proxy comes from here: guesses, too.
await using direct = await startListener({
  ...shared,
  args: [...flags, "--no-throttle"],
});
const listeners = [proxied, direct];
const soak: Soak = {
  entries: listeners.flatMap((listener) =>
    entriesOf(listener, listener === proxied)
  ),
  trusted: certificate.cert,
  random: newRandom(crypto.getRandomValues(new Uint32Array(1))[0] ?? 0),
  ledger: new Ledger(listeners.map(({ maildir }) => maildir)),
  tally: { refusals: 0, cutOff: 0 },
};
const { ledger, tally } = soak;
/** Resolves when the clients may go on; they look before they come. */
let lull: Promise<void> | undefined;
/** Clients that are there. */
let present = 0;
/** How often all descriptors were back while it ran. */
let lulls = 0;
for (let user = 0; user < USERS; user++) await good(soak, user);
await seen("no client of the first", () => clients() === 0);
const before = held();
const startedMs = performance.now();
console.log(`${minutes} minutes; at the start ${describe(before.rssKiB)}`);
const samples = await run();
await settle();
await end[Symbol.asyncDispose]();
report();
// Not at once: the listeners must end first.
Deno.exitCode = failures.length === 0 ? 0 : 1;

function minutesOf(args: readonly string[]): number {
  const [flag, text, ...more] = args.flatMap((arg) => arg.split("="));
  const given = flag === undefined ? 10 : Number(text);
  const known = flag === undefined || flag === "--minutes";
  if (known && more.length === 0 && given > 0) return given;
  console.error("error: the only flag is --minutes N");
  Deno.exit(2);
}

/** What both listeners hold, without what they keep for the endpoint. */
function held(): { readonly files: number; readonly rssKiB: number } {
  const each = listeners.map(({ pid }) => heldBy(pid));
  const sum = (counts: readonly number[]) => counts.reduce((a, b) => a + b);
  return {
    files: sum(each.map(({ files }) => files)) -
      connectionsTo(Number(new URL(end.url).port)),
    rssKiB: sum(each.map(({ rssKiB }) => rssKiB)),
  };
}

/** How many connections of clients the listeners hold. */
function clients(): number {
  return soak.entries.reduce(
    (sum, { port }) => sum + clientsHeld(port).size,
    0,
  );
}

/** Waits for what must come; says so if it does not. */
async function seen(what: string, look: () => boolean): Promise<void> {
  await eventually(what, look, LULL_LIMIT_MS)
    .catch((error) => fail(String(error)));
}

/** Lets the clients come until the time is over; returns the memory seen. */
async function run(): Promise<number[]> {
  const samples: number[] = [];
  const timers = [
    setInterval(() => ledger.reap(), REAP_MS),
    setInterval(() => samples.push(held().rssKiB), SAMPLE_MS),
    setInterval(() => console.log(describe(held().rssKiB)), LINE_MS),
  ];
  const places = CROWD.flatMap(([client, count]) =>
    Array.from({ length: count }, () => keepComing(client))
  );
  while (!isOver()) {
    await pause(LULL_MS);
    const { promise, resolve } = Promise.withResolvers<void>();
    lull = promise;
    await seen("the clients end", () => present === 0);
    await allIsBack();
    lulls++;
    lull = undefined;
    resolve();
  }
  await Promise.all(places);
  for (const timer of timers) clearInterval(timer);
  return samples;
}

function isOver(): boolean {
  return performance.now() - startedMs > minutes * 60_000;
}

/** Nobody is there: nothing is held for anybody. */
async function allIsBack(): Promise<void> {
  await seen("no connection of a client", () => clients() === 0);
  await seen(
    `${before.files} open files or fewer`,
    () => held().files <= before.files,
  );
  await seen("nothing in tmp/", () => leftOver() === 0);
}

async function keepComing(
  client: (soak: Soak) => Promise<unknown>,
): Promise<void> {
  while (!isOver()) {
    await lull;
    present++;
    try {
      await client(soak);
    } catch (error) {
      // A client that is cut off may find that out by itself.
      const gone = error instanceof Deno.errors.BrokenPipe ||
        error instanceof Deno.errors.ConnectionReset;
      if (client !== cutOff || !gone) fail(`${client.name}: ${error}`);
    } finally {
      present--;
    }
    await pause(soak.random(MOST_PAUSE_MS));
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Looks for what was lost, once everything has been given back. */
async function settle(): Promise<void> {
  await allIsBack();
  ledger.reap();
  for (const fault of ledger.faults) fail(fault);
  const lost = ledger.lost();
  if (lost.length > 0) fail(`lost: ${lost.slice(0, 20).join(", ")}`);
}

function report(): void {
  const settled = samples.slice(WARM_UP_MS / SAMPLE_MS);
  const third = Math.floor(settled.length / 3);
  const middle = Math.min(...settled.slice(third, 2 * third));
  const last = Math.min(...settled.slice(-third));
  if (third > 0 && last > middle * MOST_GROWTH) fail("memory has grown");
  const now = held();
  const rate = (ledger.answered.size / (minutes * 60)).toFixed(0);
  console.log(describe(now.rssKiB));
  console.log(`answered with 250     ${ledger.answered.size} (${rate} per s)`);
  console.log(`found, whole          ${ledger.found}`);
  console.log(`lost                  ${ledger.lost().length}`);
  console.log(`left in tmp/          ${leftOver()}`);
  console.log(`errors in the log     ${errors()}`);
  console.log(
    `open files            ${before.files} before, ${now.files} after, ` +
      `looked at ${lulls} times while it ran`,
  );
  if (third === 0) console.log("memory                too short to be judged");
  else {
    console.log(`resident, middle third at least ${mib(middle)}`);
    console.log(`resident, last third at least   ${mib(last)}`);
  }
  console.log(failures.length === 0 ? "passed" : `FAILED: ${failures.length}`);
}

function fail(what: string): void {
  failures.push(what);
  if (failures.length <= 50) console.error(`error: ${what}`);
}

/** The reasons of what the log calls an error, and how often they were given. */
function errors(): string {
  const errors = listeners.map(({ stderr }) => stderr()).join("")
    .matchAll(/"level":"error".*"reason":"([a-z-]+)"/g);
  const counts = new Map<string, number>();
  for (const [, reason = ""] of errors) {
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  return [...counts].map((entry) => entry.join(": ")).join(", ") || "none";
}

function leftOver(): number {
  return listeners.flatMap(({ maildir }) => filesIn(maildir, "tmp")).length;
}

function describe(rssKiB: number): string {
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(0);
  return `${seconds.padStart(4)} s  ${mib(rssKiB)}  ` +
    `250: ${ledger.answered.size}  refusals: ${tally.refusals}  ` +
    `cut off: ${tally.cutOff}  errors: ${failures.length}`;
}

function mib(kib: number): string {
  return `${(kib / 1024).toFixed(1)} MiB`;
}
