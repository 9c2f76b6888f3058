import {
  formatPolicyAction,
  MAX_REQUEST_OCTETS,
  type PolicyRead,
  PolicyReader,
  type PolicyRequest,
} from "../../../adapters/policy/protocol.ts";
import { assert, assertEquals } from "../../support/assert.ts";
import { newRandom } from "../../support/random.ts";

const encoder = new TextEncoder();

/** What Postfix 3.7 sends at RCPT, and at the end of a message. */
const AT_RCPT = [
  "request=smtpd_access_policy",
  "protocol_state=RCPT",
  "protocol_name=ESMTP",
  "client_address=192.0.2.7",
  "client_name=unknown",
  "client_port=51234",
  "reverse_client_name=unknown",
  "server_address=127.0.0.1",
  "server_port=587",
  "helo_name=laptop",
  "sender=ann@example.com",
  "recipient=bob@example.net",
  "recipient_count=0",
  "queue_id=",
  "instance=1f5.67.0",
  "size=0",
  "etrn_domain=",
  "stress=",
  "sasl_method=PLAIN",
  "sasl_username=ann",
  "sasl_sender=",
  "ccert_subject=",
  "policy_context=",
  "",
  "",
].join("\n");

const REQUEST: PolicyRequest = {
  state: "RCPT",
  user: "ann",
  sender: "ann@example.com",
  recipients: 0,
  remoteIp: "192.0.2.7",
  instance: "1f5.67.0",
};

/** Reads a text in pieces of a size, as far as it goes. */
function readAll(text: string, size: number = text.length): PolicyRead[] {
  const reader = new PolicyReader();
  const octets = encoder.encode(text);
  const all: PolicyRead[] = [];
  for (let at = 0; at < octets.length; at += size) {
    reader.receive(octets.subarray(at, at + size));
    for (;;) {
      const read = reader.next();
      if (read.kind === "more") break;
      all.push(read);
      if (read.kind === "bad") return all;
    }
  }
  return all;
}

Deno.test("PolicyReader reads Postfix's requests, however they are cut", () => {
  const request = { kind: "request", request: REQUEST } as const;
  for (const size of [1, 2, 7, 1000, 100_000]) {
    assertEquals(readAll(AT_RCPT.repeat(3), size), [request, request, request]);
  }
});

Deno.test("PolicyReader takes any order, unknown names and missing ones", () => {
  const read = readAll(
    "recipient_count=2\nnews=1\nprotocol_state=END-OF-MESSAGE\n" +
      "sasl_username=a=b\nrequest=smtpd_access_policy\n\n",
  );
  assertEquals(read, [{
    kind: "request",
    request: {
      state: "END-OF-MESSAGE",
      user: "a=b",
      sender: "",
      recipients: 2,
      remoteIp: "",
      instance: "",
    },
  }]);
});

Deno.test("PolicyReader refuses what is no request", () => {
  for (
    const [text, why] of [
      ["\n", "an empty request"],
      [`${AT_RCPT}\n`, "an empty request"],
      ["request\n\n", "a line that is no name=value"],
      ["=x\n\n", "a line that is no name=value"],
      ["GET / HTTP/1.1\nhost=x\n\n", "a line that is no name=value"],
      ["sender=x\n\n", "a request that is not smtpd_access_policy"],
      ["request=junk\n\n", "a request that is not smtpd_access_policy"],
      [
        "request=smtpd_access_policy\nrecipient_count=-1\n\n",
        "a recipient_count that is no number",
      ],
      [
        "request=smtpd_access_policy\nrecipient_count=9999999999\n\n",
        "a recipient_count that is no number",
      ],
    ] as const
  ) {
    assertEquals(readAll(text).at(-1), { kind: "bad", why }, text);
  }
});

Deno.test("PolicyReader takes requests up to its limit, and holds no more", () => {
  const head = "request=smtpd_access_policy\nx=";
  const longest = head + "x".repeat(MAX_REQUEST_OCTETS - head.length);
  assertEquals(readAll(`${longest}\n\n`, 1000)[0]?.kind, "request");
  const why = "a request that is too long";
  assertEquals(readAll(`${longest}x\n\n`), [{ kind: "bad", why }]);
  assertEquals(readAll(`${longest}xx`, 1), [{ kind: "bad", why }]);
});

Deno.test("PolicyReader knows whether a request has begun", () => {
  const reader = new PolicyReader();
  assert(!reader.isInside);
  reader.receive(encoder.encode(AT_RCPT + "r"));
  assertEquals(reader.next().kind, "request");
  assert(reader.isInside);
  assertEquals(reader.next().kind, "more");
});

Deno.test("PolicyReader bears any octets", () => {
  const alphabet = [
    "\n",
    "=",
    "request=smtpd_access_policy",
    "a",
    "\0",
    "\xff",
  ];
  for (let seed = 1; seed <= 300; seed++) {
    const random = newRandom(seed);
    const text = Array.from(
      { length: random(40) },
      () => alphabet[random(alphabet.length)],
    ).join("");
    const whole = readAll(text);
    assertEquals(readAll(text, 1), whole);
    for (const { kind } of whole) assert(kind === "bad" || kind === "request");
  }
});

Deno.test("formatPolicyAction() writes one action, whatever the text", () => {
  const reply = { code: 550, enhanced: "5.7.1", text: "no" };
  assertEquals(formatPolicyAction("DUNNO"), "action=DUNNO\n\n");
  assertEquals(formatPolicyAction({ reply }), "action=550 5.7.1 no\n\n");
  assertEquals(
    formatPolicyAction({ reply: { ...reply, text: "a\n\naction=OK\n\nä\0" } }),
    "action=550 5.7.1 a??action=OK????\n\n",
  );
  assertEquals(
    formatPolicyAction({
      reply: { code: 450, enhanced: "4.7.1", text: "later" },
      ifPermit: true,
    }),
    "action=DEFER_IF_PERMIT 4.7.1 later\n\n",
  );
  assertEquals(
    formatPolicyAction({ reply: { code: 451, text: "x" } }),
    "action=451 x\n\n",
  );
});
