import * as mod from "../mod.ts";
import { assertEquals } from "./support/assert.ts";

Deno.test("mod.ts exports these values, and no others", () => {
  assertEquals(Object.keys(mod).sort(), [
    "AuthDecision",
    "AuthProgress",
    "askProvider",
    "authHandler",
    "byMechanism",
    "continueSasl",
    "decisionReply",
    "firstProvider",
    "maxConcurrent",
    "newDovecotAuthProvider",
    "newHTTPAuthProvider",
    "newKvThrottleStore",
    "newMemoryThrottleStore",
    "newStaticAuthProvider",
    "newUsersAuthProvider",
    "nginxAuthHandler",
    "serveDovecotAuth",
    "serveSaslauthd",
    "serveSmtp",
    "smtpServerAuth",
    "startSasl",
    "withCache",
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
    "Accepted",
    "AdapterAcceptEvent",
    "AdapterAuthEvent",
    "AdapterClosedEvent",
    "AdapterEvent",
    "AdapterName",
    "AdapterReason",
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
    "CacheOptions",
    "Certificate",
    "Deliver",
    "DovecotAuthProvider",
    "DovecotAuthProviderOptions",
    "Envelope",
    "HTTPAuthProviderOptions",
    "KnownNetwork",
    "KvThrottleStoreOptions",
    "LoginRights",
    "MailParameters",
    "MaxConcurrentOptions",
    "MemoryThrottleStoreOptions",
    "NginxAuthOptions",
    "NginxUpstream",
    "ProviderReason",
    "ReadyProvider",
    "Refused",
    "ResultCause",
    "SaslChallenge",
    "SaslCredentials",
    "SaslError",
    "SaslErrorReason",
    "SaslStep",
    "SendingLimits",
    "ServeSmtpOptions",
    "SmtpAcceptEvent",
    "SmtpAddress",
    "SmtpAuthEvent",
    "SmtpClientEvent",
    "SmtpClosedEvent",
    "SmtpEvent",
    "SmtpMessage",
    "SmtpMessageEvent",
    "SmtpReply",
    "SmtpServer",
    "SmtpServerAuthOptions",
    "SmtpServerConnection",
    "SmtpServerLogin",
    "SmtpServerOnAuth",
    "ThrottleEntries",
    "ThrottleEntry",
    "ThrottleKv",
    "ThrottleKvAtomic",
    "ThrottleKvEntry",
    "ThrottleOptions",
    "ThrottleStore",
    "UsersAuthProvider",
    "UsersAuthProviderOptions",
  ]);
});
