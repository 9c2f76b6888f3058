import * as mod from "../mod.ts";
import * as sasl from "../sasl.ts";
import { assert, assertEquals, assertStrictEquals } from "./support/assert.ts";
import { importsOf } from "./support/modules.ts";

Deno.test("mod.ts exports these values, and no others", () => {
  assertEquals(Object.keys(mod).sort(), [
    "AuthDecision",
    "AuthProgress",
    "LOGIN",
    "OAUTHBEARER",
    "PLAIN",
    "XOAUTH2",
    "askProvider",
    "authHandler",
    "byMechanism",
    "continueSasl",
    "decisionReply",
    "finishSasl",
    "firstProvider",
    "listenSmtp",
    "maxConcurrent",
    "newDovecotAuthProvider",
    "newHTTPAuthProvider",
    "newHTTPDelivery",
    "newKvStore",
    "newMemoryStore",
    "newRedisStore",
    "newRelay",
    "newStaticAuthProvider",
    "newUsersAuthProvider",
    "nginxAuthHandler",
    "openMaildir",
    "rememberRights",
    "serveDovecotAuth",
    "servePostfixPolicy",
    "serveSaslauthd",
    "serveSmtp",
    "smtpServerAuth",
    "startSasl",
    "unthrottle",
    "withCache",
    "withFallback",
    "withSendingLimits",
    "withThrottle",
  ]);
});

Deno.test("mod.ts exports these types, and no others", async () => {
  const source = await Deno.readTextFile(new URL("../mod.ts", import.meta.url));
  const names = [...source.matchAll(/^export (type )?\{([^}]*)\}/gm)].flatMap(
    ([, all, list = ""]) =>
      list.split(",").map((name) => name.trim()).flatMap((name) =>
        all !== undefined
          ? [name]
          : name.startsWith("type ")
          ? [name.slice(5)]
          : []
      ),
  );
  assertEquals(names.filter((name) => name !== "").sort(), [
    "AcceptFailedEvent",
    "Accepted",
    "AuthEvent",
    "AuthHandlerOptions",
    "AuthProvider",
    "AuthReason",
    "AuthRequest",
    "AuthResult",
    "AuthServer",
    "AuthServerAddress",
    "AuthServerOptions",
    "AuthServerTcpAddress",
    "AuthServerUnixAddress",
    "AuthVia",
    "CacheOptions",
    "Certificate",
    "ClosedEvent",
    "ClosedReason",
    "ConnectionEvent",
    "DataFault",
    "Deliver",
    "Destination",
    "DovecotAuthOptions",
    "DovecotAuthProvider",
    "DovecotAuthProviderOptions",
    "Envelope",
    "FallbackOptions",
    "HTTPAuthProvider",
    "HTTPAuthProviderOptions",
    "HTTPDelivery",
    "HTTPDeliveryOptions",
    "KvAtomic",
    "KvDatabase",
    "KvEntry",
    "KvStoreOptions",
    "LimitReachedEvent",
    "LoginRights",
    "Mail",
    "MailAnswer",
    "MailParameters",
    "MaxConcurrentOptions",
    "Mechanism",
    "MechanismName",
    "MechanismOffer",
    "MemoryStore",
    "MemoryStoreOptions",
    "NginxAuthOptions",
    "NginxUpstream",
    "OnRecipient",
    "OnSender",
    "OpenedEvent",
    "PostfixPolicyOptions",
    "ProviderReason",
    "ReadyProvider",
    "RedisStoreOptions",
    "RefusalReason",
    "Refused",
    "Relay",
    "RelayEvent",
    "RelayOAuthOptions",
    "RelayOptions",
    "RelayReason",
    "RememberRightsOptions",
    "ResultCause",
    "SaslChallenge",
    "SaslCredentials",
    "SaslDone",
    "SaslError",
    "SaslErrorReason",
    "SaslOptions",
    "SaslStep",
    "SecuredEvent",
    "SendingLimits",
    "SendingLimitsOptions",
    "ServeSmtpOptions",
    "ServerEvent",
    "SmtpAddress",
    "SmtpClientEvent",
    "SmtpEvent",
    "SmtpMessage",
    "SmtpMessageEvent",
    "SmtpRefusedEvent",
    "SmtpReply",
    "SmtpServer",
    "SmtpServerAuthOptions",
    "SmtpServerConnection",
    "SmtpServerLogin",
    "SmtpServerOnAuth",
    "SmtpStepEvent",
    "SocketServerOptions",
    "StateAwayEvent",
    "StateBackEvent",
    "StateEvent",
    "Store",
    "StoreShare",
    "StoreValues",
    "StoreWrite",
    "ThrottleOptions",
    "TokenError",
    "TokenReason",
    "Transfer",
    "UsersAuthProvider",
    "UsersAuthProviderOptions",
  ]);
});

Deno.test("sasl.ts exports these values, and mod.ts the same ones", () => {
  assertEquals(Object.keys(sasl).sort(), [
    "AuthDecision",
    "AuthProgress",
    "LOGIN",
    "OAUTHBEARER",
    "PLAIN",
    "XOAUTH2",
    "askProvider",
    "continueSasl",
    "decisionReply",
    "finishSasl",
    "startSasl",
  ]);
  for (const [name, value] of Object.entries(sasl)) {
    assertStrictEquals(Reflect.get(mod, name), value);
  }
});

Deno.test("sasl.ts loads the decoder and what it needs, no provider, guard or listener", async () => {
  const loaded = new Set<string>();
  const visit = async (module: string): Promise<void> => {
    if (loaded.has(module)) return;
    loaded.add(module);
    const imports = await importsOf(module);
    await Promise.all(
      imports.filter((each) => each.endsWith(".ts")).map(visit),
    );
  };
  await visit("sasl.ts");
  const heavy =
    /^auth\/(?:providers|guards)\/|^(?:net|smtp|adapters|delivery)\//;
  assertEquals([...loaded].filter((module) => heavy.test(module)), []);
  assert(loaded.size <= 30, `${loaded.size} modules`);
});
