/**
 * Minutes of good, bad and cut-off clients against the real command: no message
 * that was answered with 250 may be missing, and nothing may pile up. Linux
 * only:
 *
 *     deno task soak --minutes 10
 *
 * @module
 */

import { testCertificate } from "../support/certificate.ts";
import { eventually } from "../support/eventually.ts";
import { serveHttp } from "../support/http_end.ts";
import { type Listener, startListener } from "../support/listener.ts";
import { filesIn } from "../support/maildir.ts";
import { newRandom } from "../support/random.ts";
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
import { Ledger } from "./ledger.ts";

/** How many clients of each kind are there at a time. */
const CROWD = [[good, 8], [bad, 12], [cutOff, 4]] as const;

/** How long a client's place stays empty, in milliseconds, at most. */
const MOST_PAUSE_MS = 100;

const REAP_MS = 250;
const SAMPLE_MS = 1000;
const LINE_MS = 15_000;

/** How long connections to an endpoint that has ended may be kept. */
const KEPT_MS = 100_000;

/** How much more memory the last third may take than the middle one. */
const MOST_GROWTH = 1.1;

const minutes = minutesOf(Deno.args);
const certificate = await testCertificate();
const failures: string[] = [];
const end = serveHttp(answer);
await using listener = await startListener({
  authUrl: end.url,
  certificate,
  args: [
    ...["--proxy-protocol", "--allow-insecure-auth", "--auth-timeout=5000"],
    ...[`--max-size=${MAX_SIZE}`, "--log=json", "--idle-timeout=20000"],
  ],
});
const soak: Soak = {
  port: listener.port,
  trusted: certificate.cert,
  random: newRandom(crypto.getRandomValues(new Uint32Array(1))[0] ?? 0),
  ledger: new Ledger(listener.maildir),
  tally: { refusals: 0, cutOff: 0 },
};
const { ledger, tally } = soak;
const pid = await firstClients();
const before = heldBy(pid);
const startedMs = performance.now();
console.log(`${minutes} minutes; at the start ${describe(before.rssKiB)}`);
const samples = await run();
await end[Symbol.asyncDispose]();
await settle();
report();
Deno.exit(failures.length === 0 ? 0 : 1);

function minutesOf(args: readonly string[]): number {
  const [flag, text, ...more] = args.flatMap((arg) => arg.split("="));
  const given = flag === undefined ? 10 : Number(text);
  const known = flag === undefined || flag === "--minutes";
  if (known && more.length === 0 && given > 0) return given;
  console.error("error: the only flag is --minutes N");
  Deno.exit(2);
}

/** Every user once, from home; returns the listener's process. */
async function firstClients(): Promise<number> {
  let said = "";
  for (let user = 0; user < USERS; user++) said = await good(soak, user);
  return Number(/\.P([0-9]+)Q/.exec(said)?.[1]);
}

/** Lets the clients come until the time is over; returns the memory seen. */
async function run(): Promise<number[]> {
  const samples: number[] = [];
  const timers = [
    setInterval(() => ledger.reap(), REAP_MS),
    setInterval(() => samples.push(heldBy(pid).rssKiB), SAMPLE_MS),
    setInterval(() => console.log(describe(heldBy(pid).rssKiB)), LINE_MS),
  ];
  const places = CROWD.flatMap(([client, count]) =>
    Array.from({ length: count }, () => keepComing(client))
  );
  await Promise.all(places);
  for (const timer of timers) clearInterval(timer);
  return samples;
}

async function keepComing(
  client: (soak: Soak) => Promise<unknown>,
): Promise<void> {
  while (performance.now() - startedMs < minutes * 60_000) {
    try {
      await client(soak);
    } catch (error) {
      // A client that is cut off may find that out by itself.
      const gone = error instanceof Deno.errors.BrokenPipe ||
        error instanceof Deno.errors.ConnectionReset;
      if (client !== cutOff || !gone) fail(`${client.name}: ${error}`);
    }
    await pause(soak.random(MOST_PAUSE_MS));
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Waits until everything has been given back, and says so if it never is. */
async function settle(): Promise<void> {
  const seen = (what: string, look: () => boolean) =>
    eventually(what, look).catch((error) => fail(String(error)));
  // Connections to the endpoint may be kept for a while.
  const filesBack = () => heldBy(pid).files <= before.files;
  const lastMs = performance.now() + KEPT_MS;
  while (!filesBack() && performance.now() < lastMs) await pause(SAMPLE_MS);
  await seen(`${before.files} open files or fewer`, filesBack);
  await seen("nothing in tmp/", () => leftOver(listener) === 0);
  ledger.reap();
  for (const fault of ledger.faults) fail(fault);
  const lost = ledger.lost();
  if (lost.length > 0) fail(`lost: ${lost.slice(0, 20).join(", ")}`);
}

function report(): void {
  const third = Math.floor(samples.length / 3);
  const middle = Math.min(...samples.slice(third, 2 * third));
  const last = Math.min(...samples.slice(-third));
  if (third > 0 && last > middle * MOST_GROWTH) fail("memory has grown");
  const now = heldBy(pid);
  const rate = (ledger.answered.size / (minutes * 60)).toFixed(0);
  console.log(describe(now.rssKiB));
  console.log(`answered with 250     ${ledger.answered.size} (${rate} per s)`);
  console.log(`found, whole          ${ledger.found}`);
  console.log(`lost                  ${ledger.lost().length}`);
  console.log(`left in tmp/          ${leftOver(listener)}`);
  console.log(`errors in the log     ${errorsOf(listener)}`);
  console.log(
    `open files            ${before.files} before, ${now.files} after`,
  );
  console.log(`resident, middle third at least ${mib(middle)}`);
  console.log(`resident, last third at least   ${mib(last)}`);
  console.log(failures.length === 0 ? "passed" : `FAILED: ${failures.length}`);
}

function fail(what: string): void {
  failures.push(what);
  if (failures.length <= 50) console.error(`error: ${what}`);
}

/** The reasons of what the log calls an error, and how often they were given. */
function errorsOf({ stderr }: Listener): string {
  const errors = stderr().matchAll(/"level":"error".*"reason":"([a-z-]+)"/g);
  const counts = new Map<string, number>();
  for (const [, reason = ""] of errors) {
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  return [...counts].map((entry) => entry.join(": ")).join(", ") || "none";
}

function leftOver({ maildir }: Listener): number {
  return filesIn(maildir, "tmp").length;
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
