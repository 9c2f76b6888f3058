import { decodePunycode } from "../../lib/punycode.ts";
import { assertEquals } from "../support/assert.ts";
import { newRandom, pick } from "../support/random.ts";

Deno.test("decodePunycode() reads what RFC 3492 section 7.1 shows", () => {
  const rows = [
    ["ihqwcrb4cv8a8dqg056pqjye", "他们为什么不说中文"],
    ["ihqwctvzc91f659drss3x8bo0yb", "他們爲什麽不說中文"],
    [
      "4dbcagdahymbxekheh6e0a7fei0b",
      "\u05dc\u05de\u05d4\u05d4\u05dd\u05e4\u05e9\u05d5\u05d8\u05dc\u05d0\u05de\u05d3\u05d1\u05e8\u05d9\u05dd\u05e2\u05d1\u05e8\u05d9\u05ea",
    ],
    [
      "n8jok5ay5dzabd5bym9f0cm5685rrjetr6pdxa",
      "なぜみんな日本語を話してくれないのか",
    ],
    ["b1abfaaepdrnnbgefbadotcwatmq2g4l", "почемужеонинеговорятпорусски"],
    ["2-u9tlzr9756bt3uc0v", "ひとつ屋根の下2"],
    ["bcher-kva", "bücher"],
    ["fa-hia", "faß"],
    ["ls8h", "💩"],
    ["-> $1.00 <--", "-> $1.00 <-"],
  ] as const;
  for (const [text, label] of rows) {
    assertEquals(decodePunycode(text), label, text);
  }
});

Deno.test("decodePunycode() undoes what the platform's URL does", () => {
  const random = newRandom(7);
  const letters = [..."abcxyz019éüñøłβжאあ漢字한𐌰"];
  for (let round = 0; round < 2000; round++) {
    const length = 1 + random(12);
    const label = Array.from({ length }, () => pick(random, letters)).join("");
    const url = URL.parse(`http://${label}`);
    if (!url?.hostname.startsWith("xn--")) continue;
    // The URL maps what IDNA does not know, so that the way back is not
    // always to the same text; but always to the same URL.
    const decoded = decodePunycode(url.hostname.slice(4));
    assertEquals(new URL(`http://${decoded}`).hostname, url.hostname, label);
  }
});

Deno.test("decodePunycode() refuses what is none, however long", () => {
  const rows = ["ü", "A", "!", "bcher-kv!", "99999999", "a99999999999999b"];
  for (const text of [...rows, "z".repeat(300), "9".repeat(5000)]) {
    assertEquals(decodePunycode(text), undefined, text.slice(0, 20));
  }
  assertEquals(decodePunycode(""), "");
});
