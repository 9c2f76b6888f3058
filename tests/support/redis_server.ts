/**
 * Redis and Valkey, run privately.
 *
 * @module
 */

import {
  type Daemon,
  findProgram,
  freePort,
  type Program,
  startDaemon,
} from "./daemons.ts";
import { eventually } from "./eventually.ts";
import { connectResp, type RespClient } from "./resp.ts";

/** A server that speaks the protocol of Redis. */
export interface RedisServer extends AsyncDisposable {
  readonly port: number;
  readonly daemon: Daemon;
  /** A connection to look into it. */
  readonly look: RespClient;
  /** Ends it: its clients see their connections closed. */
  readonly stop: () => Promise<void>;
  readonly signal: (signal: Deno.Signal) => void;
}

/** The servers that are installed here. */
export const REDIS_PROGRAMS: readonly Program[] = [
  findProgram("/usr/bin/redis-server", "redis-server"),
  findProgram("/usr/bin/valkey-server", "valkey-server"),
].filter((program) => program !== undefined);

/** The one for tests that need one only. */
export const REDIS: Program | undefined = REDIS_PROGRAMS[0];

/** How to start a server. */
export interface RedisOptions {
  readonly port?: number;
  readonly args?: readonly string[];
  /** Where it accepts connections; `false` if not there, as with TLS alone. */
  readonly looks?: boolean;
}

/** Starts a server that keeps nothing on the disk. */
export async function startRedis(
  program: Program,
  options: RedisOptions = {},
): Promise<RedisServer> {
  const { port = freePort(), args = [], looks = true } = options;
  const daemon = await startDaemon(program.path, {
    args: [
      ...["--port", String(looks ? port : 0), "--bind", "127.0.0.1"],
      ...["--save", "", "--appendonly", "no", "--dir", "/tmp"],
      ...args,
    ],
    ports: [port],
    signal: "SIGKILL",
  });
  const look = looks
    ? await connectResp(port)
    : { command: () => Promise.reject(), [Symbol.dispose]: () => {} };
  let stopped = false;
  const stop = async () => {
    if (stopped) return;
    stopped = true;
    look[Symbol.dispose]();
    await daemon[Symbol.asyncDispose]();
  };
  const signal = (signal: Deno.Signal) => Deno.kill(daemon.pid, signal);
  return { port, daemon, look, stop, signal, [Symbol.asyncDispose]: stop };
}

/** Waits until a server says of itself what matches. */
export async function redisSays(
  { look }: RedisServer,
  section: string,
  pattern: RegExp,
): Promise<void> {
  await eventually(
    `INFO ${section} has ${pattern}`,
    async () => pattern.test(String(await look.command("INFO", section))),
  );
}
