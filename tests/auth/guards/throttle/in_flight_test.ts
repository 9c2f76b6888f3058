import {
  InFlight,
  type Wait,
} from "../../../../auth/guards/throttle/in_flight.ts";
import { assertEquals } from "../../../support/assert.ts";
import { newClock } from "../../../support/clock.ts";

// Off unless asked for since Deno 2.8: no timer, connection or body may be left.
Deno.test.sanitizer({ ops: true, resources: true });

function waitAt(inFlight: InFlight, again = false): Wait {
  const { moment } = inFlight;
  return { since: moment, again, limitMs: 1000, signal: undefined };
}

Deno.test("InFlight counts guesses by place, each once, and keeps nothing else", () => {
  const inFlight = new InFlight();
  const takenBy = (guess: string) =>
    ["a", "b", "c"].map((name) => inFlight.taken(name, guess, false));
  const leave = inFlight.enter(["a", "b"], "1");
  const leaveToo = inFlight.enter(["b"], "1");
  const leaveOther = inFlight.enter(["b"], "2");
  assertEquals(takenBy("3"), [1, 2, 0]);
  assertEquals(takenBy("1"), [0, 0, 0], "it has a place");
  leave("unknown");
  assertEquals(takenBy("3"), [0, 2, 0]);
  leaveToo("unknown");
  assertEquals(takenBy("3"), [0, 1, 0]);
  leaveOther("unknown");
  assertEquals(inFlight.size, 0);
});

Deno.test("InFlight calls one who waits for each that leaves, first who came first", async () => {
  using clock = newClock();
  const inFlight = new InFlight();
  const leave = inFlight.enter(["a"], "1");
  const waits = [1, 2].map(() => inFlight.wait("a", waitAt(inFlight)));
  const other = inFlight.wait("b", waitAt(inFlight));
  leave("wrong");
  assertEquals(await waits[0], true);
  assertEquals(clock.timers().length, 2);
  const again = inFlight.wait("a", waitAt(inFlight, true));
  inFlight.call("a");
  assertEquals(await again, true, "it came before the second");
  inFlight.call("a");
  assertEquals(await waits[1], true);
  inFlight.call("a");
  inFlight.call("nobody");
  clock.wind(1000);
  assertEquals(await other, false);
  assertEquals([inFlight.size, clock.timers().length], [0, 0]);
});

Deno.test("InFlight lets nobody push in before those who wait", async () => {
  using clock = newClock();
  const inFlight = new InFlight();
  const leave = inFlight.enter(["a"], "1");
  const wait = inFlight.wait("a", waitAt(inFlight));
  assertEquals(inFlight.taken("a", "2", false), Infinity);
  assertEquals(inFlight.taken("a", "2", true), 1, "unless called");
  assertEquals(inFlight.taken("a", "1", false), 0, "or there already");
  leave("unknown");
  await wait;
  assertEquals([inFlight.size, clock.timers().length], [0, 0]);
});

Deno.test("InFlight calls at once where one has left since the counts were read", async () => {
  using clock = newClock();
  const inFlight = new InFlight();
  const leaves = ["1", "2"].map((guess) => inFlight.enter(["a"], guess));
  const before = waitAt(inFlight);
  leaves[0]?.("unknown");
  assertEquals(await inFlight.wait("a", before), true);
  assertEquals(clock.timers(), []);
  const wait = inFlight.wait("a", waitAt(inFlight));
  assertEquals(clock.timers(), [1000]);
  leaves[1]?.("unknown");
  assertEquals(await wait, true);
});

Deno.test("InFlight hands the call on when the time of one is over", async () => {
  using clock = newClock();
  const inFlight = new InFlight();
  const leave = inFlight.enter(["a"], "1");
  const wait = (limitMs: number) =>
    inFlight.wait("a", { ...waitAt(inFlight), limitMs });
  const waits = [wait(1000), wait(2000)];
  clock.wind(1000);
  assertEquals(await Promise.all(waits), [false, true]);
  const last = wait(1000);
  assertEquals(await wait(0), false);
  assertEquals(await last, true);
  leave("unknown");
  assertEquals([inFlight.size, clock.timers().length], [0, 0]);
});

Deno.test("InFlight makes more room for each that was right while others wait, and halves it for each wrong", async () => {
  using clock = newClock();
  const inFlight = new InFlight();
  const leaves = Array.from(
    { length: 20 },
    (_, i) => inFlight.enter(["a"], `${i}`),
  );
  const end = (ending: "right" | "wrong" | "unknown") => leaves.pop()?.(ending);
  const taken = () => inFlight.taken("a", "new", true);
  end("right");
  assertEquals(taken(), 19, "nobody waits");
  const waits = Array.from(
    { length: 9 },
    () => inFlight.wait("a", waitAt(inFlight)),
  );
  for (let i = 0; i < 4; i++) end("right");
  assertEquals(taken(), 15 - 4);
  end("unknown");
  assertEquals(taken(), 14 - 4);
  end("wrong");
  assertEquals(taken(), 13 - 2);
  // Two of the same guess are one that is right.
  const leaveBoth = [1, 2].map(() => inFlight.enter(["a"], "both"));
  for (const leave of leaveBoth) leave("right");
  assertEquals(taken(), 13 - 3);
  end("right");
  assertEquals(taken(), 12, "the last has been called");
  while (leaves.length > 0) end("right");
  assertEquals(await Promise.all(waits), new Array(9).fill(true));
  assertEquals([inFlight.size, clock.timers().length], [0, 0]);
});
