/**
 * Logging in at the next hop: what to say behind AUTH (RFC 4954).
 *
 * @module
 */

import { encodeBase64 } from "../../lib/base64.ts";

/** Who we are there. */
export type Login =
  | {
    readonly kind: "password";
    readonly username: string;
    readonly password: string;
  }
  /** By XOAUTH2, with a token that is fetched when it is needed. */
  | { readonly kind: "token"; readonly username: string };

/** What we say in one AUTH exchange. Never to be logged. */
export interface Dialogue {
  /** The command. */
  readonly command: string;
  /** What we answer to each challenge, in order. */
  readonly answers: readonly string[];
}

/**
 * The longest command line in octets, without its CRLF (RFC 5321 section
 * 4.5.3.1.4). Tokens are often longer, and some servers go by it.
 */
const MAX_COMMAND_OCTETS = 510;

const encoder = new TextEncoder();

/**
 * The words of a login by password: PLAIN (RFC 4616), then LOGIN, where the
 * server says that it can't do the first.
 *
 * @param offered The mechanisms that the server offers, in upper case.
 * @returns Nothing if it offers neither.
 */
export function passwordDialogues(
  { username, password }: Login & { kind: "password" },
  offered: ReadonlySet<string>,
): readonly Dialogue[] {
  const dialogues: Dialogue[] = [];
  if (offered.has("PLAIN")) {
    const message = base64(`\0${username}\0${password}`);
    // Once more for a server that reads no initial response and asks for one.
    dialogues.push(beginWith("PLAIN", message, [message]));
  }
  if (offered.has("LOGIN")) {
    const answers = [base64(username), base64(password)];
    dialogues.push({ command: "AUTH LOGIN", answers });
  }
  return dialogues;
}

/**
 * The words of XOAUTH2, as Google and Microsoft define it. A refusal comes as a
 * challenge, which is answered with an empty line before the reply comes.
 */
export function tokenDialogue(username: string, token: string): Dialogue {
  const message = base64(`user=${username}\x01auth=Bearer ${token}\x01\x01`);
  return beginWith("XOAUTH2", message, [""]);
}

/**
 * An exchange that begins with what we have to say: in the command itself, or,
 * where that would be too long a line, when the server asks for it (RFC 4954
 * section 4).
 */
function beginWith(
  mechanism: string,
  message: string,
  answers: readonly string[],
): Dialogue {
  const command = `AUTH ${mechanism} ${message}`;
  return command.length <= MAX_COMMAND_OCTETS
    ? { command, answers }
    : { command: `AUTH ${mechanism}`, answers: [message, ...answers] };
}

function base64(text: string): string {
  return encodeBase64(encoder.encode(text));
}
