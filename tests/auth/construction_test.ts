import {
  authHandler,
  byMechanism,
  firstProvider,
  maxConcurrent,
  newHTTPAuthProvider,
  newMemoryStore,
  newStaticAuthProvider,
  nginxAuthHandler,
  rememberRights,
  smtpServerAuth,
  withCache,
  withSendingLimits,
  withThrottle,
} from "../../mod.ts";
import { newOAuthProvider } from "../../oauth.ts";
import { assertEquals } from "../support/assert.ts";

/** What Workers of Cloudflare refuse while a module is loaded. */
const REFUSED = [
  [crypto, "getRandomValues"],
  [crypto, "randomUUID"],
  [globalThis, "setTimeout"],
  [globalThis, "setInterval"],
  [globalThis, "fetch"],
] as const;

/** Does something, and says which of these it has called. */
function called(act: () => void): string[] {
  const names: string[] = [];
  using back = new DisposableStack();
  for (const [owner, name] of REFUSED) {
    const own = Object.getOwnPropertyDescriptor(owner, name);
    back.defer(() => {
      if (own === undefined) Reflect.deleteProperty(owner, name);
      else Object.defineProperty(owner, name, own);
    });
    const real: unknown = Reflect.get(owner, name);
    Object.defineProperty(owner, name, {
      configurable: true,
      value: (...args: unknown[]) => {
        names.push(name);
        return typeof real === "function"
          ? Reflect.apply(real, owner, args)
          : undefined;
      },
    });
  }
  act();
  return names;
}

Deno.test("providers and what is around them are made without random octets, timers and requests, so that a Worker's module can make them", () => {
  const names = called(() => {
    const http = newHTTPAuthProvider("https://auth.example/may-send");
    const store = newMemoryStore();
    const tokens = newOAuthProvider({
      issuer: "https://issuer.example",
      audience: "smtp",
      claim: "email",
    });
    const users = firstProvider(newStaticAuthProvider({ ann: "xyz" }), http);
    const provider = withThrottle(
      withCache(maxConcurrent(
        byMechanism({ XOAUTH2: tokens }, users),
        { limit: 10 },
      )),
      { store },
    );
    rememberRights(provider, { store });
    authHandler(provider, { bearerToken: "xyz" });
    nginxAuthHandler(provider, {
      upstream: { hostname: "127.0.0.1", port: 25 },
    });
    smtpServerAuth(provider);
    withSendingLimits(() => {}, { store, recipientsPerDay: 10 });
  });
  assertEquals(names, []);
});

Deno.test("the same, where the test can fail", () => {
  assertEquals(called(() => crypto.randomUUID()), ["randomUUID"]);
});
