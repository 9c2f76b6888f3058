import type { AuthEvent } from "../../auth/events.ts";
import type { Span, Tracer } from "../../metrics/open_telemetry.ts";
import {
  tracedDestination,
  tracedProvider,
  traceUnasked,
} from "../../metrics/spans.ts";
import type { Mail } from "../../smtp/destination.ts";
import type { SmtpMessage } from "../../smtp/protocol/envelope.ts";
import { assertEquals, assertRejects } from "../support/assert.ts";
import { newRequest } from "../support/auth_request.ts";

/** A tracer whose spans are lines. */
function newTracer(): { readonly tracer: Tracer; readonly lines: string[] } {
  const lines: string[] = [];
  const tracer: Tracer = {
    startActiveSpan: (name, { attributes = {} }, work) => {
      const said: unknown[] = [name, ...Object.values(attributes)];
      const span: Span = {
        setAttributes: (more) => said.push(...Object.values(more)),
        setStatus: ({ message }) => said.push(`failed: ${message}`),
        end: () => lines.push(said.join(" ")),
      };
      return work(span);
    },
  };
  return { tracer, lines };
}

const MAIL: Mail = {
  id: "c1",
  sender: "ann@x.test",
  parameters: {},
  remoteIp: "192.0.2.7",
  heloName: "x",
  esmtp: true,
  tls: true,
};

const MESSAGE: SmtpMessage = {
  envelope: { ...MAIL, recipients: ["a@b", "c@d"] },
  body: new ReadableStream(),
};

const NO_SIGNAL = new AbortController().signal;

Deno.test("tracedProvider() makes a span of each question, without a name", async () => {
  for (
    const [answer, expected] of [
      ["authOk", "ok ok"],
      ["authInvalid", "invalid wrong-credentials"],
      [
        "authFailure",
        "failure provider-failure failed: provider-failure",
      ],
    ] as const
  ) {
    const { tracer, lines } = newTracer();
    const { decision } = await tracedProvider(() => answer, tracer)(
      newRequest({
        username: "ann",
        mechanism: "LOGIN",
        remoteIp: "192.0.2.7",
      }),
    );
    assertEquals(decision, answer);
    assertEquals(lines, [`AUTH LOGIN 192.0.2.7 ${expected}`]);
  }
});

Deno.test("traceUnasked() makes a span of what came to nothing before anybody was asked", () => {
  const { tracer, lines } = newTracer();
  const event: AuthEvent = {
    kind: "auth",
    via: "smtp",
    id: "c1",
    remoteIp: "192.0.2.7",
    outcome: "error",
    reason: "bad-base64",
    mechanism: "PLAIN",
    milliseconds: 0,
  };
  traceUnasked(event, tracer);
  traceUnasked({ ...event, outcome: "ok", reason: "ok" }, tracer);
  assertEquals(lines, ["AUTH PLAIN 192.0.2.7 error bad-base64"]);
});

Deno.test("tracedDestination() makes a span of each message, whoever takes it", async () => {
  const { tracer, lines } = newTracer();
  const short = tracedDestination(() => {}, tracer);
  if (typeof short !== "function") throw new Error("it is a function");
  await short(MESSAGE);
  const said: string[] = [];
  const long = tracedDestination({
    begin: ({ sender }) =>
      sender === "" ? { code: 550, text: "no" } : {
        reply: { code: 250, text: "go on" },
        recipient: (mailbox) => void said.push(mailbox),
        message: () => ({ code: 452, text: "full" }),
        abandon: () => void said.push("abandoned"),
      },
  }, tracer);
  if (typeof long === "function") throw new Error("it is an object");
  assertEquals(await long.begin({ ...MAIL, sender: "" }, NO_SIGNAL), {
    code: 550,
    text: "no",
  });
  const begun = await long.begin(MAIL, NO_SIGNAL);
  if (!("message" in begun)) throw new Error("it has begun");
  assertEquals(begun.reply, { code: 250, text: "go on" });
  await begun.recipient?.("a@b");
  assertEquals(await begun.message(MESSAGE), { code: 452, text: "full" });
  begun.abandon?.();
  assertEquals(said, ["a@b", "abandoned"]);
  assertEquals(lines, [
    "message 2 true 192.0.2.7 250",
    "message 2 true 192.0.2.7 452 failed: 452",
  ]);
});

Deno.test("tracedDestination() ends the span of a message that is not taken", async () => {
  const { tracer, lines } = newTracer();
  const deliver = tracedDestination(() => {
    throw new Error("secret");
  }, tracer);
  if (typeof deliver !== "function") throw new Error("it is a function");
  await assertRejects(async () => await deliver(MESSAGE), Error, "secret");
  assertEquals(lines, ["message 2 true 192.0.2.7 failed: not delivered"]);
});
