import { assert, assertEquals } from "../../../support/assert.ts";
import { newChecker } from "../../../support/oauth/checker.ts";
import { newRandom, pick } from "../../../support/random.ts";

Deno.test.sanitizer({ ops: true, resources: true });

const LETTERS = [
  ..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=",
];

/** What a token says, however it is spelt. */
function saidBy(token: string): string {
  return token.split(".").map((part) => {
    try {
      return Uint8Array.fromBase64(part, { alphabet: "base64url" }).toHex();
    } catch {
      return part;
    }
  }).join(".");
}

Deno.test("newOAuthProvider() takes no token with anything changed, and none of them for an outage", async () => {
  const { issuer, ask } = newChecker();
  const random = newRandom(14);
  const good = await issuer.token();
  const other = await issuer.token({ email: "bob@example.com", aud: "wiki" });
  const change = (token: string): string => {
    const at = random(token.length);
    const letter = pick(random, LETTERS);
    switch (random(4)) {
      case 0:
        return token.slice(0, at) + letter + token.slice(at + 1);
      case 1:
        return token.slice(0, at) + letter + token.slice(at);
      case 2:
        return token.slice(0, at) + token.slice(at + 1);
      default:
        // The rest of another good token.
        return token.slice(0, at) + other.slice(at);
    }
  };
  let refused = 0;
  for (let i = 0; i < 400; i++) {
    const token = change(good);
    const { decision } = await ask(token);
    if (decision === "authInvalid") refused++;
    else {
      assertEquals(decision, "authOk", token);
      assertEquals(saidBy(token), saidBy(good), "the same, spelt otherwise");
    }
  }
  assert(refused > 370, `${refused}`);
  // Their key names are strangers': one refetch in all.
  assert(issuer.count("keys") <= 2);
});
