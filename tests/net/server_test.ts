import { newServer, type ServerParts } from "../../net/server.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { newClock } from "../support/clock.ts";
import { newCountedSignal } from "../support/counted_signal.ts";

Deno.test.sanitizer({ ops: true, resources: true });

/** A server's parts that say what is done to them. */
function newParts(signal?: AbortSignal) {
  const done: string[] = [];
  const accepting = Promise.withResolvers<void>();
  const clients = Promise.withResolvers<void>();
  const parts: ServerParts = {
    accepted: accepting.promise,
    close: () => {
      done.push("close");
      accepting.resolve();
    },
    stop: () => done.push("stop"),
    cut: () => {
      done.push("cut");
      clients.resolve();
    },
    ended: () => clients.promise,
    signal,
  };
  return { parts, done, lastLeaves: clients.resolve };
}

Deno.test("newServer() shuts down in good order: once, and as soon as the last client has left", async () => {
  using clock = newClock();
  const { parts, done, lastLeaves } = newParts();
  const server = newServer(parts);
  const ended = server.shutdown();
  assertEquals(done, ["close", "stop"]);
  server.shutdown();
  assertEquals([done.length, clock.timers()], [2, [9_000]]);
  lastLeaves();
  await ended;
  await server.finished;
  assertEquals([done, clock.timers()], [["close", "stop"], []]);
});

Deno.test("newServer() cuts off who is still there, and is over within ten seconds", async () => {
  using clock = newClock();
  const { parts, done, lastLeaves } = newParts();
  const server = newServer({ ...parts, cut: () => void done.push("cut") });
  const ended = server.shutdown();
  clock.wind(8_999);
  assertEquals(done, ["close", "stop"]);
  clock.wind(1);
  assertEquals(done, ["close", "stop", "cut"]);
  // Whoever does not leave even now is not waited for.
  clock.wind(500);
  assertEquals(done, ["close", "stop", "cut", "cut"]);
  assertEquals(clock.timers(), []);
  lastLeaves();
  await ended;
});

Deno.test("newServer() cuts off once if all leave then", async () => {
  using clock = newClock();
  const { parts, done } = newParts();
  {
    await using _server = newServer(parts);
    queueMicrotask(() => clock.wind(9_000));
  }
  assertEquals(done, ["close", "stop", "cut"]);
  assertEquals(clock.timers(), []);
});

Deno.test("newServer() ends at once with its signal, also in the midst of a shutdown", async () => {
  for (const first of ["shutdown", "abort"]) {
    const { signal, abort, listening } = newCountedSignal();
    const { parts, done } = newParts(signal);
    const server = newServer(parts);
    if (first === "shutdown") server.shutdown();
    assertEquals(listening(), 1);
    abort();
    await server.finished;
    assertEquals(
      done,
      first === "abort" ? ["close", "cut"] : ["close", "stop", "cut"],
    );
    assertEquals(listening(), 0);
  }
});

Deno.test("newServer() ends at once with a signal that was aborted before", async () => {
  const { parts, done } = newParts(AbortSignal.abort());
  await newServer(parts).finished;
  assertEquals(done, ["close", "cut"]);
});

Deno.test("newServer() leaves no listener on a signal that it outlives", async () => {
  const { signal, listening } = newCountedSignal();
  const { parts, lastLeaves } = newParts(signal);
  const server = newServer(parts);
  lastLeaves();
  await server.shutdown();
  await server.finished;
  assert(listening() === 0);
});
