/**
 * What it costs where counts are: a login with the state in Redis beside one in
 * memory, and the memory of many users.
 *
 * deno run -A --v8-flags=--expose-gc bench/state/main.ts
 *
 * @module
 */

import process from "node:process";
import { withThrottle } from "../../auth/guards/throttle/throttle.ts";
import { Quota } from "../../auth/rights/quota.ts";
import { rememberRights } from "../../auth/rights/remember_rights.ts";
import type { StateEvent } from "../../auth/events.ts";
import { withFallback } from "../../auth/state/fallback.ts";
import { newMemoryStore } from "../../auth/state/memory_store.ts";
import { newRedisStore } from "../../auth/state/redis_store.ts";
import type { Store } from "../../auth/state/store.ts";
import type { AuthRequest, ReadyProvider } from "../../auth/types.ts";
import { pause } from "../../lib/race.ts";
import { connectRedis, type RedisConnection } from "../../command/redis.ts";

const LOGINS = 5000;
const USERS = 100_000;
const PORT = 16_379;

/** Accepts everybody at once: what is left is the throttle and its store. */
const provider = () =>
  Promise.resolve({ decision: "authOk" as const, senders: ["a@example.org"] });

function request(i: number): AuthRequest {
  return {
    username: `user${i}@example.org`,
    password: "correct horse",
    mechanism: "PLAIN",
    remoteIp: `10.${i >> 16 & 255}.${i >> 8 & 255}.7`,
    heloName: "laptop",
  };
}

/** Logs in one after the other, and says how long each took. */
async function logIn(
  what: string,
  login: ReadyProvider,
  first: number,
): Promise<void> {
  const times: number[] = [];
  const before = process.cpuUsage();
  for (let i = 0; i < LOGINS; i++) {
    const began = performance.now();
    await login(request(first + i));
    times.push(performance.now() - began);
  }
  const { user, system } = process.cpuUsage(before);
  times.sort((a, b) => a - b);
  const at = (share: number) =>
    `${((times[Math.floor(share * LOGINS)] ?? 0) * 1000).toFixed(0)} us`;
  const cpu = ((user + system) / LOGINS).toFixed(0);
  console.log(
    `${what.padEnd(34)} CPU ${cpu} us, p50 ${at(0.5)}, p99 ${at(0.99)}`,
  );
}

/** The first logins write where the user is at home, the second only read. */
async function compare(what: string, store: Store): Promise<void> {
  const login = withThrottle(provider, { store });
  await logIn(`${what}: warming up`, login, 1_000_000);
  await logIn(`${what}: users' first logins`, login, 0);
  await logIn(`${what}: users known already`, login, 0);
}

function isThere(command: RedisConnection["command"]): Promise<boolean> {
  return command("PING").then(() => true, () => false);
}

async function compareStores(): Promise<void> {
  await compare("memory", newMemoryStore());
  const server = new Deno.Command("redis-server", {
    args: ["--port", String(PORT), "--bind", "127.0.0.1", "--save", ""],
    stdout: "null",
  }).spawn();
  try {
    const url = new URL(`redis://127.0.0.1:${PORT}`);
    using connection = await connectRedis(url, undefined);
    while (!await isThere(connection.command)) await pause(50);
    const store = newRedisStore({ command: connection.command });
    const onEvent = (event: StateEvent) => console.warn("no figure:", event);
    // Slow is not away: what is measured is the server.
    await compare("Redis", withFallback(store, { timeoutMs: 5000, onEvent }));
  } finally {
    server.kill();
    await server.status;
  }
}

function heap(): number {
  const gc: unknown = Reflect.get(globalThis, "gc");
  if (typeof gc !== "function") {
    throw new Error("This needs --v8-flags=--expose-gc");
  }
  gc();
  return Deno.memoryUsage().heapUsed;
}

/** The memory of so many users, as one part after the other remembers them. */
async function weighUsers(): Promise<void> {
  const store = newMemoryStore({ maxEntries: 1e6, maxOctets: 2 ** 30 });
  const quota = new Quota({
    store,
    storeTimeoutMs: 250,
    limits: { recipientsPerDay: 500, messagesPerMinute: 30 },
    now: Date.now,
    report: () => {},
  });
  const parts: readonly (readonly [string, ReadyProvider])[] = [
    ["a login that the throttle has noted", withThrottle(provider, { store })],
    ["what it said, for Postfix's policy", rememberRights(provider, { store })],
  ];
  let before = heap();
  const tell = (what: string) => {
    const now = heap();
    console.log(`${what.padEnd(38)} ${Math.round((now - before) / USERS)}`);
    before = now;
  };
  console.log(`octets for each of ${USERS} users:`);
  for (const [what, login] of parts) {
    for (let i = 0; i < USERS; i++) await login(request(i));
    tell(what);
  }
  for (let i = 0; i < USERS; i++) {
    const { username: user, remoteIp } = request(i);
    await quota.charge({ user, remoteIp }, 1);
  }
  tell("two limits of what the user sends");
}

if (import.meta.main) {
  await weighUsers();
  await compareStores();
}
