import {
  newTransferTurns,
  type TransferTurn,
} from "../../smtp/transfer_slots.ts";
import { assertEquals } from "../support/assert.ts";
import { newClock } from "../support/clock.ts";

/** A time that does not pass by itself while a test runs. */
const SLICE_MS = 60_000;

/** Which turns are on, by their place in the list. */
function whoIsOn(turns: readonly TransferTurn[]): number[] {
  return turns.flatMap((turn, i) => turn.isOn() ? [i] : []);
}

Deno.test("newTransferTurns() gives as many as there may be, the rest when some end", async () => {
  using clock = newClock();
  const { begin } = newTransferTurns(2, SLICE_MS);
  const turns = Array.from({ length: 5 }, begin);
  assertEquals(whoIsOn(turns), [0, 1]);
  assertEquals(turns.map(({ come }) => come !== undefined), [
    ...[false, false],
    ...[true, true, true],
  ]);

  turns[1]?.end();
  turns[1]?.end(); // once is enough
  assertEquals(whoIsOn(turns), [0, 2]);
  await turns[2]?.come;
  turns.forEach((turn) => turn.end());
  assertEquals(whoIsOn(turns), []);
  assertEquals(clock.timers(), []);
});

Deno.test("newTransferTurns() lets a turn be given away only to one who waits", () => {
  using clock = newClock();
  const { begin } = newTransferTurns(1, SLICE_MS);
  const turns = [begin()];
  turns[0]?.yield();
  assertEquals(whoIsOn(turns), [0]);
  turns.push(begin());
  turns[0]?.yield();
  assertEquals(whoIsOn(turns), [1]);
  turns[0]?.yield(); // it is over already
  assertEquals(whoIsOn(turns), [1]);
  turns[1]?.end();
  assertEquals(clock.timers(), []);
});

Deno.test("newTransferTurns() lets one that is waited for end before it has come", async () => {
  using clock = newClock();
  const { begin } = newTransferTurns(1, SLICE_MS);
  const turns = Array.from({ length: 3 }, begin);
  turns[1]?.end();
  await turns[1]?.come;
  turns[0]?.end();
  assertEquals(whoIsOn(turns), [2]);
  turns[2]?.end();
  assertEquals(clock.timers(), []);
});

Deno.test("newTransferTurns() ends a turn whose time is over if somebody waits", () => {
  using clock = newClock();
  const { begin } = newTransferTurns(1, SLICE_MS);
  const turns = [begin(), begin(), begin()];
  clock.wind(SLICE_MS);
  assertEquals(whoIsOn(turns), [1]);
  turns[0]?.end(); // it is over already
  assertEquals(whoIsOn(turns), [1]);
  clock.wind(SLICE_MS);
  assertEquals(whoIsOn(turns), [2]);
  clock.wind(SLICE_MS);
  assertEquals(whoIsOn(turns), [2]);
  turns[2]?.end();
  assertEquals(clock.timers(), []);
});

Deno.test("newTransferTurns() takes a turn whose time is over for one who comes later", () => {
  using clock = newClock();
  const { begin } = newTransferTurns(2, SLICE_MS);
  const turns = [begin()];
  clock.wind(SLICE_MS);
  turns.push(begin(), begin(), begin());
  assertEquals(whoIsOn(turns), [1, 2]);
  turns.forEach((turn) => turn.end());
  assertEquals(clock.timers(), []);
});
