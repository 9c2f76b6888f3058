/**
 * Interleaved rounds of one work: all servers are up, and take turns.
 *
 * @module
 */

import type { Certificate } from "./config.ts";
import { configFor, type Contender } from "./contenders.ts";
import { empty, type MailFolders, newMaildir } from "./maildirs.ts";
import { idleMemory, Load, type Sample } from "./load.ts";
import { CORES, freePort, memoryKiB, type Running, start } from "./process.ts";
import type { Work } from "./works.ts";

/** What stays the same for a whole run. */
export interface Setting {
  readonly rounds: number;
  /** The part of each work that is done: 1 for all of it. */
  readonly share: number;
  readonly certificate: Certificate;
  /** Where Maildirs are made; works that need one that is not are left out. */
  readonly mailFolders: MailFolders;
  readonly contenders: readonly Contender[];
}

/** What a server did in all rounds of a work. */
export interface Result {
  readonly work: string;
  readonly title: string;
  readonly figure: Work["figure"];
  readonly server: string;
  /** Medians over the rounds; what a work does not have is absent. */
  readonly cpuMs?: number;
  readonly perSecond?: number;
  readonly mbPerSecond?: number;
  readonly p50?: number;
  readonly p99?: number;
  readonly besidePerSecond?: number;
  readonly idleKiB?: number;
  readonly startMs?: number;
  /** The server's memory after the work, in MiB. */
  readonly memoryMiB?: number;
  /** The main figure of each round. */
  readonly rounds: readonly number[];
  readonly errors: number;
  readonly error?: string;
}

/** Does a work with everyone who takes part. */
export async function measure(
  work: Work,
  setting: Setting,
): Promise<Result[]> {
  const those = setting.contenders.filter(({ takesPart }) =>
    takesPart?.(work) ?? true
  );
  if (work.figure === "start") return await starts(work, setting, those);
  await using stack = new AsyncDisposableStack();
  const ends = {
    ...work.httpMs === undefined ? {} : {
      authUrl: `http://127.0.0.1:${await end(stack, "http", work.httpMs)}/`,
    },
    ...work.hop === undefined ? {} : { hopPort: await end(stack, "hop") },
  };
  const sides: Side[] = [];
  for (const contender of those) {
    const folder = work.maildir && setting.mailFolders[work.maildir];
    const maildir = folder === undefined ? undefined : newMaildir(folder);
    const server = stack.use(
      await run(contender, work, setting, ends, maildir),
    );
    const target = { port: server.port, caCert: setting.certificate.cert };
    const load = stack.use(new Load(work, target));
    sides.push({ contender, server, load, maildir, samples: [], idle: [] });
  }
  if (work.figure === "memory") return await memory(work, setting, sides);
  return await loads(work, setting, sides);
}

/** One server in the rounds. */
interface Side {
  readonly contender: Contender;
  readonly server: Running;
  readonly load: Load;
  readonly maildir: string | undefined;
  readonly samples: Sample[];
  readonly idle: { kib: number; errors: number }[];
}

/** Warming up, for compilers that learn, is this part of a round. */
const WARM_UP = 0.8;

async function loads(
  work: Work,
  { rounds, share }: Setting,
  sides: readonly Side[],
): Promise<Result[]> {
  const pieces = ({ contender }: Side, part = 1) =>
    Math.ceil(work.pieces * share * part * (contender.share?.(work) ?? 1));
  for (const side of sides) {
    await side.load.run(side.server.pid, pieces(side, WARM_UP));
  }
  for (let round = 0; round < rounds; round++) {
    for (const side of sides) {
      const { load, server, maildir, samples } = side;
      samples.push(await load.run(server.pid, pieces(side)));
      if (maildir !== undefined) empty(maildir);
    }
  }
  return sides.map((side) => ({
    ...naming(work, side.contender),
    ...medians(work, side.samples),
    memoryMiB: memoryKiB(side.server.pid) / 1024,
  }));
}

function medians(work: Work, samples: readonly Sample[]) {
  const { figure, beside } = work;
  const of = (member: (sample: Sample) => number) =>
    median(samples.map(member));
  const error = samples.find((sample) => sample.error !== undefined)?.error;
  return {
    // The CPU time is not the work's alone where others are served beside it.
    ...(beside === undefined
      ? { cpuMs: of((sample) => sample.cpuMs) }
      : { besidePerSecond: of((sample) => sample.besidePerSecond ?? NaN) }),
    perSecond: of((sample) => sample.perSecond),
    ...(figure === "bulk"
      ? { mbPerSecond: of((sample) => sample.mbPerSecond) }
      : {}),
    p50: of((sample) => sample.p50),
    p99: of((sample) => sample.p99),
    rounds: samples.map((sample) => mainFigure(figure, sample)),
    errors: samples.reduce((sum, sample) => sum + sample.errors, 0),
    ...(error === undefined ? {} : { error }),
  };
}

function mainFigure(figure: Work["figure"], sample: Sample): number {
  if (figure === "bulk") return sample.mbPerSecond;
  return figure === "p99" ? sample.p99 : sample.cpuMs;
}

async function memory(
  work: Work,
  { share, certificate }: Setting,
  sides: readonly Side[],
): Promise<Result[]> {
  const connections = Math.ceil(work.connections * share);
  const results: Result[] = [];
  for (const { contender, server } of sides) {
    const target = { port: server.port, caCert: certificate.cert };
    const { kib, errors } = await idleMemory(
      { ...work, connections },
      target,
      server.pid,
    );
    results.push({
      ...naming(work, contender),
      idleKiB: kib,
      rounds: [kib],
      errors,
    });
  }
  return results;
}

async function starts(
  work: Work,
  setting: Setting,
  those: readonly Contender[],
): Promise<Result[]> {
  const took = those.map((): number[] => []);
  // The first start fills caches of compiled modules; it does not count.
  for (let round = -1; round < setting.rounds * 2; round++) {
    for (const [i, contender] of those.entries()) {
      await using server = await run(contender, work, setting);
      if (round >= 0) took[i]?.push(server.startMs);
    }
  }
  return those.map((contender, i) => ({
    ...naming(work, contender),
    startMs: median(took[i] ?? []),
    rounds: took[i] ?? [],
    errors: 0,
  }));
}

function naming({ id, title, figure }: Work, { name }: Contender) {
  return { work: id, title, figure, server: name };
}

async function run(
  contender: Contender,
  work: Work,
  { certificate }: Setting,
  ends: Ends = {},
  maildir?: string,
): Promise<Running> {
  const port = freePort();
  const config = configFor(contender, work, {
    port,
    certificate,
    ...ends,
    ...(maildir === undefined ? {} : { maildir }),
  });
  return await start(contender.program(config), port, CORES.server);
}

/** What servers talk to besides clients. */
interface Ends {
  readonly authUrl?: string;
  readonly hopPort?: number;
}

/** Starts what is at the other end; tells its port. */
async function end(
  stack: AsyncDisposableStack,
  name: "http" | "hop",
  ...numbers: readonly number[]
): Promise<number> {
  const port = freePort();
  const file = new URL(`./servers/${name}_end.ts`, import.meta.url).pathname;
  const args = [
    "run",
    "-A",
    "--quiet",
    file,
    ...[port, ...numbers].map(String),
  ];
  stack.use(await start({ command: Deno.execPath(), args }, port, CORES.load));
  return port;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1
    ? upper
    : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}
