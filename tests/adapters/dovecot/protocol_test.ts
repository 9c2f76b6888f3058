import {
  type DovecotCommand,
  formatAuth,
  formatClientHandshake,
  formatCont,
  formatFail,
  formatOk,
  formatServerHandshake,
  readCommand,
  readReply,
} from "../../../adapters/dovecot/protocol.ts";
import { assertEquals } from "../../support/assert.ts";

function command(text: string, tooLong = false): DovecotCommand {
  return readCommand({ text, tooLong });
}

Deno.test("readCommand() reads what Postfix and Exim send", () => {
  assertEquals(command("VERSION\t1\t0"), {
    kind: "version",
    major: 1,
    minor: 0,
  });
  assertEquals(command("CPID\t26986"), { kind: "cpid" });
  assertEquals(
    command(
      "AUTH\t1\tPLAIN\tservice=smtp\tnologin\tlip=127.0.0.1\trip=127.0.0.1\tsecured\tresp=AHUAb2s=",
    ),
    {
      kind: "auth",
      id: 1,
      mechanism: "PLAIN",
      fields: new Map([
        ["service", "smtp"],
        ["nologin", ""],
        ["lip", "127.0.0.1"],
        ["rip", "127.0.0.1"],
        ["secured", ""],
      ]),
      response: "AHUAb2s=",
    },
  );
  assertEquals(command("CONT\t1\t"), { kind: "cont", id: 1, response: "" });
  assertEquals(command("CONT\t7\tYQ=="), {
    kind: "cont",
    id: 7,
    response: "YQ==",
  });
  assertEquals(command("CANCEL\t7"), { kind: "cancel", id: 7 });
});

Deno.test("readCommand() tells no, an empty and a zero-length response apart", () => {
  const rows = [
    ["AUTH\t1\tPLAIN", undefined],
    ["AUTH\t1\tPLAIN\tresp=", ""],
    ["AUTH\t1\tPLAIN\tresp==", "="],
    ["AUTH\t1\tPLAIN\tservice=smtp\tresp=a=b=", "a=b="],
  ] as const;
  for (const [text, expected] of rows) {
    const read = command(text);
    assertEquals(read.kind === "auth" ? read.response : "-", expected, text);
  }
});

Deno.test("readCommand() knows which request a bad line is about", () => {
  const rows = [
    ["AUTH\t3", false, { kind: "badRequest", id: 3, tooLong: false }],
    ["AUTH\t3\tPLAIN\tresp=\trip=1", false, {
      kind: "badRequest",
      id: 3,
      tooLong: false,
    }],
    ["CONT\t3\ta\tb", false, { kind: "badRequest", id: 3, tooLong: false }],
    ["AUTH\t3\tPLAIN\tresp=AAAA", true, {
      kind: "badRequest",
      id: 3,
      tooLong: true,
    }],
    ["CONT\t3\tAAAA", true, { kind: "badRequest", id: 3, tooLong: true }],
  ] as const;
  for (const [text, tooLong, expected] of rows) {
    assertEquals(command(text, tooLong), expected, text);
  }
});

Deno.test("readCommand() calls everything else bad", () => {
  const lines = [
    "",
    "HELLO",
    "VERSION",
    "VERSION\t1",
    "VERSION\tone\ttwo",
    "AUTH",
    "AUTH\t0\tPLAIN",
    "AUTH\tx\tPLAIN",
    "CONT\t-1\t",
    "CANCEL",
    "auth\t1\tPLAIN",
  ];
  for (const line of lines) assertEquals(command(line).kind, "bad", line);
  assertEquals(command("CONT\t12", true).kind, "bad", "the id may be cut");
  assertEquals(command("VERSION\t1\t0", true).kind, "bad");
});

Deno.test("formatServerHandshake() has MECH before SPID and ends in DONE", () => {
  assertEquals(
    formatServerHandshake(["PLAIN", "LOGIN"], {
      serverId: 4711,
      connectionId: 2,
      cookie: "0123456789abcdef0123456789abcdef",
    }),
    "VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nMECH\tLOGIN\tplaintext\n" +
      "SPID\t4711\nCUID\t2\nCOOKIE\t0123456789abcdef0123456789abcdef\nDONE\n",
  );
});

Deno.test("answers have all the fields that Postfix and Exim insist on", () => {
  assertEquals(formatCont(1, ""), "CONT\t1\t\n");
  assertEquals(formatOk(1, "ann"), "OK\t1\tuser=ann\n");
  assertEquals(formatFail(1, ""), "FAIL\t1\tuser=\n");
  assertEquals(
    formatFail(1, "ann", "code=temp_fail", "temp"),
    "FAIL\t1\tuser=ann\tcode=temp_fail\ttemp\n",
  );
});

Deno.test("a client's lines are what Dovecot takes", () => {
  assertEquals(formatClientHandshake(7), "VERSION\t1\t1\nCPID\t7\n");
  assertEquals(
    formatAuth(1, "PLAIN", ["service=smtp", "nologin"], "AGEAYg=="),
    "AUTH\t1\tPLAIN\tservice=smtp\tnologin\tresp=AGEAYg==\n",
  );
});

Deno.test("readReply() reads what Dovecot says", () => {
  const reply = (text: string) => readReply({ text, tooLong: false });
  assertEquals(reply("VERSION\t1\t2"), { kind: "version", major: 1 });
  assertEquals(reply("MECH\tPLAIN\tplaintext"), {
    kind: "mech",
    mechanism: "PLAIN",
  });
  assertEquals(reply("DONE"), { kind: "done" });
  assertEquals(reply("OK\t1\tuser=gone@example.com\tnologin"), {
    kind: "ok",
    id: 1,
    fields: new Map([["user", "gone@example.com"], ["nologin", ""]]),
  });
  assertEquals(reply("FAIL\t2"), { kind: "fail", id: 2, fields: new Map() });
  assertEquals(reply("CONT\t2\t"), {
    kind: "cont",
    id: 2,
    challenge: "",
  });
  for (const text of ["SPID\t1", "", "OK", "OK\t0\tuser=a", "FAIL\tx"]) {
    assertEquals(reply(text), { kind: "other" }, text);
  }
});
