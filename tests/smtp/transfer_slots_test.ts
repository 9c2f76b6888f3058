import {
  newTransferSlots,
  type TransferSlot,
} from "../../smtp/transfer_slots.ts";
import { assertEquals } from "../support/assert.ts";
import { newClock } from "../support/clock.ts";

/** A time that does not pass by itself while a test runs. */
const SLICE_MS = 60_000;

/** Which slots are held, by their index in the list. */
function whichAreHeld(slots: readonly TransferSlot[]): number[] {
  return slots.flatMap((slot, i) => slot.isHeld ? [i] : []);
}

Deno.test("newTransferSlots() gives as many as there may be, the rest when some end", async () => {
  using clock = newClock();
  const { acquire } = newTransferSlots(2, SLICE_MS);
  const slots = Array.from({ length: 5 }, acquire);
  assertEquals(whichAreHeld(slots), [0, 1]);
  assertEquals(slots.map(({ ready }) => ready !== undefined), [
    ...[false, false],
    ...[true, true, true],
  ]);

  slots[1]?.release();
  slots[1]?.release(); // once is enough
  assertEquals(whichAreHeld(slots), [0, 2]);
  await slots[2]?.ready;
  slots.forEach((slot) => slot.release());
  assertEquals(whichAreHeld(slots), []);
  assertEquals(clock.timers(), []);
});

Deno.test("newTransferSlots() lets a slot be given away only to one who waits", () => {
  using clock = newClock();
  const { acquire } = newTransferSlots(1, SLICE_MS);
  const slots = [acquire()];
  slots[0]?.yield();
  assertEquals(whichAreHeld(slots), [0]);
  slots.push(acquire());
  slots[0]?.yield();
  assertEquals(whichAreHeld(slots), [1]);
  slots[0]?.yield(); // it is over already
  assertEquals(whichAreHeld(slots), [1]);
  slots[1]?.release();
  assertEquals(clock.timers(), []);
});

Deno.test("newTransferSlots() lets one that is waited for end before it is held", async () => {
  using clock = newClock();
  const { acquire } = newTransferSlots(1, SLICE_MS);
  const slots = Array.from({ length: 3 }, acquire);
  slots[1]?.release();
  await slots[1]?.ready;
  slots[0]?.release();
  assertEquals(whichAreHeld(slots), [2]);
  slots[2]?.release();
  assertEquals(clock.timers(), []);
});

Deno.test("newTransferSlots() ends a slot whose time is over if somebody waits", () => {
  using clock = newClock();
  const { acquire } = newTransferSlots(1, SLICE_MS);
  const slots = [acquire(), acquire(), acquire()];
  clock.wind(SLICE_MS);
  assertEquals(whichAreHeld(slots), [1]);
  slots[0]?.release(); // it is over already
  assertEquals(whichAreHeld(slots), [1]);
  clock.wind(SLICE_MS);
  assertEquals(whichAreHeld(slots), [2]);
  clock.wind(SLICE_MS);
  assertEquals(whichAreHeld(slots), [2]);
  slots[2]?.release();
  assertEquals(clock.timers(), []);
});

Deno.test("newTransferSlots() takes a slot whose time is over for one who comes later", () => {
  using clock = newClock();
  const { acquire } = newTransferSlots(2, SLICE_MS);
  const slots = [acquire()];
  clock.wind(SLICE_MS);
  slots.push(acquire(), acquire(), acquire());
  assertEquals(whichAreHeld(slots), [1, 2]);
  slots.forEach((slot) => slot.release());
  assertEquals(clock.timers(), []);
});
