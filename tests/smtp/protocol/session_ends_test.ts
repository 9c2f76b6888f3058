import * as endings from "../../../smtp/protocol/endings.ts";
import * as replies from "../../../smtp/protocol/replies.ts";
import { assertEquals } from "../../support/assert.ts";
import { latin1, newSession, textOf } from "../../support/session.ts";
import {
  drain,
  EHLO,
  sessionIn,
  STATE_NAMES,
} from "../../support/session_states.ts";

Deno.test("Session.greet() puts the greeting into the output", () => {
  const session = newSession();
  session.greet();
  assertEquals(
    textOf(session.takeOutput()),
    "220 mail.example.org ESMTP ready\r\n",
  );
});

Deno.test("Session.end() says a last reply and closes, in every state but the last", () => {
  for (const state of STATE_NAMES) {
    const session = sessionIn(state);
    session.end(endings.idle);
    session.receive(latin1("NOOP\r\n"));
    assertEquals(
      drain(session),
      { output: state === "closed" ? [] : ["421 4.4.2"], last: "close" },
      state,
    );
  }
});

Deno.test("Session closes on an HTTP request without a reply", () => {
  for (const state of ["commands", "transaction"] as const) {
    const session = sessionIn(state);
    session.receive(latin1("GET / HTTP/1.1\r\nHost: x\r\n\r\nNOOP\r\n"));
    assertEquals(drain(session), { output: [], last: "close" }, state);
  }
});

Deno.test("Session.stop() closes where nothing is under way", () => {
  const said = { output: ["421 4.3.2"], last: "close" };
  for (const state of ["commands", "sasl"] as const) {
    const session = sessionIn(state);
    session.stop();
    assertEquals(drain(session), said, state);
  }
  // Half a line is nothing either.
  const session = sessionIn("commands");
  session.receive(latin1("NOO"));
  session.stop();
  assertEquals(drain(session), said);
});

Deno.test("Session.stop() answers first what has been received", () => {
  const session = sessionIn("commands");
  session.receive(latin1("NOOP\r\nVRFY x\r\n"));
  session.stop();
  assertEquals(drain(session), {
    output: ["250 2.0.0", "530 5.7.0", "421 4.3.2"],
    last: "close",
  });
});

Deno.test("Session.stop() lets a decision come", () => {
  const session = sessionIn("deciding");
  session.stop();
  session.decided({ decision: "authOk" });
  assertEquals(drain(session), {
    output: ["235 2.7.0", "421 4.3.2"],
    last: "close",
  });
});

Deno.test("Session.stop() closes after TLS, not before", () => {
  const session = sessionIn("upgrading");
  session.stop();
  const after = session.afterTls();
  assertEquals(session.hasOutput, false);
  assertEquals(drain(after), { output: ["421 4.3.2"], last: "close" });
});

Deno.test("Session.stop() lets a transaction end", () => {
  const session = sessionIn("transaction");
  session.stop();
  assertEquals(drain(session), { output: [], last: "needData" });
  session.receive(latin1("DATA\r\n"));
  assertEquals(drain(session), { output: ["354"], last: "needData" });
  session.receive(latin1("x\r\n.\r\n"));
  while (session.next().kind !== "endOfMessage") {
    // Towards the end.
  }
  session.delivered(replies.accepted);
  assertEquals(drain(session), {
    output: ["250 2.0.0", "421 4.3.2"],
    last: "close",
  });
});

Deno.test("Session.stop() closes when a transaction ends without a message", () => {
  for (const line of ["RSET\r\n", EHLO]) {
    const session = sessionIn("transaction");
    session.stop();
    session.receive(latin1(line));
    const { output, last } = drain(session);
    assertEquals([output.at(-1), last], ["421 4.3.2", "close"]);
  }
});

Deno.test("Session.stop() waits for the message in data and delivering", () => {
  const data = sessionIn("data");
  data.stop();
  assertEquals(drain(data), { output: [], last: "needData" });
  const delivering = sessionIn("delivering");
  delivering.stop();
  delivering.delivered(replies.accepted);
  assertEquals(drain(delivering), {
    output: ["250 2.0.0", "421 4.3.2"],
    last: "close",
  });
});

Deno.test("Session.stop() changes nothing where the session has closed", () => {
  const session = sessionIn("closed");
  session.stop();
  assertEquals(drain(session), { output: [], last: "close" });
});
