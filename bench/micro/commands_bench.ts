/**
 * Lines to commands, arguments to envelopes, replies to octets.
 *
 * @module
 */

import { decisionReply } from "../../auth/replies.ts";
import { lineText, parseCommand } from "../../smtp/protocol/commands.ts";
import { parseMail, parseRcpt } from "../../smtp/protocol/params.ts";
import { encodeReply } from "../../smtp/protocol/output.ts";
import * as replies from "../../smtp/protocol/replies.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

const line = encoder.encode("MAIL FROM:<ann@mail.example> SIZE=2048");

Deno.bench("TextDecoder, to compare", { group: "line", baseline: true }, () => {
  decoder.decode(line);
});

Deno.bench("lineText()", { group: "line" }, () => {
  lineText(line);
});

const commands = ["EHLO mail.example", "mail from:<ann@mail.example>", "DATA"]
  .map((text) => encoder.encode(text));

for (const octets of commands) {
  const text = decoder.decode(octets);
  Deno.bench(`parseCommand(), ${text}`, { group: "line" }, () => {
    parseCommand(octets);
  });
}

Deno.bench("parseMail()", { group: "arguments" }, () => {
  parseMail("FROM:<ann@mail.example>");
});

Deno.bench("parseMail() with parameters", { group: "arguments" }, () => {
  parseMail("FROM:<ann@mail.example> SIZE=2048 BODY=8BITMIME SMTPUTF8");
});

Deno.bench("parseRcpt()", { group: "arguments" }, () => {
  parseRcpt("TO:<bob@elsewhere.example>", false);
});

const text = "250 2.1.0 Sender ok\r\n";

Deno.bench(
  "TextEncoder, to compare",
  { group: "reply", baseline: true },
  () => {
    encoder.encode(text);
  },
);

Deno.bench("encodeReply() of the table", { group: "reply" }, () => {
  encodeReply(replies.senderOk);
});

Deno.bench("encodeReply() of a decision", { group: "reply" }, () => {
  encodeReply(decisionReply("authOk"));
});

Deno.bench("encodeReply() of one of its own", { group: "reply" }, () => {
  encodeReply({ code: 250, enhanced: "2.0.0", text: "Queued as 1.P2Q3" });
});
