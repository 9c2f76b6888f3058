import type {
  AuthDecision,
  AuthProvider,
  AuthRequest,
  AuthResult,
} from "../../../auth/types.ts";
import type { ServerEvent } from "../../../auth/events.ts";
import {
  smtpServerAuth,
  type SmtpServerAuthOptions,
  type SmtpServerConnection,
  type SmtpServerLogin,
} from "../../../adapters/smtp_server/on_auth.ts";
import {
  assert,
  assertEquals,
  assertObjectMatch,
  assertThrows,
} from "../../support/assert.ts";

Deno.test.sanitizer({ ops: true, resources: true });

const LOGIN: SmtpServerLogin = {
  method: "PLAIN",
  username: "ann",
  authcid: "ann",
  authzid: "",
  password: "secret",
};

const SESSION: SmtpServerConnection = {
  remoteAddress: "::ffff:192.0.2.7",
  hostNameAppearsAs: "laptop",
};

/** What smtp-server would answer. */
function answer(
  provider: AuthProvider,
  login: Partial<SmtpServerLogin> = {},
  options: SmtpServerAuthOptions = {},
  session: SmtpServerConnection = SESSION,
): Promise<number | string> {
  return new Promise((resolve) =>
    smtpServerAuth(provider, options)(
      { ...LOGIN, ...login },
      session,
      (error, response) =>
        resolve(
          error instanceof Error && "responseCode" in error
            ? Number(error.responseCode)
            : response?.user ?? "nobody",
        ),
    )
  );
}

Deno.test("smtpServerAuth() makes replies of decisions", async () => {
  const rows = [
    [() => "authOk", "ann"],
    [
      () => ({ decision: "authOk", user: "ann@example.com" }),
      "ann@example.com",
    ],
    [() => "authInvalid", 535],
    [() => "authFailure", 454],
    [() => Promise.reject(new Error("down")), 454],
    [() => new Promise<AuthDecision>(() => {}), 454],
  ] satisfies [AuthProvider, string | number][];
  for (const [provider, expected] of rows) {
    assertEquals(await answer(provider, {}, { timeoutMs: 30 }), expected);
  }
});

Deno.test("smtpServerAuth() says the provider's own words", async () => {
  const text = "Account closed, call 555";
  const onAuth = smtpServerAuth(() => ({ decision: "authInvalid", text }));
  const { promise, resolve } = Promise.withResolvers<unknown>();
  onAuth(LOGIN, SESSION, resolve);
  const error = await promise;
  assert(error instanceof Error && "responseCode" in error);
  assertEquals([error.responseCode, error.message], [535, text]);
});

Deno.test("smtpServerAuth() takes tokens of XOAUTH2, and says why it refuses one", async () => {
  const token = {
    method: "XOAUTH2",
    username: "ann",
    accessToken: "eyJ.a-b_c~+/==",
    password: undefined,
    authcid: undefined,
    authzid: undefined,
  };
  const seen: AuthRequest[] = [];
  const decided = async (result: AuthResult) => {
    const { promise, resolve } = Promise.withResolvers<unknown[]>();
    const onAuth = smtpServerAuth((request) => {
      seen.push(request);
      return result;
    });
    onAuth(token, SESSION, (...args) => resolve(args));
    return await promise;
  };
  assertEquals(await decided({ decision: "authOk" }), [null, { user: "ann" }]);
  assertObjectMatch(seen[0] ?? {}, {
    username: "ann",
    password: token.accessToken,
    mechanism: "XOAUTH2",
  });
  const tokenError = { status: "insufficient_scope", scope: "mail" };
  assertEquals(await decided({ decision: "authInvalid", tokenError }), [
    null,
    { data: { status: "401", schemes: "bearer", scope: "mail" } },
  ]);
  const [error] = await decided({ decision: "authFailure" });
  assert(error instanceof Error && "responseCode" in error);
  assertEquals(error.responseCode, 454);
  // It splits at spaces and takes what is left.
  for (const accessToken of ["a b", "ä", ""]) {
    const reply = await answer(() => "authOk", { ...token, accessToken });
    assertEquals(reply, 501, accessToken);
  }
});

Deno.test("smtpServerAuth() asks what smtp-server knows", async () => {
  const seen: AuthRequest[] = [];
  const provider: AuthProvider = (request) => {
    seen.push(request);
    return "authOk";
  };
  await answer(provider);
  await answer(provider, { method: "login", authcid: undefined }, {}, {
    remoteAddress: "2001:db8::7",
    hostNameAppearsAs: false,
  });
  const ann = { username: "ann", password: "secret" };
  assertEquals(seen, [
    { ...ann, mechanism: "PLAIN", remoteIp: "192.0.2.7", heloName: "laptop" },
    { ...ann, mechanism: "LOGIN", remoteIp: "2001:db8::7", heloName: "" },
  ]);
});

Deno.test("smtpServerAuth() does not ask about what no user can mean", async () => {
  const rows = [
    [{ method: "XOAUTH2", password: undefined }, 504, "unknown-mechanism"],
    [{ method: "XCLIENT", password: null }, 504, "unknown-mechanism"],
    [{ username: "" }, 501, "bad-message"],
    [{ username: undefined }, 501, "bad-message"],
    [{ username: "a\nb" }, 501, "bad-message"],
    [{ password: "" }, 501, "bad-message"],
    [{ password: null }, 501, "bad-message"],
    [{ password: "a\0b" }, 501, "bad-message"],
    [{ authcid: "", authzid: "ann" }, 501, "bad-message"],
    [{ password: "p\ufffd" }, 535, "bad-utf8"],
    [{ authzid: "bob" }, 535, "authzid-differs"],
  ] as const;
  for (const [login, code, reason] of rows) {
    const events: ServerEvent[] = [];
    const reply = await answer(
      () => {
        throw new Error("asked");
      },
      login,
      { onEvent: (event) => events.push(event) },
    );
    assertEquals(reply, code, JSON.stringify(login));
    assertEquals(
      events.map((event) => event.kind === "auth" && event.reason),
      [reason],
    );
  }
  assertEquals(await answer(() => "authOk", { authzid: "ann" }), "ann");
});

Deno.test("smtpServerAuth() refuses a bad configuration", () => {
  assertThrows(
    () => smtpServerAuth(() => "authOk", { timeoutMs: 0 }),
    RangeError,
    "Cannot create smtp-server auth: timeoutMs must be a number > 0 and <= 600000: got ",
  );
});
