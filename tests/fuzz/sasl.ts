/**
 * The SASL decoder under random exchanges. A step is a response.
 *
 * @module
 */

import {
  continueSasl,
  finishSasl,
  MAX_RESPONSE_OCTETS,
  startSasl,
} from "../../auth/sasl/sasl.ts";
import type { SaslCredentials, SaslStep } from "../../auth/sasl/steps.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { base64 } from "../support/octets.ts";
import { newRandom, pick } from "../support/random.ts";

type Random = (below: number) => number;

const MECHANISMS = [
  ...["PLAIN", "PLAIN", "plain", "LOGIN", "LOGIN", "CRAM-MD5", ""],
  ...["XOAUTH2", "XOAUTH2", "OAUTHBEARER", "oauthbearer"],
];

/** Octets that a message of PLAIN may have, or may not. */
const PARTS = ["\0", "\0", "ann", "secret", "ä", "\ufeff", "\x85", "\x7f", "€"];

/** What stands in base64, and what does not. */
const LETTERS = "AGFubgBz+/==*- \r\n\tä\u0130";

const STRAY = [[0xff], [0xc3], [0xed, 0xa0, 0x80], [0], [0xf5]] as const;

/** One exchange; returns the responses in it. */
export function fuzzSasl(seed: number): number {
  const random = newRandom(seed);
  const mechanism = pick(random, MECHANISMS);
  const first = random(3) === 0 ? undefined : newResponse(random);
  let step = startSasl(mechanism, first);
  checkStep(step, first);
  let steps = 1;
  while (step.kind === "challenge") {
    assert(steps < 4, "an exchange ends");
    const response = newResponse(random);
    step = continueSasl(step, response);
    checkStep(step, response);
    steps++;
  }
  return step.kind === "credentials" ? steps + refuse(step, random) : steps;
}

/** What the mechanisms for tokens say before they refuse. */
const WHY: ReadonlyMap<string, string> = new Map([
  ["XOAUTH2", base64('{"status":"401","schemes":"bearer"}')],
  ["OAUTHBEARER", base64('{"status":"invalid_token"}')],
]);

/** The end of an exchange that is refused; returns the responses in it. */
function refuse(step: SaslCredentials, random: Random): number {
  const last = finishSasl(step, "authInvalid");
  const why = WHY.get(step.mechanism);
  if (last.kind === "done") {
    assertEquals(why, undefined, step.mechanism);
    return 0;
  }
  assertEquals(last.challenge, why);
  const response = newResponse(random);
  const end = continueSasl(last, response);
  assert(end.kind === "error", "an exchange ends");
  assertEquals(end.code, response === "*" ? 501 : 535);
  return 1;
}

function checkStep(step: SaslStep, response: string | undefined): void {
  switch (step.kind) {
    case "challenge":
      return;
    case "error":
      return assert([454, 500, 501, 504, 535].includes(step.code), step.text);
    case "credentials":
      return checkCredentials(step, response ?? "");
    default:
      step satisfies never;
  }
}

/** Encoded again, credentials are what the client has sent. */
function checkCredentials(
  { mechanism, username, password }: SaslStep & { kind: "credentials" },
  response: string,
): void {
  assert(response.length <= MAX_RESPONSE_OCTETS, "a long response is refused");
  if (mechanism === "LOGIN") {
    return assertEquals(base64(password), response === "=" ? "" : response);
  }
  if (mechanism !== "PLAIN") {
    return checkToken({ mechanism, username, password }, response);
  }
  const spellings = ["", username].map((authzid) =>
    base64(`${authzid}\0${username}\0${password}`)
  );
  assert(spellings.includes(response), `${response} is ${spellings[0]}`);
}

/** A token is the whole of its kind, and what the client has sent ends in it. */
function checkToken(
  { mechanism, username, password }: Omit<SaslCredentials, "kind">,
  response: string,
): void {
  assert(/^[A-Za-z0-9._~+/-]+=*$/.test(password), password);
  const octets = Uint8Array.from(atob(response), (c) => c.charCodeAt(0));
  const message = new TextDecoder("utf-8", { ignoreBOM: true }).decode(octets);
  const name = mechanism === "XOAUTH2"
    ? username
    : username.replaceAll("=", "=3D").replaceAll(",", "=2C");
  assert(message.includes(name) && message.includes(` ${password}\x01`));
}

function newResponse(random: Random): string {
  switch (random(8)) {
    case 0:
      return pick(random, ["*", "=", "", "====", "AGFubgBzZWNyZXQ"]);
    case 1:
      return text(random, [...LETTERS], 24);
    case 2: {
      const good = newMessage(random);
      const at = random(good.length + 1);
      return good.slice(0, at) + pick(random, [...LETTERS]) +
        good.slice(at + random(2));
    }
    case 3:
      // Around the limit, but seldom: these are slow.
      return random(64) === 0 ? "A".repeat(12_280 + random(16)) : "QQ==";
    default:
      return newMessage(random);
  }
}

/** What a message with a token is made of: what is right, then what is not. */
const TOKEN_PARTS = [
  [["user=", "n,a=", "y,a="], ["n,", "p=x,", ""]],
  [["ann", "j=2Co", "ä"], ["=", "\x7f", ""]],
  [["\x01", ",\x01"], [",,\x01", ""]],
  [["", "host=a\x01"], ["auth=Bearer x\x01", "host\x01"]],
  [["auth=Bearer ", "auth=bearer  "], ["Auth=Bearer ", "auth="]],
  [["dG9rZW4=", "9.b-c~_+/=="], ["", "a b", "ä"]],
  [["\x01\x01", "\x01port=1\x01\x01"], ["\x01", "\x01\x01x", ""]],
] as const;

function newTokenMessage(random: Random): string {
  const parts = TOKEN_PARTS.map(([right, wrong]) =>
    pick(random, random(20) === 0 ? wrong : right)
  );
  return base64(parts.join(""));
}

/** Base64 of what may be a message, or a name, or a password. */
function newMessage(random: Random): string {
  const part = () => text(random, PARTS, 3);
  if (random(3) === 0) return newTokenMessage(random);
  if (random(2) === 0) {
    const name = part();
    const authzid = random(2) === 0 ? "" : random(2) === 0 ? name : part();
    return base64(`${authzid}\0${name}\0${part()}`);
  }
  const octets = new TextEncoder().encode(text(random, PARTS, 6));
  const stray = random(3) === 0 ? pick(random, STRAY) : [];
  return base64([...octets, ...stray]);
}

function text(random: Random, from: readonly string[], most: number): string {
  return Array.from({ length: random(most + 1) }, () => pick(random, from))
    .join("");
}
