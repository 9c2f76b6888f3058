import { assert, assertEquals, assertThrows } from "../support/assert.ts";
import { latin1 } from "../support/session.ts";
import {
  canPipeline,
  firstMismatch,
  matches,
  parseTranscript,
  readTranscripts,
  replay,
  type Way,
} from "../support/transcript.ts";

const WAYS: readonly Way[] = [
  "turn by turn",
  "octet by octet",
  "in one packet",
];

const transcripts = readTranscripts();

for (const transcript of transcripts) {
  for (const way of WAYS) {
    if (way === "in one packet" && !canPipeline(transcript)) continue;
    Deno.test(`Session answers ${transcript.name}, ${way}`, () => {
      assertEquals(replay(transcript, way), undefined);
    });
  }
}

Deno.test("readTranscripts() finds the transcripts", () => {
  assert(transcripts.length >= 100, `${transcripts.length}`);
  assert(transcripts.filter(canPipeline).length >= 90);
});

Deno.test("each transcript has its reason in the first line and ends with the server", () => {
  for (const { name, turns } of transcripts) {
    const url = new URL(`../transcripts/${name}.txt`, import.meta.url);
    const [first = ""] = Deno.readTextFileSync(url).split("\n");
    assert(first.startsWith("# "), name);
    assert((turns.at(-1)?.expected.length ?? 0) > 0, name);
  }
});

Deno.test("matches() wants the same line, or any text where a star stands", () => {
  const rows = [
    ["250 Ok", "250 Ok", true],
    ["250 Ok", "250 Ok ", false],
    ["250 Ok", "250 ok", false],
    ["250 Ok", "250 O", false],
    ["334 ", "334 ", true],
    ["334 ", "334", false],
    ["334 ", "334 x", false],
    ["250 2.0.0 *", "250 2.0.0 Ok", true],
    ["250 2.0.0 *", "250 2.0.0 *", true],
    ["250 2.0.0 *", "250 2.0.0 ", false],
    ["250 2.0.0 *", "250 2.0.0", false],
    ["250 2.0.0 *", "250-2.0.0 Ok", false],
    ["250 2.0.0 *", "250 2.0.01 Ok", false],
    ["250 a*", "250 abc", false],
  ] as const;
  for (const [expected, actual, result] of rows) {
    assertEquals(matches(expected, actual), result, `${expected}|${actual}`);
  }
});

Deno.test("firstMismatch() finds lines that are other, missing or too many", () => {
  const expected = [
    { kind: "reply", code: "250" },
    { kind: "line", text: "220 2.0.0 *" },
  ] as const;
  const close = [...expected, { kind: "close" }] as const;
  const good = ["250-a", "250 b", "220 2.0.0 x"];
  assertEquals(firstMismatch(expected, good, false), undefined);
  assertEquals(firstMismatch(close, good, true), undefined);
  assertEquals(
    firstMismatch(close, good, false),
    "the connection is open",
  );
  assertEquals(
    firstMismatch(expected, good, true),
    "the connection is closed",
  );
  const rows = [
    [[], "expected: <250>\n     got: nothing"],
    [["250-a"], "expected: <250>\n     got: 250-a"],
    [["250-a", "220 2.0.0 x"], "expected: <250>\n     got: 250-a"],
    [["251 a", "220 2.0.0 x"], "expected: <250>\n     got: 251 a"],
    [["250 b"], "expected: 220 2.0.0 *\n     got: nothing"],
    [["250 b", "221 2.0.0 x"], "expected: 220 2.0.0 *\n     got: 221 2.0.0 x"],
    [[...good, "250 more"], "expected: nothing\n     got: 250 more"],
  ] as const;
  for (const [lines, wrong] of rows) {
    assertEquals(firstMismatch(expected, lines, false), wrong);
  }
});

Deno.test("parseTranscript() reads lines, escapes, repetitions and directives", () => {
  const transcript = parseTranscript(
    "x",
    [
      "# why",
      "@ tls",
      "@ max-size 100",
      "@ normalize-newlines",
      "@ mechanisms LOGIN XOAUTH2",
      "@ max-recipients 7",
      "@ deliver 550 5.7.1 Not now",
      "S: 220 *",
      "C: a{b*3}\\x00\\\\\\r",
      "C- \u00e4\\t",
      "C*2: ",
      "S: <250>",
      "! shutdown",
      "S*2: 334 ",
      "S: <close>",
      "",
    ].join("\n"),
  );
  assertEquals(transcript, {
    name: "x",
    settings: {
      tls: true,
      certificate: false,
      insecure: false,
      requireAuth: true,
      maxSize: 100,
      normalizeNewlines: true,
      maxRecipients: 7,
      maxAuthFailures: 3,
      mechanisms: ["LOGIN", "XOAUTH2"],
      deliver: { code: 550, enhanced: "5.7.1", text: "Not now" },
      lockstep: false,
    },
    turns: [
      { octets: latin1(""), expected: [{ kind: "line", text: "220 *" }] },
      {
        octets: latin1("abbb\0\\\r\r\n\xc3\xa4\t\r\n\r\n"),
        expected: [{ kind: "reply", code: "250" }],
      },
      {
        event: "shutdown",
        octets: latin1(""),
        expected: [
          { kind: "line", text: "334 " },
          { kind: "line", text: "334 " },
          { kind: "close" },
        ],
      },
    ],
  });
});

Deno.test("parseTranscript() refuses what the format does not have", () => {
  const lines = [
    "X: y",
    "S 220",
    "C*0: x",
    "C*2- x",
    "C:x",
    "@ nonsense",
    "! nonsense",
    "C: \\q",
    "C: \\x0",
    "C: \\x0A",
    "",
  ];
  for (const line of lines) {
    assertThrows(
      () => parseTranscript("x", `# why\n${line}\nS: 220 *\n`),
      SyntaxError,
      "x.txt:2: no such",
      line,
    );
  }
});

Deno.test("replay() finds a server that answers otherwise", () => {
  const transcript = parseTranscript("x", "S: <220>\nC: NOOP\nS: 251 *");
  for (const way of WAYS) {
    const wrong = replay(transcript, way) ?? "";
    assert(wrong.endsWith("expected: 251 *\n     got: 250 2.0.0 Ok"), wrong);
  }
});
