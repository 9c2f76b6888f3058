import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import {
  type CutOff,
  type Saying,
  sayUntil,
  type Way,
  WAYS,
} from "../support/cut_off.ts";
import { serveHttp } from "../support/http_end.ts";
import {
  type Listener,
  PASSWORD,
  startListener,
  USER,
} from "../support/listener.ts";
import { messagesIn, withoutTrace } from "../support/maildir.ts";
import { base64 } from "../support/octets.ts";
import { assertNoErrors, watch, watchable } from "../support/watch.ts";

/** How many clients come at the same time. */
const LANES = 16;

/** A whole session; the name goes into its message. */
function session(name: string): Saying[] {
  return [
    { text: "EHLO client.example.net\r\n", replies: 1 },
    { text: "AUTH LOGIN\r\n", replies: 1 },
    { text: `${base64(USER)}\r\n`, replies: 1 },
    { text: `${base64(PASSWORD)}\r\n`, replies: 1 },
    { text: "MAIL FROM:<ann@example.org> SIZE=60\r\n", replies: 1 },
    { text: "RCPT TO:<bob@example.net>\r\n", replies: 1 },
    { text: "DATA\r\n", replies: 1 },
    {
      text: messageOf(name).replaceAll("\r\n.", "\r\n..") + ".\r\n",
      replies: 1,
    },
    { text: "QUIT\r\n", replies: 1 },
  ];
}

function messageOf(name: string): string {
  return `Subject: ${name}\r\n\r\n.dots\r\n-- the end of ${name}\r\n`;
}

/** What has been sent with these many octets. */
function sent(sayings: readonly Saying[], octets: number): string {
  return sayings.map(({ text }) => text).join("").slice(0, octets);
}

/** All cuts of a session, by a name of the same length for each. */
function allCuts(): { readonly name: string; readonly cut: CutOff }[] {
  const cuts: { name: string; cut: CutOff }[] = [];
  const length = sent(session("0000"), Infinity).length;
  for (const way of WAYS) {
    for (const atOnce of [true, false]) {
      for (let after = 0; after <= length; after++) {
        const name = String(cuts.length).padStart(4, "0");
        cuts.push({ name, cut: { after, way, atOnce } });
      }
    }
  }
  return cuts;
}

/** Plays all cuts and returns what the clients have heard, by name. */
async function playAll(port: number): Promise<Map<string, string>> {
  const heard = new Map<string, string>();
  const cuts = allCuts().values();
  await Promise.all(Array.from({ length: LANES }, async () => {
    for (const { name, cut } of cuts) {
      heard.set(name, await sayUntil(port, session(name), cut));
    }
  }));
  return heard;
}

/** Who closes the sending half gets every reply to what was sent. */
function assertAnswered(way: Way, octets: string, heard: string): void {
  if (way !== "half") return;
  const lines = octets.split("\r\n").length - 1;
  // The nine lines up to DATA have a reply each, the five of the message one.
  const replies = 1 + Math.min(lines, 7) + (lines >= 12 ? 1 : 0) +
    (lines >= 13 ? 1 : 0);
  const seen = heard.match(/^[0-9]{3}(?!-).*\r\n/gm) ?? [];
  assertEquals(seen.length, replies, `${octets}\n${heard}`);
}

async function assertAllCutsSurvived(listener: Listener): Promise<void> {
  const { assertRecovered } = await watch(listener);
  const heard = await playAll(listener.port);
  await assertRecovered();

  const kept = messagesIn(listener.maildir).map(withoutTrace)
    .filter((message) => message.includes("-- the end of "));
  assertEquals(new Set(kept).size, kept.length, "no message is there twice");
  for (const { name, cut } of allCuts()) {
    const octets = sent(session(name), cut.after);
    const whole = octets.includes("\r\n.\r\n");
    const isKept = kept.includes(messageOf(name));
    const replies = heard.get(name) ?? "";
    const accepted = replies.includes("Queued as");
    assert(whole || !isKept, `${name} is kept without its end`);
    assert(isKept || !accepted, `${name} is accepted and lost`);
    assertAnswered(cut.way, octets, replies);
    if (cut.way === "half" && whole) assertMatch(replies, /Queued as/);
  }
  assertNoErrors(listener);
  const { code } = await listener.stop();
  assertEquals(code, 0);
}

Deno.test({
  name:
    "main.ts bears clients that go at every octet of a session, in every way, with a local user",
  ignore: !watchable,
  fn: async () => {
    await using listener = await startListener();
    await assertAllCutsSurvived(listener);
  },
});

Deno.test({
  name:
    "main.ts bears clients that go at every octet of a session, in every way, with an endpoint",
  ignore: !watchable,
  fn: async () => {
    // Connections that are kept for the next question would look like leaks.
    await using end = serveHttp(() =>
      Response.json({ ok: true }, { headers: { connection: "close" } })
    );
    await using listener = await startListener({ authUrl: end.url });
    await assertAllCutsSurvived(listener);
  },
});
