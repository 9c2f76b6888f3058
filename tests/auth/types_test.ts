import {
  AuthDecision,
  AuthProgress,
  type AuthProvider,
  type AuthRequest,
  type ReadyProvider,
} from "../../auth/types.ts";
import { assertEquals, assertThrows } from "../support/assert.ts";
import { newRequest } from "../support/auth_request.ts";

Deno.test("AuthDecision names three answers, which are their own names", () => {
  assertEquals({ ...AuthDecision }, {
    authInvalid: "authInvalid",
    authOk: "authOk",
    authFailure: "authFailure",
  });
});

Deno.test("AuthProgress names its steps, which are their own names", () => {
  assertEquals({ ...AuthProgress }, {
    apNone: "apNone",
    apPlain: "apPlain",
    apLoginUser: "apLoginUser",
    apLoginPass: "apLoginPass",
    apToken: "apToken",
    apTokenError: "apTokenError",
  });
});

Deno.test("AuthDecision and AuthProgress cannot be changed", () => {
  assertThrows(
    () => Object.assign(AuthDecision, { authInvalid: "authOk" }),
    TypeError,
  );
  assertThrows(
    () => Object.assign(AuthProgress, { apNone: "apPlain" }),
    TypeError,
  );
});

Deno.test("AuthDecision is a type of plain strings too", () => {
  // The compiler is the judge; the values only keep the types in use.
  const decisions: AuthDecision[] = ["authOk", "authInvalid", "authFailure"];
  const steps: AuthProgress[] = [
    "apNone",
    "apPlain",
    "apLoginUser",
    "apLoginPass",
  ];
  assertEquals(decisions.length, 3);
  assertEquals(steps.length, 4);
  // @ts-expect-error: other strings are no decisions
  const wrong: AuthDecision = "AuthOk";
  assertEquals<string>(wrong, "AuthOk");
});

Deno.test("ReadyProvider cannot be compared with a bare word by mistake", async () => {
  const ready: ReadyProvider = () => Promise.resolve({ decision: "authOk" });
  const result = await ready(newRequest());
  // @ts-expect-error: a result is no decision
  assertEquals(result === "authOk", false);
  // @ts-expect-error: and neither is the promise of one
  assertEquals(ready(newRequest()) === "authOk", false);
  // @ts-expect-error: a provider that answers with a bare word is not ready
  const bare: ReadyProvider = () => Promise.resolve("authOk");
  assertEquals<unknown>(await bare(newRequest()), "authOk");
});

Deno.test("AuthProvider is any function of this shape, sync or async", async () => {
  const providers: AuthProvider[] = [
    () => "authOk",
    (request) =>
      request.username === "ann" ? AuthDecision.authOk : "authInvalid",
    (_request: AuthRequest, signal?: AbortSignal) =>
      Promise.resolve(signal === undefined ? "authOk" : "authFailure"),
    async () => await Promise.resolve(AuthDecision.authOk),
  ];
  for (const provider of providers) {
    assertEquals(await provider(newRequest()), "authOk");
  }
});
