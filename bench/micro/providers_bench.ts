/**
 * Providers, and what the guard around them costs.
 *
 * @module
 */

import { askProvider } from "../../auth/ask_provider.ts";
import { newHTTPAuthProvider } from "../../auth/providers/http.ts";
import { newStaticAuthProvider } from "../../auth/providers/static.ts";
import {
  matchesArgon2,
  parseArgon2,
} from "../../auth/providers/users/argon2.ts";
import { newUsersAuthProvider } from "../../auth/providers/users/users.ts";
import type { AuthProvider, AuthRequest } from "../../auth/types.ts";

/** Requests are noted in weak maps: each question is one of its own. */
function request(): AuthRequest {
  return {
    username: "ann",
    password: "correct horse",
    mechanism: "PLAIN",
    remoteIp: "192.0.2.7",
    heloName: "mail.example",
  };
}

const users = Array.from({ length: 1_000 }, (_, i) => [`user${i}`, `pass${i}`]);
const provider = newStaticAuthProvider({
  ...Object.fromEntries(users),
  ann: "correct horse",
});
const comparing: AuthProvider = ({ username, password }) =>
  username === "ann" && password === "correct horse" ? "authOk" : "authInvalid";
const slow: AuthProvider = () => Promise.resolve("authOk" as const);
const http = newHTTPAuthProvider("http://localhost/", {
  fetch: () => Promise.resolve(new Response('{"ok":true}')),
});

Deno.bench("===, to compare", { group: "static", baseline: true }, () => {
  comparing(request());
});

Deno.bench("static provider", { group: "static" }, () => {
  provider(request());
});

Deno.bench("static provider, wrong password", { group: "static" }, () => {
  provider({ ...request(), password: "battery staple" });
});

const guard = { group: "guard" };

Deno.bench("await, to compare", { ...guard, baseline: true }, async () => {
  await comparing(request());
});

Deno.bench("askProvider()", guard, async () => {
  await askProvider(comparing, request());
});

const { signal } = new AbortController();

Deno.bench("askProvider(), later, with a signal", guard, async () => {
  await askProvider(slow, request(), signal);
});

Deno.bench("HTTP provider without a network", guard, async () => {
  await http(request());
});

// What --hash-password prints, of the password that is asked about.
const HASH =
  "$argon2id$v=19$m=19456,t=2,p=1$dXNlcnMtb2YtYS1iZW5jaA$IDprLQFySa3bxdy/eQ9VcXTNKzE16VZqm3UG+XPH6gc";
const hash = parseArgon2(HASH);
if (typeof hash !== "object") throw new Error(hash);
const octets = new TextEncoder().encode("correct horse");
const inFile = newUsersAuthProvider(`ann:${HASH}\n`);
const argon2id = { group: "argon2id", n: 20, warmup: 2 };

Deno.bench(
  "WebCrypto, to compare",
  { ...argon2id, baseline: true },
  async () => {
    await matchesArgon2(hash, octets);
  },
);

Deno.bench("users in a file", argon2id, async () => {
  await inFile(request());
});
