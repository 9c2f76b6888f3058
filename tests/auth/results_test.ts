import { bareResult, readResult } from "../../auth/results.ts";
import { reasonOf } from "../../auth/reasons.ts";
import { assert, assertEquals, assertStrictEquals } from "../support/assert.ts";

/** An answer that is no result, because of one of its members. */
function nonsense(detail?: string) {
  const result = { decision: "authFailure", reason: "provider-nonsense" };
  return detail === undefined ? result : { ...result, detail };
}

Deno.test("readResult() takes the three decisions, bare or not", () => {
  for (const decision of ["authOk", "authInvalid", "authFailure"] as const) {
    assertEquals(readResult(decision), { decision });
    assertEquals(readResult({ decision }), { decision });
    assertStrictEquals(readResult(decision), bareResult(decision));
    assert(Object.isFrozen(readResult({ decision })));
  }
});

Deno.test("readResult() reads every member of a yes, and leaves others out", () => {
  const rows = [
    { user: "ann" },
    { user: "jörg müller@例え.jp" },
    { senders: [] },
    { senders: ["ann@example.com", "@example.com", "jörg@bücher.example"] },
    { limits: {} },
    { limits: { recipientsPerDay: 0 } },
    { limits: { recipientsPerDay: 10, messagesPerMinute: 1 } },
    { expiresAt: 0 },
    { expiresAt: 1_900_000_000_000.5 },
    { context: null },
    { context: "" },
    { context: 0 },
    { context: false },
    { context: [] },
    { context: { tenant: { id: 1 } } },
    { context: "x".repeat(4094) },
    { reason: "cached" },
    { detail: "" },
  ] as const;
  for (const row of rows) {
    const answer = { decision: "authOk", ...row };
    assertEquals<unknown>(readResult(answer), answer);
    const more = { ...answer, text: "Hello", ok: true, senderz: 1 };
    assertEquals<unknown>(readResult(more), answer);
  }
  const absent = { user: undefined, senders: undefined, context: undefined };
  assertEquals(readResult({ decision: "authOk", ...absent }), {
    decision: "authOk",
  });
});

Deno.test("readResult() takes a yes without its limits for no yes", () => {
  const circle: { self?: unknown } = {};
  circle.self = circle;
  const rows: Readonly<Record<string, readonly unknown[]>> = {
    user: [null, "", 1, {}, ["ann"], "a\0b", "a\nb", "a\x7f", "\x85", "\ud800"],
    senders: [
      ...[null, "", "ann@example.com", {}, { 0: "ann@example.com" }, 1, true],
      ...[[1], [null], ["ann@example.com", 1], [["ann@example.com"]]],
      ...[["ann"], [""], ["@"], ["ann@"], ["ann@."], ["*"], ["example.com"]],
      [["ann@exa mple.ü"]],
    ],
    limits: [
      ...[null, 1, "1", [], true],
      { recipientsPerHour: 1 },
      { recipientsPerDay: 1, other: 1 },
      ...[-1, 1.5, NaN, Infinity, "1", null, undefined, true, 2 ** 53]
        .map((recipientsPerDay) => ({ recipientsPerDay })),
      { messagesPerMinute: -1 },
    ],
    expiresAt: [null, "0", NaN, Infinity, -1, new Date(), {}, 1n],
    context: [
      ...["x".repeat(4095), "ü".repeat(2048), circle, 1n, () => 1, Symbol()],
      { toJSON: () => undefined },
    ],
    reason: [null, "", "OK", "constructor", "a reason of my own", {}, 1],
    detail: [null, 1, {}, ["x"]],
  };
  for (const [member, values] of Object.entries(rows)) {
    for (const value of values) {
      const answer = { decision: "authOk", user: "ann", [member]: value };
      assertEquals<unknown>(
        readResult(answer),
        nonsense(member),
        `${member}: ${Deno.inspect(value)}`,
      );
    }
  }
});

Deno.test("readResult() freezes a context to its depths, which a cache hands to many, and leaves the provider's own alone", () => {
  const own = { tenant: { ids: [1] } };
  const result = readResult({ decision: "authOk", context: own });
  const seen: unknown[] = [];
  JSON.stringify(result, (_, value) => (seen.push(value), value));
  const objects = seen.filter((value) => typeof value === "object");
  assertEquals(objects, [
    { decision: "authOk", context: own },
    ...[own, own.tenant, own.tenant.ids],
  ]);
  // The result itself is the caller's.
  assertEquals(
    objects.slice(1).map((object) => Object.isFrozen(object)),
    [true, true, true],
  );
  assert(!Object.isFrozen(own) && !Object.isFrozen(own.tenant));
});

Deno.test("readResult() keeps a no whatever its text, so that guesses count", () => {
  const no = { decision: "authInvalid" };
  for (const text of ["Account closed, ask 555", "x".repeat(200), "!", "x "]) {
    assertEquals<unknown>(readResult({ ...no, text }), { ...no, text });
  }
  const bad = [
    ...[null, 1, {}, "", " ", "  ", "x".repeat(201), "a\r\nb", "a\nb", "ü"],
    ...["\0", "a\tb", "\x7f"],
  ];
  for (const text of bad) {
    assertEquals<unknown>(readResult({ ...no, text }), no);
  }
});

Deno.test("readResult() takes what is no result for nonsense", () => {
  for (const answer of [undefined, null, 1, "ok", "", [], true, () => 1]) {
    assertEquals<unknown>(readResult(answer), nonsense());
  }
  for (
    const answer of [
      {},
      { ok: true },
      { decision: "AuthOk" },
      { decision: null },
      { decision: ["authOk"] },
      { decision: { decision: "authOk" } },
      Object.create({ user: "ann" }),
      new Map([["decision", "authOk"]]),
    ]
  ) {
    assertEquals<unknown>(readResult(answer), nonsense("decision"));
  }
});

Deno.test("reasonOf() tells the result's reason, or what its decision says", () => {
  assertEquals(reasonOf({ decision: "authOk" }), "ok");
  assertEquals(reasonOf({ decision: "authInvalid" }), "wrong-credentials");
  assertEquals(reasonOf({ decision: "authFailure" }), "provider-failure");
  assertEquals(reasonOf({ decision: "authOk", reason: "cached" }), "cached");
});
