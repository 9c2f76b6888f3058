/**
 * Whole sessions without a network: octets in, octets and questions out.
 *
 * @module
 */

import type { AuthResult } from "../../auth/types.ts";
import { DEFAULT_OFFER } from "../../auth/sasl/offer.ts";
import type { SessionRules } from "../../smtp/protocol/actions.ts";
import { Session } from "../../smtp/protocol/session.ts";

const encoder = new TextEncoder();

const login = `AUTH PLAIN ${btoa("\0ann\0correct horse")}\r\n`;

const authSession = ["EHLO mail.example\r\n", login, "QUIT\r\n"]
  .map((text) => encoder.encode(text));

const loginSession = [
  "EHLO mail.example\r\n",
  "AUTH LOGIN\r\n",
  `${btoa("ann")}\r\n`,
  `${btoa("correct horse")}\r\n`,
  "QUIT\r\n",
].map((text) => encoder.encode(text));

const body = `${"x".repeat(72)}\r\n`.repeat(28) + ".\r\n";
const head = "MAIL FROM:<ann@mail.example>\r\nRCPT TO:<bob@mail.example>\r\n";
const message = [`${head}DATA\r\n`, body].map((text) => encoder.encode(text));

/** What a session costs at the least: to find where the lines end. */
function split(pieces: readonly Uint8Array[]): number {
  let lines = 0;
  for (const piece of pieces) {
    for (let at = 1; at < piece.length; at++) {
      if (piece[at] === 10 && piece[at - 1] === 13) lines++;
    }
  }
  return lines;
}

/** One object for all sessions, as a listener has it. */
const rules: SessionRules = {
  serverName: "mx.mail.example",
  maxMessageOctets: 26_214_400,
  authRequired: true,
  asksAboutMail: false,
  mechanisms: DEFAULT_OFFER,
  normalizeNewlines: false,
  maxRecipients: 100,
  maxAuthFailures: 3,
  startTls: false,
};

function newSession(): Session {
  const peer = {
    id: "1",
    remoteIp: "192.0.2.7",
    tls: false,
    plainTextAuth: true,
    trusted: false,
  };
  return new Session(rules, peer);
}

/** Answers a session's questions until it wants to read again. */
function replay(session: Session, pieces: readonly Uint8Array[]): void {
  const result: AuthResult = { decision: "authOk" };
  for (const piece of pieces) {
    session.receive(piece);
    for (let reading = true; reading;) {
      const action = session.next();
      if (action.kind === "authenticate") session.decided(result);
      if (action.kind === "endOfMessage") {
        session.delivered({ code: 250, enhanced: "2.0.0", text: "Queued" });
      }
      reading = action.kind !== "needData" && action.kind !== "close";
    }
    session.takeOutput();
  }
}

Deno.bench("CRLFs, to compare", { group: "AUTH PLAIN", baseline: true }, () => {
  split(authSession);
});

Deno.bench("AUTH PLAIN session", { group: "AUTH PLAIN" }, () => {
  const session = newSession();
  session.greet();
  replay(session, authSession);
});

Deno.bench("CRLFs, to compare", { group: "AUTH LOGIN", baseline: true }, () => {
  split(loginSession);
});

Deno.bench("AUTH LOGIN session", { group: "AUTH LOGIN" }, () => {
  const session = newSession();
  session.greet();
  replay(session, loginSession);
});

const long = newSession();
long.greet();
replay(long, authSession.slice(0, 2));

Deno.bench("CRLFs, to compare", { group: "message", baseline: true }, () => {
  split(message);
});

Deno.bench("2 KB message, pipelined", { group: "message" }, () => {
  replay(long, message);
});
