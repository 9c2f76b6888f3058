/**
 * The SASL decoder and its base64.
 *
 * @module
 */

import { decodeBase64 } from "../../lib/base64.ts";
import { continueSasl, startSasl } from "../../auth/sasl/sasl.ts";

const plain = btoa("\0ann@mail.example\0correct horse battery staple");
const notASCII = new TextEncoder().encode("\0änn@mail.example\0pässwörd");
const utf8 = btoa(String.fromCharCode(...notASCII));
const username = btoa("ann@mail.example");
const password = btoa("correct horse battery staple");
const long = btoa("\0ann\0" + "x".repeat(9_000));

Deno.bench("atob(), to compare", { group: "base64", baseline: true }, () => {
  atob(plain);
});

if ("fromBase64" in Uint8Array) {
  Deno.bench("Uint8Array.fromBase64(), to compare", { group: "base64" }, () => {
    Uint8Array.fromBase64(plain, { lastChunkHandling: "strict" });
  });
}

Deno.bench("decodeBase64()", { group: "base64" }, () => {
  decodeBase64(plain);
});

Deno.bench("decodeBase64(), refused", { group: "base64" }, () => {
  decodeBase64("Zh==");
});

Deno.bench("decodeBase64(), 12 KB", { group: "base64" }, () => {
  decodeBase64(long);
});

Deno.bench("PLAIN", { group: "decoder", baseline: true }, () => {
  startSasl("PLAIN", plain);
});

Deno.bench("PLAIN, not ASCII", { group: "decoder" }, () => {
  startSasl("PLAIN", utf8);
});

Deno.bench("LOGIN in three steps", { group: "decoder" }, () => {
  const first = startSasl("LOGIN");
  if (first.kind !== "challenge") throw new Error("no challenge");
  const second = continueSasl(first, username);
  if (second.kind !== "challenge") throw new Error("no second challenge");
  continueSasl(second, password);
});
