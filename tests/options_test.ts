// Every public function that takes options says at once what is wrong with
// them and what is accepted, in one grammar, and repeats no secret.

import * as mod from "../mod.ts";
import { assert, assertEquals } from "./support/assert.ts";

const provider: mod.AuthProvider = () => "authOk";
const kv: mod.KvDatabase = {
  getMany: () => Promise.resolve([]),
  atomic: () => {
    throw new Error("not used");
  },
};
const UPSTREAM = { hostname: "127.0.0.1", port: 25 };

/** How each function is called with options, and what it does in errors. */
const FUNCTIONS = {
  authHandler: [
    "create auth handler",
    (options) => mod.authHandler(provider, options),
  ],
  listenSmtp: [
    "serve SMTP",
    (options) => mod.listenSmtp({ provider, port: 0, ...options }, () => {}),
  ],
  maxConcurrent: [
    "create concurrency limit",
    (options) => mod.maxConcurrent(provider, options),
  ],
  newDovecotAuthProvider: [
    "create Dovecot provider",
    (options) => mod.newDovecotAuthProvider({ path: "/nowhere", ...options }),
  ],
  newHTTPAuthProvider: [
    "create HTTP provider",
    (options) => mod.newHTTPAuthProvider("http://127.0.0.1/", options),
  ],
  newHTTPDelivery: [
    "create HTTP delivery",
    (options) => mod.newHTTPDelivery({ url: "http://127.0.0.1/", ...options }),
  ],
  newKvStore: [
    "create KV store",
    (options) => mod.newKvStore(kv, options),
  ],
  newMemoryStore: [
    "create memory store",
    (options) => mod.newMemoryStore(options),
  ],
  newRedisStore: [
    "create Redis store",
    (options) =>
      mod.newRedisStore({ command: () => Promise.resolve(), ...options }),
  ],
  newRelay: [
    "create relay",
    (options) => mod.newRelay({ url: "smtp://127.0.0.1", ...options }),
  ],
  newUsersAuthProvider: [
    "read users",
    (options) => mod.newUsersAuthProvider("ann:{PLAIN}secret\n", options),
  ],
  nginxAuthHandler: [
    "create nginx auth handler",
    (options) =>
      mod.nginxAuthHandler(provider, { upstream: UPSTREAM, ...options }),
  ],
  rememberRights: [
    "remember rights",
    (options) =>
      mod.rememberRights(provider, { store: mod.newMemoryStore(), ...options }),
  ],
  serveDovecotAuth: [
    "serve Dovecot auth",
    (options) => mod.serveDovecotAuth({ provider, port: 0, ...options }),
  ],
  servePostfixPolicy: [
    "serve Postfix policy",
    (options) =>
      mod.servePostfixPolicy({
        store: mod.newMemoryStore(),
        port: 0,
        ...options,
      }),
  ],
  serveSaslauthd: [
    "serve saslauthd",
    (options) => mod.serveSaslauthd({ provider, port: 0, ...options }),
  ],
  serveSmtp: [
    "serve SMTP",
    (options) => mod.serveSmtp({ provider, port: 0, ...options }, () => {}),
  ],
  smtpServerAuth: [
    "create smtp-server auth",
    (options) => mod.smtpServerAuth(provider, options),
  ],
  withCache: ["create cache", (options) => mod.withCache(provider, options)],
  withSendingLimits: [
    "limit sending",
    (options) => mod.withSendingLimits(() => {}, options),
  ],
  withFallback: [
    "create fallback",
    (options) => mod.withFallback(mod.newMemoryStore(), options),
  ],
  withThrottle: [
    "create throttle",
    (options) => mod.withThrottle(provider, options),
  ],
} satisfies Record<string, [action: string, call: Call]>;

// deno-lint-ignore no-explicit-any -- what a caller without types may give
type Call = (options: any) => unknown;

/** Calls a function of mod.ts as one without types may. */
function untyped(name: keyof typeof mod, argument: unknown): unknown {
  const called: unknown = Reflect.get(mod, name);
  assert(called instanceof Function);
  return called(argument);
}

/** What calling it throws or rejects with, in words. */
async function complaint(call: () => unknown): Promise<string> {
  try {
    await call();
  } catch (error) {
    return String(error);
  }
  return "nothing";
}

/**
 * The functions of mod.ts that have no options of their own, or, as the steps
 * of an exchange, make nothing of them: those are asked for every line, and
 * who offers the mechanisms has checked them.
 */
const WITHOUT_OPTIONS: ReadonlySet<string> = new Set([
  "askProvider",
  "byMechanism",
  "continueSasl",
  "decisionReply",
  "finishSasl",
  "firstProvider",
  "newStaticAuthProvider",
  "openMaildir",
  "startSasl",
  "unthrottle",
]);

Deno.test("the table below has every function of mod.ts that takes options", () => {
  const functions = Object.entries(mod)
    .filter(([, value]) => typeof value === "function")
    .map(([name]) => name)
    .filter((name) => !WITHOUT_OPTIONS.has(name));
  assertEquals(functions.sort(), Object.keys(FUNCTIONS).sort());
});

for (const [name, [action, call]] of Object.entries(FUNCTIONS)) {
  Deno.test(`${name}() refuses an option that there is not, and says which there are`, async () => {
    const text = await complaint(() => call({ prot: 25 }));
    assert(text.startsWith(`TypeError: Cannot ${action}: options may have `));
    assert(text.endsWith(": got prot"), text);
  });
}

Deno.test("options of a wrong kind are refused at once, with what is accepted", async () => {
  const secret = "canary horse";
  const certificate = { cert: "./cert.pem", key: "./key.pem" };
  const rows: readonly (readonly [() => unknown, string])[] = [
    [
      () => untyped("serveSmtp", { provider }),
      "TypeError: Cannot serve SMTP: to must be a function, or an object with a function begin: got undefined",
    ],
    [
      () => untyped("serveSmtp", undefined),
      "TypeError: Cannot serve SMTP: options must be an object: got undefined",
    ],
    [
      () => FUNCTIONS.serveSmtp[1]({ port: -1 }),
      "RangeError: Cannot serve SMTP: port must be an integer from 0 to 65535: got -1",
    ],
    [
      () => FUNCTIONS.serveSmtp[1]({ port: "2525" }),
      "TypeError: Cannot serve SMTP: port must be an integer from 0 to 65535: got a string",
    ],
    [
      () => FUNCTIONS.serveSmtp[1]({ requireAuth: "no" }),
      "TypeError: Cannot serve SMTP: requireAuth must be true or false: got a string",
    ],
    [
      () => FUNCTIONS.serveSmtp[1](certificate),
      "TypeError: Cannot serve SMTP: cert must be PEM with -----BEGIN CERTIFICATE-----, not a path: got a string",
    ],
    [
      () => FUNCTIONS.serveSmtp[1]({ proxyProtocolFrom: ["10.0.0.0/40"] }),
      "TypeError: Cannot serve SMTP: proxyProtocolFrom must be networks such as 192.0.2.0/24: got 10.0.0.0/40",
    ],
    [
      () => untyped("withThrottle", secret),
      "TypeError: Cannot create throttle: provider must be a function: got a string",
    ],
    [
      () => untyped("withCache", { ann: secret }),
      "TypeError: Cannot create cache: provider must be a function: got an object",
    ],
    [
      () => FUNCTIONS.authHandler[1]({ bearerToken: secret }),
      "TypeError: Cannot create auth handler: bearerToken must be visible ASCII characters without spaces: got a string",
    ],
    [
      () => FUNCTIONS.newHTTPAuthProvider[1]({ bearerToken: 12345678 }),
      "TypeError: Cannot create HTTP provider: bearerToken must be visible ASCII characters without spaces: got a number",
    ],
    [
      () => FUNCTIONS.nginxAuthHandler[1]({ upstream: { hostname: "::1" } }),
      "TypeError: Cannot create nginx auth handler: upstream.port must be an integer from 1 to 65535: got undefined",
    ],
    [
      () => untyped("newStaticAuthProvider", { ann: 12345678 }),
      "TypeError: Cannot create static provider: each password must be a string that is not empty: got a number",
    ],
    [
      () => untyped("byMechanism", { PLAIN: secret }),
      "TypeError: Cannot create providers by mechanism: PLAIN must be a function: got a string",
    ],
    [
      () => untyped("firstProvider", undefined),
      "TypeError: Cannot create provider chain: provider 1 must be a function: got undefined",
    ],
  ];
  for (const [call, expected] of rows) {
    assertEquals(await complaint(call), expected);
  }
});
