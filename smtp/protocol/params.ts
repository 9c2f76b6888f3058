/**
 * What stands behind MAIL and RCPT: a path and parameters (RFC 5321 section
 * 4.1.2, RFC 1870, RFC 4954 section 5, RFC 6152, RFC 6531).
 *
 * @module
 */

import { isIp } from "../../lib/ip.ts";
import { ownText } from "../../lib/text.ts";
import { upperCase, words } from "./commands.ts";
import * as refusals from "./refusals.ts";
import type { Refusal } from "./refusals.ts";

/**
 * The parameters of MAIL, as far as the client gave them.
 *
 * @category A whole listener
 */
export interface MailParameters {
  /** The size that the client declares, in octets (RFC 1870). */
  readonly size?: number;
  /** The kind of body that the client declares (RFC 6152). */
  readonly body?: "7BIT" | "8BITMIME";
  /** Whether addresses and headers may be UTF-8 (RFC 6531). */
  readonly smtpUtf8?: boolean;
  /**
   * Who submitted the message first, in the client's words (RFC 4954 section
   * 5). It proves nothing.
   */
  readonly auth?: string;
}

/** The arguments of MAIL, or the reply that refuses them. */
export type MailArgs =
  | {
    readonly kind: "mail";
    readonly sender: string;
    readonly parameters: MailParameters;
  }
  | { readonly kind: "error"; readonly reply: Refusal };

/** The argument of RCPT, or the reply that refuses it. */
export type RcptArgs =
  | { readonly kind: "rcpt"; readonly recipient: string }
  | { readonly kind: "error"; readonly reply: Refusal };

/** The most octets of a path, angle brackets included. RFC 5321 section 4.5.3.1.3. */
const MAX_PATH_OCTETS = 256;

const FROM = /^FROM:[ \t]*/i;
const TO = /^TO:[ \t]*/i;
const POSTMASTER = /^postmaster$/i;

const encoder = new TextEncoder();

function refuse(reply: Refusal): { kind: "error"; reply: Refusal } {
  return { kind: "error", reply };
}

/** Reads `FROM:<path> [parameters]`. */
export function parseMail(args: string): MailArgs {
  const path = splitPath(args, FROM);
  if (path === undefined) return refuse(refusals.mailSyntax);
  const sender = path.address === "" ? "" : readMailbox(path.address);
  if (sender === undefined) return refuse(refusals.badSender);
  const parameters = readParameters(words(path.rest));
  if ("code" in parameters) return refuse(parameters);
  if (!parameters.smtpUtf8 && !isAscii(sender)) {
    return refuse(refusals.needsSmtpUtf8);
  }
  return { kind: "mail", sender, parameters };
}

/**
 * Reads `TO:<path>`. No parameter of RCPT is offered, so none is known.
 *
 * @param args What the client wrote behind RCPT.
 * @param smtpUtf8 Whether MAIL said SMTPUTF8.
 */
export function parseRcpt(args: string, smtpUtf8: boolean): RcptArgs {
  const path = splitPath(args, TO);
  if (path === undefined) return refuse(refusals.rcptSyntax);
  // RFC 5321 section 4.1.1.3: the one address that needs no domain.
  const recipient = POSTMASTER.test(path.address)
    ? path.address
    : readMailbox(path.address);
  if (recipient === undefined) return refuse(refusals.badRecipient);
  if (words(path.rest).length > 0) return refuse(refusals.unknownParameter);
  if (!smtpUtf8 && !isAscii(recipient)) return refuse(refusals.needsSmtpUtf8);
  return { kind: "rcpt", recipient };
}

/**
 * Takes `<path>` from the front. Spaces between the colon and the path are no
 * standard, but many clients send them.
 */
function splitPath(
  args: string,
  keyword: RegExp,
): { address: string; rest: string } | undefined {
  const match = keyword.exec(args);
  if (match === null) return undefined;
  const text = args.slice(match[0].length);
  const end = pathEnd(text);
  if (end < 0) return undefined;
  const rest = text.slice(end + 1);
  if (rest !== "" && !rest.startsWith(" ")) return undefined;
  // It is kept until the message is sent, with 99 others perhaps.
  return { address: ownText(text.slice(1, end)), rest };
}

/** The index of the `>` that ends the path: one in a quoted string does not. */
function pathEnd(text: string): number {
  if (text[0] !== "<") return -1;
  let quoted = false;
  for (let i = 1; i < text.length; i++) {
    const c = text[i];
    if (quoted && c === "\\") i++;
    else if (c === '"') quoted = !quoted;
    else if (c === ">" && !quoted) return i;
  }
  return -1;
}

const ATOM = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~\\u0080-\\uffff-]+";
const LABEL =
  "[A-Za-z0-9_\\u0080-\\uffff](?:[A-Za-z0-9_\\u0080-\\uffff-]*[A-Za-z0-9_\\u0080-\\uffff])?";
const DOMAIN = `${LABEL}(?:\\.${LABEL})*\\.?`;
const LITERAL = "\\[[\\x21-\\x5a\\x5e-\\x7e]+\\]";
const QUOTED = '"(?:[^"\\\\\\u0000-\\u001f\\u007f]|\\\\[\\x20-\\x7e])*"';
const MAILBOX = new RegExp(
  `^(?:${ATOM}(?:\\.${ATOM})*|${QUOTED})@(?:${DOMAIN}|${LITERAL})$`,
);
const SOURCE_ROUTE = new RegExp(
  `^@(?:${DOMAIN}|${LITERAL})(?:,@(?:${DOMAIN}|${LITERAL}))*:`,
);

/** The mailbox in a path; a source route is accepted and ignored (RFC 5321 C). */
function readMailbox(path: string): string | undefined {
  const ascii = isAscii(path);
  const octets = ascii ? path.length : encoder.encode(path).length;
  if (octets + 2 > MAX_PATH_OCTETS) return undefined;
  const mailbox = path[0] === "@" ? path.replace(SOURCE_ROUTE, "") : path;
  // U+FFFD stands for octets that were not UTF-8; controls reach headers.
  if (!ascii && /[\ufffd\u0080-\u009f]/.test(mailbox)) return undefined;
  if (!MAILBOX.test(mailbox)) return undefined;
  const isLiteral = mailbox.endsWith("]");
  return !isLiteral || isAtAddress(mailbox) ? mailbox : undefined;
}

const OCTET = "(?:25[0-5]|2[0-4][0-9]|[01]?[0-9]{1,2})";
const AT_IPV4 = new RegExp(`@\\[${OCTET}(?:\\.${OCTET}){3}\\]$`);
const AT_IPV6 = /@\[IPv6:([0-9A-F.]*:[0-9A-F:.]+)\]$/i;

/**
 * Whether the brackets at the end hold an address (RFC 5321 section 4.1.3).
 * `IPv6:` is the only tag there is, and octets of IPv4 may begin with zeros.
 */
function isAtAddress(mailbox: string): boolean {
  return AT_IPV4.test(mailbox) || isIp(AT_IPV6.exec(mailbox)?.[1] ?? "");
}

/** Whether a mailbox or a path can do without SMTPUTF8. */
export function isAscii(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text);
}

/** What most clients say behind the path. */
const NO_PARAMETERS: MailParameters = Object.freeze({});

/** The parameters, or the reply that refuses one of them. */
function readParameters(
  params: readonly string[],
): MailParameters | Refusal {
  if (params.length === 0) return NO_PARAMETERS;
  const seen = new Set<string>();
  let parameters: MailParameters = {};
  for (const param of params) {
    const equals = param.indexOf("=");
    const name = upperCase(equals < 0 ? param : param.slice(0, equals));
    const value = equals < 0 ? undefined : param.slice(equals + 1);
    const read = readParameter(name, value);
    if ("code" in read) return read;
    if (seen.has(name)) return refusals.badParameter;
    seen.add(name);
    parameters = { ...parameters, ...read };
  }
  return parameters;
}

function readParameter(
  name: string,
  value: string | undefined,
): MailParameters | Refusal {
  switch (name) {
    case "SIZE":
      // RFC 1870 section 4: up to 20 digits.
      return value !== undefined && /^[0-9]{1,20}$/.test(value)
        ? { size: Number(value) }
        : refusals.badParameter;
    case "BODY":
      return readBody(upperCase(value ?? ""));
    case "SMTPUTF8":
      return value === undefined ? { smtpUtf8: true } : refusals.badParameter;
    case "AUTH":
      // Meant to be xtext, but curl sends "+" and "=" as they are.
      return value !== undefined && /^[^\p{C}\p{Z}]+$/u.test(value)
        ? { auth: value }
        : refusals.badParameter;
    default:
      return refusals.unknownParameter;
  }
}

function readBody(value: string): MailParameters | Refusal {
  return value === "7BIT" || value === "8BITMIME"
    ? { body: value }
    : refusals.badParameter;
}
