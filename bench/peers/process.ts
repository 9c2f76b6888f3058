/**
 * Processes of the benchmark: started on one core, measured from outside.
 *
 * @module
 */

/** Clock ticks a second in /proc: 100 on every Linux that distributions ship. */
const TICKS_PER_SECOND = 100;

/** How long a server may take to listen, in milliseconds. */
const START_MS = 20_000;

/** A program and its arguments, and where to run it. */
export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  readonly folder?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Whether its stderr is a log, which is read and thrown away. */
  readonly logs?: boolean;
}

/** A running process. */
export interface Running extends AsyncDisposable {
  readonly pid: number;
  readonly port: number;
  /** Milliseconds from the start to the first accepted connection. */
  readonly startMs: number;
}

const children = new Set<Deno.ChildProcess>();

/** Ends everything that was started: for a run that is broken off. */
export function killAll(): void {
  children.forEach((child) => child.kill("SIGKILL"));
}

/** The cores: servers on one, everything else on the other. */
export const CORES = { server: 0, load: 1 } as const;

/** Moves this process, all its threads and its children to come to a core. */
export async function pinSelf(): Promise<void> {
  await new Deno.Command("taskset", {
    args: ["-acp", String(CORES.load), String(Deno.pid)],
    stdout: "null",
  }).output();
}

/** A port that is free right now. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/**
 * Starts a program on a core and waits until it accepts connections.
 *
 * The program replaces taskset, so the process number is the program's own.
 */
export async function start(
  program: Program,
  port: number,
  core: number,
): Promise<Running> {
  const began = performance.now();
  const { folder, env, logs } = program;
  const child = new Deno.Command("taskset", {
    args: ["-c", String(core), program.command, ...program.args],
    stdin: "null",
    stdout: "null",
    stderr: logs ? "piped" : "inherit",
    ...(folder === undefined ? {} : { cwd: folder }),
    ...(env === undefined ? {} : { env }),
  }).spawn();
  children.add(child);
  if (logs) child.stderr.pipeTo(new WritableStream()).catch(() => {});
  let over = false;
  const ended = child.status.then(() => {
    over = true;
    children.delete(child);
  });
  const stop = async () => {
    if (!over) child.kill("SIGKILL");
    await ended;
  };
  while (!await accepts(port)) {
    if (over || performance.now() - began > START_MS) {
      await stop();
      throw new Error(`${program.command} does not listen`);
    }
    await new Promise((done) => setTimeout(done, 1));
  }
  const startMs = performance.now() - began;
  return { pid: child.pid, port, startMs, [Symbol.asyncDispose]: stop };
}

async function accepts(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  } catch {
    return false;
  }
}

/** CPU time of a process with all its threads, in milliseconds. */
export function cpuMs(pid: number): number {
  const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  // The name in parentheses may have spaces in it; utime and stime follow.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = Number(fields[11]) + Number(fields[12]);
  return ticks * 1000 / TICKS_PER_SECOND;
}

/** Memory of a process, shared pages by their share, in KiB. */
export function memoryKiB(pid: number): number {
  const rollup = Deno.readTextFileSync(`/proc/${pid}/smaps_rollup`);
  return Number(/^Pss:\s+(\d+) kB$/m.exec(rollup)?.[1]);
}

/**
 * Waits until this process has closed the sockets of past connections: Deno lets
 * go of a TLS client's some seconds after it is closed, so that a fast server
 * would leave the next one none.
 */
export async function ownSocketsClosed(): Promise<void> {
  const end = performance.now() + SOCKETS_MS;
  while (ownDescriptors() > FEW_DESCRIPTORS && performance.now() < end) {
    await new Promise((done) => setTimeout(done, 50));
  }
}

/** More than this process has without past connections. */
const FEW_DESCRIPTORS = 1_000;

/** How long sockets may take to close, in milliseconds. */
const SOCKETS_MS = 60_000;

function ownDescriptors(): number {
  return [...Deno.readDirSync("/proc/self/fd")].length;
}
