/**
 * How real mail programs send a message, where they differ from each other and
 * from what a standard would make one expect.
 *
 * @module
 */

import { base64, plain } from "./client.ts";

/**
 * A program, or a kind of device, with habits of its own.
 *
 * @category Testing
 */
export type ClientName =
  | ".NET"
  | "curl"
  | "Exim"
  | "Go"
  | "Jakarta Mail"
  | "octet by octet"
  | "Outlook"
  | "PHPMailer"
  | "pipelining"
  | "printer"
  | "smtplib"
  | "Strato"
  | "Windows Mail";

/**
 * A login.
 *
 * @category Testing
 */
export interface Login {
  /** The user name. */
  readonly username: string;
  /** The password. */
  readonly password: string;
}

/**
 * What a client has to send.
 *
 * @category Testing
 */
export interface TestMail extends Login {
  /** The sender's address. Default: ann@example.org. */
  readonly sender?: string;
  /** The recipients' addresses. Default: bob@example.net. */
  readonly recipients?: readonly string[];
  /** The message, with CRLF line ends and a last one. */
  readonly text?: string;
}

/** A login as a client says it: its line, and what follows each challenge. */
export interface AuthLines {
  /** The command and the responses. */
  readonly lines: readonly string[];
  /** The challenges without which it leaves. Default: any. */
  readonly prompts?: readonly string[];
}

/** What one client does in its own way. */
export interface Habit {
  /** How it greets. */
  readonly hello: string;
  /** How it logs in. */
  readonly auth: (login: Login) => AuthLines;
  /** What it says as soon as it is in. Default: nothing. */
  readonly afterLogin?: string;
  /** The verb of MAIL. Default: in capitals. */
  readonly mail?: string;
  /** What stands behind the sender's address. */
  readonly parameters: (octets: number) => string;
  /** What goes out without waiting for replies in between. Default: nothing. */
  readonly pipelines?: "envelope" | "all";
  /** What it puts before the dot. Default: nothing. */
  readonly extra?: string;
  /** It says QUIT with the dot, and closes its sending half. Default: false. */
  readonly halfCloses?: boolean;
  /** It sends each octet by itself. Default: false. */
  readonly octetWise?: boolean;
}

/** PLAIN with an initial response. */
const plainAtOnce = ({ username, password }: Login): AuthLines => ({
  lines: [`AUTH PLAIN ${plain(username, password)}`],
});

/** PLAIN that waits for the empty challenge. */
const plainAsked = ({ username, password }: Login): AuthLines => ({
  lines: ["AUTH PLAIN", plain(username, password)],
});

/** LOGIN by its two prompts. */
const loginAsked = ({ username, password }: Login): AuthLines => ({
  lines: ["AUTH LOGIN", base64(username), base64(password)],
});

/** Who differs from no one. */
const usual = {
  hello: "EHLO client.example.net",
  auth: plainAtOnce,
  parameters: () => "",
} satisfies Habit;

/** What each does, as it was seen on the wire. */
export const HABITS: Readonly<Record<ClientName, Habit>> = {
  // The user name comes with the command, in lower case.
  ".NET": {
    ...usual,
    auth: ({ username, password }) => ({
      lines: [`AUTH login ${base64(username)}`, base64(password)],
    }),
  },
  // With --mail-auth: what RFC 4954 section 5 wants as xtext is sent raw.
  "curl": {
    ...usual,
    auth: plainAsked,
    parameters: (octets) => ` AUTH=<someone+else=x@example.org> SIZE=${octets}`,
  },
  // Its plain text ends before the reply to the message; it still reads that.
  "Exim": {
    ...usual,
    parameters: (octets) => ` SIZE=${octets} AUTH=a+2bb+3dc@example.org`,
    pipelines: "envelope",
    halfCloses: true,
  },
  // Whether the message needs it or not.
  "Go": { ...usual, parameters: () => " BODY=8BITMIME SMTPUTF8" },
  // The authorization identity is the user's own name.
  "Jakarta Mail": {
    ...usual,
    auth: ({ username, password }) => ({
      lines: [`AUTH PLAIN ${plain(username, password, username)}`],
    }),
    parameters: () => " AUTH=a+2Bb+3Dc@example.org",
  },
  // No program does; networks may.
  "octet by octet": { ...usual, octetWise: true },
  // It leaves at any other prompt.
  "Outlook": {
    ...usual,
    auth: (login) => ({
      ...loginAsked(login),
      prompts: ["VXNlcm5hbWU6", "UGFzc3dvcmQ6"],
    }),
    parameters: (octets) => ` SIZE=${octets} AUTH=<>`,
  },
  // Its data() ends in one line end too many.
  "PHPMailer": { ...usual, auth: loginAsked, extra: "\r\n" },
  // From AUTH to the DATA, in one packet.
  "pipelining": { ...usual, pipelines: "all" },
  // It has never heard of EHLO.
  "printer": { ...usual, hello: "HELO printer", auth: loginAsked },
  // Verbs and parameters in lower case.
  "smtplib": {
    ...usual,
    hello: "ehlo client.example.net",
    auth: plainAsked,
    mail: "mail FROM",
    parameters: (octets) => ` size=${octets}`,
  },
  // It greets again when it is in (MailKit#162).
  "Strato": { ...usual, afterLogin: "EHLO client.example.net" },
  // Two spaces before the initial response.
  "Windows Mail": {
    ...usual,
    auth: ({ username, password }) => ({
      lines: [`AUTH PLAIN  ${plain(username, password)}`],
    }),
  },
};
