/**
 * A program for Node and Bun that uses the package as it was installed from
 * npm, and prints what came of each part as JSON.
 *
 * @module
 */

import {
  authHandler,
  type AuthRequest,
  type Certificate,
  continueSasl,
  listenSmtp,
  newDovecotAuthProvider,
  newHTTPAuthProvider,
  newRelay,
  newStaticAuthProvider,
  newUsersAuthProvider,
  openMaildir,
  type ReadyProvider,
  serveDovecotAuth,
  serveSmtp,
  smtpServerAuth,
  withCache,
  withThrottle,
} from "@meowmail/smtpauth";
import { newOAuthProvider } from "@meowmail/smtpauth/oauth";
import { newMetrics } from "@meowmail/smtpauth/metrics";
import { startSasl } from "@meowmail/smtpauth/sasl";
import {
  CLIENT_NAMES,
  LOGINS,
  newTestEndpoint,
  newTestServer,
  openTestServer,
  sendAs,
  SmtpClient,
  TestIssuer,
} from "@meowmail/smtpauth/testing";

// The declarations are there, or these were no errors.
export const wrong: readonly (() => unknown)[] = [
  // @ts-expect-error: a number is no URL.
  () => newHTTPAuthProvider(1),
  // @ts-expect-error: there is no such member.
  async () => (await provider()(REQUEST)).outcome,
  // @ts-expect-error: there is no such option.
  () => newTestServer({ prot: 25 }),
];

const ARGON2 =
  "ann:$argon2id$v=19$m=19456,t=2,p=1$U2FsdE9mQW5uVXNlcnM0Mg$2A6Czys2ABwqhT3G0RmIifzDLHHttqIbJ5y4ABLCxvg";
const BCRYPT =
  "ann:$2y$05$AyPtmm1RSVV5y8BbNS6D9O.hOvE3Wh1gbTjQZrcdpYQEXFhPAfY5q";

const REQUEST: AuthRequest = {
  username: "ann",
  password: "secret",
  mechanism: "PLAIN",
  remoteIp: "192.0.2.7",
  heloName: "laptop",
};

function provider(): ReadyProvider {
  return newStaticAuthProvider({ ann: "secret" });
}

async function decide(
  provider: ReadyProvider,
  changes: Partial<AuthRequest>,
): Promise<string> {
  const { decision } = await provider({ ...REQUEST, ...changes });
  return decision;
}

/** What is thrown, in its words. */
async function wordsOf(run: () => unknown): Promise<string> {
  try {
    await run();
    return "nothing";
  } catch (error) {
    return error instanceof Error ? error.message : "no error";
  }
}

function decoder(): unknown[] {
  const user = startSasl("login");
  if (user.kind !== "challenge") return [user];
  const pass = continueSasl(user, btoa("ann"));
  if (pass.kind !== "challenge") return [pass];
  const last = continueSasl(pass, btoa("secret"));
  const bad = startSasl("PLAIN", "AGFubgBzZWNyZXR=");
  return [
    atob(user.challenge),
    atob(pass.challenge),
    last.kind === "credentials" && [last.username, last.password],
    bad.kind === "error" && bad.code,
  ];
}

async function users(): Promise<unknown[]> {
  const known = newUsersAuthProvider(BCRYPT);
  const answers = [
    await decide(known, { password: "paper jam" }),
    await decide(known, { password: "wrong" }),
    await decide(known, { username: "eve" }),
  ];
  known[Symbol.dispose]();
  return answers;
}

async function argon2(): Promise<string> {
  let answer = "";
  const words = await wordsOf(async () => {
    const known = newUsersAuthProvider(ARGON2);
    answer = await decide(known, { password: "correct horse" });
    known[Symbol.dispose]();
  });
  return words === "nothing" ? answer : words;
}

async function endpoint(): Promise<unknown[]> {
  const endpoint = await newTestEndpoint({ timeoutMs: 60_000 });
  const answers = [
    await decide(endpoint.provider, LOGINS[1]),
    await decide(endpoint.provider, { ...LOGINS[1], password: "wrong" }),
  ];
  for (
    const fault of [
      ...["reset", "closed", "500", "HTML", "not HTTP", "not ours"] as const,
      ...["redirect", "401 invalid_token", "cut in head"] as const,
      ...["cut in body", "endless", "refused", "none"] as const,
    ]
  ) {
    await endpoint.break(fault);
    answers.push(await decide(endpoint.provider, LOGINS[1]));
  }
  await endpoint[Symbol.asyncDispose]();
  return answers;
}

async function tokens(): Promise<unknown[]> {
  const issuer = new TestIssuer();
  const provider = newOAuthProvider({
    issuer: issuer.url,
    audience: "smtp",
    claim: "email",
    fetch: issuer.fetch,
  });
  const ask = (password: string) =>
    decide(provider, { username: "", password, mechanism: "OAUTHBEARER" });
  const good = await issuer.token();
  const answers = [
    await ask(good),
    await ask(await issuer.token({ aud: "another" })),
    await ask(good.slice(0, -8) + "AAAAAAAA"),
  ];
  issuer.rotate();
  issuer.break("500");
  return [...answers, await ask(await issuer.token())];
}

async function guards(): Promise<unknown[]> {
  let asked = 0;
  const counted = (request: AuthRequest) => {
    asked++;
    return request.password === "secret" ? "authOk" : "authInvalid";
  };
  const cached = withCache(counted, { ttlMs: 60_000 });
  const answers: unknown[] = [
    await decide(cached, {}),
    await decide(cached, {}),
    asked,
  ];
  const throttled = withThrottle(counted, { delayMs: 0 });
  for (let i = 0; i < 12; i++) {
    answers.push(await decide(throttled, { password: `guess ${i}` }));
  }
  return answers;
}

async function handler(): Promise<unknown[]> {
  const handle = authHandler(provider(), { bearerToken: "t0ken" });
  const provided = newHTTPAuthProvider("https://intranet.example/", {
    bearerToken: "t0ken",
    fetch: (input, init) => Promise.resolve(handle(new Request(input, init))),
  });
  return [
    await decide(provided, {}),
    await decide(provided, { password: "x" }),
  ];
}

function onAuth(password: string): Promise<unknown> {
  const onAuth = smtpServerAuth(provider());
  return new Promise((resolve) =>
    onAuth(
      { method: "PLAIN", username: "ann", password },
      { remoteAddress: "192.0.2.7" },
      (error, answer) => resolve(error?.message ?? answer?.user),
    )
  );
}

async function listener(): Promise<unknown[]> {
  const server = newTestServer({ inMemory: true, provider: provider() });
  const statuses: string[] = [];
  for (const name of CLIENT_NAMES) {
    const client = await server.open();
    const login = { username: "ann", password: "secret" };
    const { status } = await sendAs(client, name, login);
    client.close();
    statuses.push(status);
  }
  await server.shutdown();
  return [new Set(statuses).size, statuses[0], server.messages.length];
}

async function metrics(): Promise<string | undefined> {
  const { text } = await newMetrics();
  const lines = (await text()).split("\n");
  return lines.find((line) => line.startsWith("smtpauth_build_info{"));
}

async function listenSmtpAtPorts(): Promise<unknown[]> {
  const where: unknown[] = [];
  const server = await listenSmtp({
    port: 0,
    provider: provider(),
    onListen: ({ hostname, tls }) => where.push(hostname, tls),
  }, () => {});
  const [address] = server.addrs;
  const taken = await wordsOf(() =>
    listenSmtp({ port: address?.port ?? 0, provider: provider() }, () => {})
  );
  await server.shutdown();
  return [...where, /EADDRINUSE|in use/.test(taken)];
}

/** The one that the test has put beside the package. */
async function certificate(): Promise<Certificate> {
  const { href } = new URL("../../certificate.json", import.meta.url);
  const { default: pair } = await import(href, { with: { type: "json" } });
  return pair;
}

/** A listener that relays to another, in plain text, over STARTTLS and over TLS. */
async function relay(): Promise<unknown[]> {
  const { cert, key } = await certificate();
  const hop = await openTestServer({ requireAuth: false });
  const relay = newRelay({ url: `smtp://127.0.0.1:${hop.port}` });
  const server = await listenSmtp({
    ...{ port: 0, tlsPort: 0, cert, key, allowInsecureAuth: true },
    provider: provider(),
  }, relay);
  const [port = 0, tlsPort = 0] = server.addrs.map(({ port }) => port);
  const clients = [
    await SmtpClient.greeted(port),
    await SmtpClient.greeted(port),
    await SmtpClient.greeted(tlsPort, { trusted: cert }),
  ] as const;
  await clients[1].startTls(cert);
  await clients[1].command("EHLO laptop", "250");
  for (const [i, client] of clients.entries()) {
    await client.login("ann", "secret");
    await client.envelope();
    await client.send(`Subject: ${i}`, "", "..", ".");
    await client.expect("250");
    await client.command("QUIT", "221");
    await client.expectEnd();
  }
  await server.shutdown();
  relay.close();
  await hop.shutdown();
  return hop.messages.map(({ text }) => text.split("\r\n").slice(-4, -1));
}

async function dovecot(): Promise<unknown> {
  const server = await serveDovecotAuth({
    hostname: "127.0.0.1",
    port: 0,
    provider: provider(),
  });
  const [address] = server.addrs;
  await server.shutdown();
  return address?.transport === "tcp" && address.port > 0;
}

const results = {
  decoder: decoder(),
  static: [
    await decide(provider(), {}),
    await decide(provider(), { password: "x" }),
  ],
  users: await users(),
  argon2: await argon2(),
  endpoint: await endpoint(),
  tokens: await tokens(),
  guards: await guards(),
  handler: await handler(),
  onAuth: [await onAuth("secret"), await onAuth("wrong")],
  listener: await listener(),
  metrics: await metrics(),
  dovecot: await dovecot(),
  relay: await relay(),
  listenSmtp: await listenSmtpAtPorts(),
  serveSmtp: await wordsOf(() =>
    serveSmtp({ port: 0, provider: provider() }, () => {})
  ),
  serveDovecotAuth: await wordsOf(() =>
    serveDovecotAuth({ path: "/nowhere/auth", provider: provider() })
  ),
  openMaildir: await wordsOf(() => openMaildir("/nowhere")),
  newDovecotAuthProvider: await wordsOf(() =>
    newDovecotAuthProvider({ path: "/nowhere/auth" })
  ),
};
console.log(JSON.stringify(results));
