import { explain, reasonOf } from "../../auth/reasons.ts";
import { assertEquals } from "../support/assert.ts";
import { newRequest } from "../support/auth_request.ts";

Deno.test("reasonOf() knows nothing of a request that nobody explained", () => {
  assertEquals(reasonOf(newRequest()), undefined);
});

Deno.test("explain() keeps the first reason: the one nearest to the cause", () => {
  const request = newRequest();
  explain(request, "backend-timeout");
  explain(request, "client-gone");
  assertEquals(reasonOf(request), "backend-timeout");
});

Deno.test("explain() notes by request, not by what is in it", () => {
  const request = newRequest();
  explain(request, "ok");
  assertEquals(reasonOf(newRequest()), undefined);
  assertEquals(reasonOf({ ...request }), undefined);
});

Deno.test("explain() leaves the request as it is", () => {
  const request = Object.freeze(newRequest());
  explain(request, "wrong-credentials");
  assertEquals(reasonOf(request), "wrong-credentials");
  assertEquals({ ...request }, newRequest());
});
