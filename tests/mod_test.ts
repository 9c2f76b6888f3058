import * as mod from "../mod.ts";
import { assertEquals } from "./support/assert.ts";

Deno.test("mod.ts exports these values, and no others", () => {
  assertEquals(Object.keys(mod).sort(), [
    "AuthDecision",
    "AuthProgress",
    "askProvider",
    "continueSasl",
    "decisionReply",
    "newHTTPAuthProvider",
    "newStaticAuthProvider",
    "serveSmtp",
    "startSasl",
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
    "AuthProvider",
    "AuthReason",
    "AuthRequest",
    "Deliver",
    "Envelope",
    "HTTPAuthProviderOptions",
    "MailParameters",
    "ProviderReason",
    "SaslChallenge",
    "SaslCredentials",
    "SaslError",
    "SaslErrorReason",
    "SaslStep",
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
  ]);
});
