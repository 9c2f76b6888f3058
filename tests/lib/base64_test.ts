import * as base64Module from "../../lib/base64.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { base64, octetsOf } from "../support/octets.ts";
import { newRandom } from "../support/random.ts";

/** RFC 4648 section 4 as a grammar: padding, and zeros in the bits it pads. */
const CANONICAL =
  /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$/;

type Base64 = typeof base64Module;

/** The module as it is in an engine that lacks something. */
async function without(
  ...lacking: readonly (readonly [object, string])[]
): Promise<Base64> {
  using cleanUp = new DisposableStack();
  for (const [owner, name] of lacking) {
    const known = Object.getOwnPropertyDescriptor(owner, name);
    assert(known !== undefined);
    Reflect.deleteProperty(owner, name);
    cleanUp.defer(() => void Object.defineProperty(owner, name, known));
  }
  const url = new URL("../../lib/base64.ts", import.meta.url);
  const module: Base64 = await import(`${url}?lacks=${lacking.length}`);
  assertEquals(module.decodeBase64("Zg=="), octetsOf("f"));
  return module;
}

const FROM_BASE64 = [Uint8Array, "fromBase64"] as const;
const TRANSFER = [ArrayBuffer.prototype, "transfer"] as const;

for (
  const [engine, module] of [
    ["", base64Module],
    [" as in Node 22", await without(FROM_BASE64)],
    [" as in Node 20", await without(FROM_BASE64, TRANSFER)],
  ] as const
) testModule(engine, module);

function testModule(
  engine: string,
  { decodeBase64, encodeBase64 }: Base64,
): void {
  Deno.test(`decodeBase64() decodes the vectors of RFC 4648 section 10${engine}`, () => {
    const vectors = [
      ["", ""],
      ["Zg==", "f"],
      ["Zm8=", "fo"],
      ["Zm9v", "foo"],
      ["Zm9vYg==", "foob"],
      ["Zm9vYmE=", "fooba"],
      ["Zm9vYmFy", "foobar"],
    ] as const;
    for (const [text, octets] of vectors) {
      assertEquals(decodeBase64(text), octetsOf(octets), text);
    }
  });

  Deno.test(`decodeBase64() refuses every other spelling of an octet string${engine}`, () => {
    const spellings = [
      ["no padding", "Zg"],
      ["half of the padding", "Zg="],
      ["too much padding", "Zg==="],
      ["padding on a whole group", "Zm9v="],
      ["a group of padding", "Zm9v===="],
      ["one padding too many", "Zm8=="],
      ["missing padding of one", "Zm8"],
      ["a lone character", "Z"],
      ["only padding", "="],
      ["only padding, twice", "=="],
      ["only padding, a group", "===="],
      ["padding inside", "Zg==Zg=="],
      ["padding in front", "=Zg="],
      ["non-zero padding bits, four", "Zh=="],
      ["non-zero padding bits, two", "Zm9="],
      ["a space inside", "Zm 9v"],
      ["a space behind", "Zm9v "],
      ["a space in front", " Zm9v"],
      ["a tab", "Zm\t9v"],
      ["CR", "Zm9v\r"],
      ["LF", "Zm9v\n"],
      ["CRLF inside", "Zm9v\r\nZm9v"],
      ["form feed", "Zm9v\f"],
      ["the URL-safe alphabet, 62", "-_8="],
      ["the URL-safe alphabet, 63", "__8="],
      ["an asterisk", "Zm9*"],
      ["a comma", "Zm9,"],
      ["a percent sign", "Zg%3D%3D"],
      ["NUL", "Zm9\0"],
      ["NUL behind", "Zg==\0"],
      ["Latin-1", "Zm9\u00e9"],
      ["a full-width letter", "Zm9\uff36"],
      ["a character whose low octet is in the alphabet", "Zm9\u0141"],
      ["a no-break space", "Zm9v\u00a0"],
      ["a byte order mark", "\ufeffZm9v"],
      ["an astral character", "Zm\u{1f431}"],
      ["a lone surrogate", "Zm9\ud800"],
    ] as const;
    for (const [what, text] of spellings) {
      assertEquals(decodeBase64(text), undefined, what);
    }
  });

  Deno.test(`decodeBase64() agrees with the grammar on all short strings${engine}`, () => {
    const alphabet = [..."AQgZh8+/=-_ \n*\u00e9"];
    let texts = [""];
    for (let length = 0; length <= 4; length++) {
      for (const text of texts) {
        const expected = CANONICAL.test(text)
          ? Uint8Array.from(atob(text), (c) => c.charCodeAt(0))
          : undefined;
        const actual = decodeBase64(text);
        if (actual?.join() !== expected?.join()) {
          assertEquals(actual, expected, JSON.stringify(text));
        }
      }
      texts = texts.flatMap((text) => alphabet.map((c) => text + c));
    }
  });

  Deno.test(`decodeBase64() takes what survives the way back, and nothing else${engine}`, () => {
    const random = newRandom(2045);
    const alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/==";
    for (let i = 0; i < 20_000; i++) {
      const length = 4 * (1 + random(5)) - (random(8) === 0 ? 1 : 0);
      const body = Array.from({ length }, () => alphabet[random(66)]).join("");
      const text = body.slice(0, length - random(3)).padEnd(length, "=");
      const octets = decodeBase64(text);
      if (octets === undefined) {
        // Nothing that there is to decode is spelt like this.
        assertEquals(CANONICAL.test(text), false, text);
      } else assertEquals(encodeBase64(octets), text);
    }
  });

  Deno.test(`decodeBase64() decodes every octet at every length${engine}`, () => {
    const random = newRandom(4648);
    for (let length = 0; length <= 300; length++) {
      const octets = Uint8Array.from({ length }, () => random(256));
      assertEquals(encodeBase64(octets), base64(octets));
      assertEquals(decodeBase64(base64(octets)), octets);
    }
    const all = Uint8Array.from({ length: 256 }, (_, octet) => octet);
    assertEquals(decodeBase64(base64(all)), all);
  });
}
