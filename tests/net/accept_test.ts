import { acceptAll } from "../../net/accept.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { newClock } from "../support/clock.ts";

Deno.test.sanitizer({ ops: true, resources: true });

const NO_FILES = new Error("Too many open files");
const HAS_LEFT = new Deno.errors.ConnectionReset("reset");

/** A socket whose next clients and troubles a test puts in. */
function newSocket() {
  const stop = new AbortController();
  const waiting: PromiseWithResolvers<string>[] = [];
  let arrived = Promise.withResolvers<PromiseWithResolvers<string>>();
  const accept = () => {
    const next = Promise.withResolvers<string>();
    waiting.push(next);
    arrived.resolve(next);
    return next.promise;
  };
  /** What the accepting that is under way, or comes next, ends in. */
  const put = async (what: string | Error) => {
    const next = waiting.shift() ?? await arrived.promise;
    waiting.length = 0;
    arrived = Promise.withResolvers();
    if (typeof what === "string") next.resolve(what);
    else next.reject(what);
  };
  const close = async () => {
    stop.abort();
    await put(new Error("closed"));
  };
  return { accept, put, close, stop: stop.signal };
}

Deno.test("acceptAll() takes clients in until it is stopped, and says nothing of those who have left", async () => {
  const { accept, put, close, stop } = newSocket();
  const seen: string[] = [];
  const done = acceptAll({
    accept,
    admit: (conn) => seen.push(conn),
    onFailure: () => seen.push("failure"),
    stop,
  });
  await put("a");
  await put(HAS_LEFT);
  await put("b");
  await close();
  await done;
  assertEquals(seen, ["a", "b"]);
});

Deno.test("acceptAll() waits where none can be accepted, and says so once a minute", async () => {
  using clock = newClock();
  const { accept, put, close, stop } = newSocket();
  const seen: string[] = [];
  const done = acceptAll({
    accept,
    admit: (conn) => seen.push(conn),
    onFailure: (error) => seen.push(String(error)),
    stop,
    now: clock.now,
  });
  const tries = 242;
  for (let i = 0; i < tries; i++) {
    await put(NO_FILES);
    await clock.hasTimers(1);
    assertEquals(clock.timers(), [250]);
    clock.wind(250);
  }
  await put("a");
  await close();
  await done;
  // Over 60.5 seconds.
  assertEquals(seen, [String(NO_FILES), String(NO_FILES), "a"]);
});

Deno.test("acceptAll() ends at once while it waits", async () => {
  using clock = newClock();
  const { accept, put, stop, close } = newSocket();
  const done = acceptAll({
    accept,
    admit: () => assert(false),
    onFailure: () => {},
    stop,
  });
  await put(NO_FILES);
  await clock.hasTimers(1);
  close();
  await done;
  assertEquals(clock.timers(), []);
});
