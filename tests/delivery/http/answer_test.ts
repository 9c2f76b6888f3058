import { readAnswer } from "../../../delivery/http/answer.ts";
import { assertEquals } from "../../support/assert.ts";

Deno.test("readAnswer() takes a 2xx for a yes, with the name that a JSON answer gives", () => {
  for (const status of [200, 201, 202, 204]) {
    assertEquals(readAnswer(status, ""), { kind: "accepted" });
  }
  for (const text of ["ok", "[1]", "null", '"x"', "{", '{"ok":false}']) {
    assertEquals(readAnswer(200, text), { kind: "accepted" }, text);
  }
  assertEquals(readAnswer(202, '{"id":"m-17","reply":null}'), {
    kind: "accepted",
    id: "m-17",
  });
  for (const id of [17, "", " ", "a\nb", "ü", "x".repeat(201), null, {}]) {
    assertEquals(readAnswer(200, JSON.stringify({ id })), { kind: "accepted" });
  }
});

Deno.test("readAnswer() takes a 2xx with a reply of 2xx for a yes: the message is there", () => {
  for (const reply of [{ code: 250 }, { code: 299, enhanced: 2, text: "" }]) {
    for (const status of [200, 202]) {
      const text = JSON.stringify({ reply, id: "m-17" });
      assertEquals(readAnswer(status, text), { kind: "accepted", id: "m-17" });
    }
    for (const status of [400, 413, 500]) {
      assertEquals(readAnswer(status, JSON.stringify({ reply })), {
        kind: "failed",
        words: `it answers ${status} with a reply that is none`,
      });
    }
  }
});

Deno.test("readAnswer() takes some statuses for a refusal for good", () => {
  for (
    const [status, code, enhanced] of [
      [400, 554, "5.6.0"],
      [403, 550, "5.7.1"],
      [404, 550, "5.1.1"],
      [410, 550, "5.1.6"],
      [413, 552, "5.3.4"],
      [422, 554, "5.6.0"],
    ] as const
  ) {
    const verdict = readAnswer(status, "<html>");
    if (verdict.kind !== "refused") throw new Error(verdict.kind);
    assertEquals(
      [verdict.reply.code, verdict.reply.enhanced],
      [code, enhanced],
    );
  }
});

Deno.test("readAnswer() takes a reply of 4xx or 5xx as it is, whatever the status", () => {
  for (
    const reply of [
      { code: 550, enhanced: "5.1.1", text: "no such user <x@y>" },
      { code: 452, enhanced: "4.2.2", text: "mailbox full" },
      { code: 599, text: "~" },
      { code: 400, text: "x".repeat(200) },
    ]
  ) {
    for (const status of [200, 204, 400, 404, 413, 429, 500, 503]) {
      assertEquals(
        readAnswer(status, JSON.stringify({ reply, id: "x", more: 1 })),
        { kind: "refused", reply },
      );
    }
  }
});

Deno.test("readAnswer() refuses for good though a text can't stand in a reply as it is", () => {
  const good = { code: 550, enhanced: "5.1.1", text: "no" };
  for (
    const [text, told] of [
      ["Empfänger unbekannt", "Empf?nger unbekannt"],
      ["two\r\n250 lines", "two?250 lines"],
      ["x".repeat(201), "x".repeat(200)],
      ["🐈", "?"],
    ] as const
  ) {
    assertEquals(
      readAnswer(200, JSON.stringify({ reply: { ...good, text } })),
      { kind: "refused", reply: { ...good, text: told } },
    );
  }
});

Deno.test("readAnswer() takes a reply that is none for no answer at all", () => {
  const good = { code: 550, enhanced: "5.1.1", text: "no" };
  for (
    const reply of [
      "550 no",
      [550],
      {},
      { ...good, code: 354 },
      { ...good, code: 421, enhanced: "4.3.2" },
      { ...good, code: 600 },
      { ...good, code: 550.5 },
      { ...good, code: "550" },
      { ...good, enhanced: "4.1.1" },
      { ...good, enhanced: "5.1" },
      { ...good, enhanced: 5 },
      { ...good, text: "" },
      { ...good, text: " " },
      { ...good, text: "\r\n" },
      { ...good, text: undefined },
    ]
  ) {
    for (const status of [200, 422, 500]) {
      assertEquals(
        readAnswer(status, JSON.stringify({ reply })),
        {
          kind: "failed",
          words: `it answers ${status} with a reply that is none`,
        },
        JSON.stringify(reply),
      );
    }
  }
});

Deno.test("readAnswer() can't tell anything from other statuses", () => {
  for (const status of [402, 405, 408, 409, 415, 429, 500, 502, 503, 599]) {
    assertEquals(readAnswer(status, '{"id":"x"}'), {
      kind: "failed",
      words: `it answers ${status}`,
    });
  }
  const reply = { code: 550, text: "no" };
  for (const text of ["", JSON.stringify({ reply })]) {
    // A redirect would carry mail elsewhere; a wrong token is no user's fault.
    for (const status of [301, 302, 307, 308]) {
      assertEquals(readAnswer(status, text), {
        kind: "failed",
        words: `it redirects (${status})`,
      });
    }
    assertEquals(readAnswer(401, text), {
      kind: "failed",
      words: "it refuses our token (401)",
    });
  }
});
