/**
 * A Worker of Cloudflare's that uses the package: an endpoint for mail servers,
 * and a provider that asks it.
 *
 * @module
 */

import {
  authHandler,
  type AuthRequest,
  maxConcurrent,
  newHTTPAuthProvider,
  newStaticAuthProvider,
  newUsersAuthProvider,
  nginxAuthHandler,
  withCache,
  withThrottle,
} from "@meowmail/smtpauth";
import { startSasl } from "@meowmail/smtpauth/sasl";

const ANN: AuthRequest = {
  username: "ann",
  password: "secret",
  mechanism: "PLAIN",
  remoteIp: "192.0.2.7",
  heloName: "laptop",
};

// All is made outside of a request, where little is allowed.
const users = newStaticAuthProvider({ ann: "secret" });
const endpoint = authHandler(users, { bearerToken: "t0ken" });
const nginx = nginxAuthHandler(users, {
  upstream: { hostname: "192.0.2.1", port: 25 },
  secret: "known-to-both",
});
const digests = newUsersAuthProvider(
  "ann:{SHA256}K7gNU3sdo+OL0wNhqoVWhr3g6s1xYv72ol/pe/Unols=",
);
// What it fetches comes back to the Worker: see the test's configuration.
const http = newHTTPAuthProvider("https://intranet.example/may-send", {
  bearerToken: "t0ken",
  timeoutMs: 2000,
});
const guarded = withThrottle(withCache(maxConcurrent(http, { limit: 4 })), {
  delayMs: 0,
});

/** Whoever never gets an answer has come. */
const hanging = Promise.withResolvers<void>();

/** The endpoint: silent to one password, and waiting for that with another. */
async function mayDecide(request: Request): Promise<Response> {
  const { password } = await request.clone().json();
  if (password === "hang") {
    hanging.resolve();
    await inAMinute();
  }
  // A request that waits for nothing but another is ended as one that hangs.
  if (password === "wait") await Promise.race([hanging.promise, inAMinute()]);
  return await endpoint(request);
}

function inAMinute(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 60_000));
}

async function ask(changes: Partial<AuthRequest>): Promise<string> {
  const { decision, reason = "" } = await http({ ...ANN, ...changes });
  return `${decision} ${reason}`.trimEnd();
}

async function everything(): Promise<unknown> {
  const decide = async (changes: Partial<AuthRequest>) => {
    const { decision } = await guarded({ ...ANN, ...changes });
    return decision;
  };
  const guesses: string[] = [];
  for (let i = 0; i < 11; i++) {
    const eve = { username: "eve", remoteIp: "198.51.100.7" };
    guesses.push(await decide({ ...eve, password: `guess ${i}` }));
  }
  const again = await guarded(ANN);
  return {
    decoder: startSasl("PLAIN", btoa("\0ann\0secret")).kind,
    logins: [await decide({}), await decide({ password: "wrong" })],
    cached: [(await guarded(ANN)).decision, again.decision],
    guesses,
    digests: (await digests(ANN)).decision,
  };
}

/** What the runtime calls. */
const worker = {
  async fetch(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    switch (pathname) {
      case "/may-send":
        return await mayDecide(request);
      case "/nginx":
        return await nginx(request);
      case "/wait":
        return new Response(await ask({ password: "wait" }));
      case "/hang":
        return new Response(await ask({ password: "hang" }));
      default:
        return Response.json(await everything());
    }
  },
};
export default worker;
