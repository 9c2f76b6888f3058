/**
 * The headers of nginx's mail module, `auth_http`: what it asks and what it
 * understands as an answer.
 *
 * @module
 */

import { AUTH_REPLIES, type SmtpReply } from "../../auth/replies.ts";
import { SASL_ERRORS, type SaslError } from "../../auth/sasl/steps.ts";
import { readCredentials } from "../../auth/sasl/credentials.ts";
import type { AuthRequest } from "../../auth/types.ts";
import { plainIp } from "../../lib/addresses.ts";

/**
 * Where nginx takes the client once it may log in.
 *
 * @category Other mail servers
 */
export interface NginxUpstream {
  /** The IP address: nginx does not look up names here. */
  readonly hostname: string;
  /** The port. */
  readonly port: number;
}

/** A login as nginx asks about it. */
export interface NginxQuestion {
  readonly request: AuthRequest;
  /** Which login of the connection this is, from 1. */
  readonly attempt: number;
}

/** Reads the question, or says why there is none for a provider. */
export function readNginxQuestion(headers: Headers): NginxQuestion | SaslError {
  if (headers.get("auth-method") !== "plain") {
    return SASL_ERRORS.unknownMechanism;
  }
  const user = octetsOf(headers.get("auth-user"));
  const pass = octetsOf(headers.get("auth-pass"));
  if (user === undefined || pass === undefined) return SASL_ERRORS.malformed;
  // PLAIN and LOGIN look alike from here.
  const step = readCredentials("PLAIN", user, pass);
  if (step.kind === "error") return step;
  const { mechanism, username, password } = step;
  return {
    request: {
      username,
      password,
      mechanism,
      remoteIp: clientOf(headers),
      heloName: "",
    },
    attempt: Number(headers.get("auth-login-attempt") ?? 1) || 1,
  };
}

/** The mail client's address; `""` if nginx tells none. */
export function clientOf(headers: Headers): string {
  return plainIp(headers.get("client-ip") ?? undefined);
}

/**
 * The octets of a user name or password. nginx escapes spaces, `%` and control
 * characters, and sends all other octets as they are; a header's value has a
 * character for each octet.
 */
function octetsOf(value: string | null): Uint8Array | undefined {
  if (value === null) return undefined;
  const octets: number[] = [];
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (code > 0xff) return undefined;
    if (code !== PERCENT) {
      octets.push(code);
      continue;
    }
    const digits = value.slice(i + 1, i + 3);
    if (!/^[0-9A-Fa-f]{2}$/.test(digits)) return undefined;
    octets.push(parseInt(digits, 16));
    i += 2;
  }
  return Uint8Array.from(octets);
}

const PERCENT = 0x25;

/**
 * The headers that let the client through to the upstream.
 *
 * @param user The name that the upstream is to be told in place of the typed
 * one.
 */
export function acceptedHeaders(
  { hostname, port }: NginxUpstream,
  user?: string,
): Headers {
  return new Headers({
    "auth-status": "OK",
    "auth-server": hostname,
    "auth-port": String(port),
    ...(user === undefined ? {} : { "auth-user": headerText(user) }),
  });
}

/** A text as a header has it: a character for each octet of its UTF-8. */
function headerText(text: string): string {
  const octets = new TextEncoder().encode(text);
  return Array.from(octets, (octet) => String.fromCharCode(octet)).join("");
}

/**
 * What tells a wrong password from an outage where replies have no numbers:
 * RFC 5530 section 3 for IMAP, RFC 3206 for POP3. A mail program that reads
 * neither asks its user for another password.
 */
const RESPONSE_CODES: ReadonlyMap<string | null, ReadonlyMap<number, string>> =
  new Map([
    ["imap", responseCodes("[AUTHENTICATIONFAILED]", "[UNAVAILABLE]")],
    ["pop3", responseCodes("[AUTH]", "[SYS/TEMP]")],
  ]);

function responseCodes(invalid: string, failure: string): Map<number, string> {
  return new Map([
    [AUTH_REPLIES.invalid.code, invalid],
    [AUTH_REPLIES.failure.code, failure],
  ]);
}

/**
 * The headers that make nginx say a reply.
 *
 * @param asked The headers of its question.
 * @param waitSeconds How long it holds the reply back; then the client may try
 * again. Without it nginx closes the connection behind the reply.
 */
export function replyHeaders(
  { code, enhanced = "", text }: SmtpReply,
  asked: Headers,
  waitSeconds?: number,
): Headers {
  const codes = RESPONSE_CODES.get(asked.get("auth-protocol"));
  const responseCode = codes?.get(code);
  return new Headers({
    "auth-status": responseCode === undefined
      ? text
      : `${responseCode} ${text}`,
    "auth-error-code": `${code} ${enhanced}`.trimEnd(),
    ...(waitSeconds === undefined ? {} : { "auth-wait": String(waitSeconds) }),
  });
}
