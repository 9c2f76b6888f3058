/**
 * Every reply that is neither of an AUTH exchange nor refuses a command:
 * `import * as replies`.
 *
 * @module
 */

import type { SmtpReply } from "../../auth/replies.ts";

export type { SmtpReply };

/** Frozen, so that it is encoded once. */
function reply(code: number, enhanced: string, text: string): SmtpReply {
  return Object.freeze({ code, enhanced, text });
}

// Success. RFC 5321 section 4.2, RFC 3463.
export const ready: SmtpReply = reply(220, "2.0.0", "Ready to start TLS");
export const bye: SmtpReply = reply(221, "2.0.0", "Bye");
export const done: SmtpReply = reply(250, "2.0.0", "Ok");
export const senderOk: SmtpReply = reply(250, "2.1.0", "Sender ok");
export const recipientOk: SmtpReply = reply(250, "2.1.5", "Recipient ok");
export const accepted: SmtpReply = reply(250, "2.0.0", "Message accepted");
export const cannotVerify: SmtpReply = reply(
  252,
  "2.0.0",
  "Cannot verify, send some mail",
);
export const help: SmtpReply = reply(
  214,
  "2.0.0",
  "See RFC 5321, RFC 4954 and RFC 3207",
);

// The connection ends.
export const shuttingDown: SmtpReply = reply(
  421,
  "4.3.2",
  "Shutting down, try again later",
);
export const tooManyConnections: SmtpReply = reply(
  421,
  "4.3.2",
  "Too many connections",
);
export const tooManyFromNetwork: SmtpReply = reply(
  421,
  "4.3.2",
  "Too many connections from your network",
);
export const idle: SmtpReply = reply(
  421,
  "4.4.2",
  "Timed out waiting for the client",
);
export const tooManyFailures: SmtpReply = reply(
  421,
  "4.7.0",
  "Too many failed logins",
);
export const tooManyErrors: SmtpReply = reply(421, "4.7.0", "Too many errors");
export const tooManyCommands: SmtpReply = reply(
  421,
  "4.7.0",
  "Too many commands without a login",
);
export const noLoginInTime: SmtpReply = reply(
  421,
  "4.7.0",
  "Too long without a login",
);

// Not now.
export const deliveryFailed: SmtpReply = reply(
  451,
  "4.3.0",
  "Message could not be stored, try later",
);
export const stepFailed: SmtpReply = reply(
  451,
  "4.3.0",
  "Cannot tell now, try later",
);
export const storageFull: SmtpReply = reply(
  452,
  "4.3.1",
  "Out of storage space, try later",
);

// Never so.
export const bareLineEnd: SmtpReply = reply(
  554,
  "5.6.0",
  "Message has a bare CR or LF in it",
);
export const earlyTalker: SmtpReply = reply(
  554,
  "5.5.0",
  "Wait for the greeting before you talk",
);

/** What DATA is answered with; an intermediate reply has no enhanced code. */
export const startInput: SmtpReply = Object.freeze({
  code: 354,
  text: "Start mail input, end with <CRLF>.<CRLF>",
});
