/**
 * A provider for nodemailer's smtp-server, the SMTP server that most
 * JavaScript programs embed.
 *
 * @module
 */

import { newConnectionId } from "../../lib/connection_id.ts";
import { harmless } from "../../lib/hook.ts";
import type { SmtpReply } from "../../auth/replies.ts";
import { isToken } from "../../auth/sasl/bearer.ts";
import { finishSasl } from "../../auth/sasl/sasl.ts";
import { SASL_ERRORS, type SaslError } from "../../auth/sasl/steps.ts";
import { checkCredentials } from "../../auth/sasl/credentials.ts";
import type { AuthProvider, AuthRequest } from "../../auth/types.ts";
import {
  askInTime,
  aTimeout,
  DEFAULT_TIMEOUT_MS,
  unaskedEvent,
  userOf,
} from "../ask.ts";
import type { AuthEvent, ServerEvent } from "../../auth/events.ts";
import { plainIp } from "../../lib/addresses.ts";
import {
  aFunction,
  checkOptions,
  checkValue,
  type Rules,
} from "../../lib/options.ts";
import { REPLACEMENT } from "../../lib/text.ts";

const ACTION = "create smtp-server auth";

/**
 * How {@linkcode smtpServerAuth} asks.
 *
 * @category Other mail servers
 */
export interface SmtpServerAuthOptions {
  /**
   * How long the provider may take, in milliseconds; then the reply is 454.
   * Default: 9000.
   */
  readonly timeoutMs?: number;
  /** Called with what a log would want to know. What it throws is ignored. */
  readonly onEvent?: (event: ServerEvent) => void;
}

/**
 * What smtp-server knows of a login: its own type has more.
 *
 * @category Other mail servers
 */
export interface SmtpServerLogin {
  /** `PLAIN`, `LOGIN`, or another mechanism. */
  readonly method: string;
  /** The user name. */
  readonly username?: string | undefined;
  /** The password, with PLAIN and LOGIN. */
  readonly password?: string | null | undefined;
  /** The token, with XOAUTH2. */
  readonly accessToken?: string | undefined;
  /** PLAIN's authentication identity, from version 3.19 on. */
  readonly authcid?: string | undefined;
  /** PLAIN's authorization identity, from version 3.19 on. */
  readonly authzid?: string | undefined;
}

/**
 * What smtp-server knows of a connection: its own type has more.
 *
 * @category Other mail servers
 */
export interface SmtpServerConnection {
  /** Its id, which stands in our events too. */
  readonly id?: string | undefined;
  /** The client's address. */
  readonly remoteAddress: string;
  /** What it said after EHLO or HELO. */
  readonly hostNameAppearsAs?: string | false | undefined;
}

/**
 * What smtp-server calls for each login.
 *
 * @category Other mail servers
 */
export type SmtpServerOnAuth = (
  auth: SmtpServerLogin,
  session: SmtpServerConnection,
  callback: (
    error: Error | null | undefined,
    response?: { user?: string; data?: object },
  ) => void,
) => void;

/**
 * Makes the `onAuth` of nodemailer's smtp-server out of a provider.
 *
 * A wrong password is 535, a temporary failure 454: clients keep their password
 * and try again. PLAIN, LOGIN and XOAUTH2 are understood; another mechanism, if
 * the server offers it, is 504. The reason why a token is refused goes to the
 * client before its 535, whose words are then smtp-server's. After a success
 * `session.user` is the user name, or the canonical one where the provider gives
 * it. The package is not imported, so any version will do.
 *
 * @param provider Who decides.
 * @param options Time limit and log.
 * @returns What to give to smtp-server as `onAuth`.
 * @throws {TypeError} If the provider is not a function.
 * @throws {RangeError} If `timeoutMs` is out of its range.
 *
 * @example One line in a server
 * ```ts
 * import { newStaticAuthProvider, smtpServerAuth } from "@meowmail/smtpauth";
 *
 * const onAuth = smtpServerAuth(newStaticAuthProvider({ ann: "secret" }));
 * // new SMTPServer({ onAuth, onData }).listen(587);
 *
 * const user = await new Promise((resolve) =>
 *   onAuth(
 *     { method: "PLAIN", username: "ann", password: "secret" },
 *     { remoteAddress: "192.0.2.7", hostNameAppearsAs: "laptop" },
 *     (_error, response) => resolve(response?.user),
 *   )
 * );
 * console.assert(user === "ann");
 * ```
 * @category Other mail servers
 */
export function smtpServerAuth(
  provider: AuthProvider,
  options: SmtpServerAuthOptions = {},
): SmtpServerOnAuth {
  checkValue(ACTION, "provider", aFunction, provider);
  checkOptions(ACTION, options, RULES);
  const { timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  const report = harmless(options.onEvent);

  return async (auth, session, callback) => {
    const question = questionOf(auth, session);
    if ("kind" in question) {
      report(refusedEvent(question, auth, session));
      return callback(errorOf(question));
    }
    const asked = await askInTime(question, {
      via: "smtp-server",
      id: idOf(session),
      provider,
      timeoutMs,
    });
    report(asked.event);
    const { result } = asked;
    if (result.decision === "authOk") {
      return callback(null, { user: userOf(result, question.username) });
    }
    const last = finishSasl({ kind: "credentials", ...question }, result);
    return last.kind === "challenge"
      ? callback(null, { data: JSON.parse(atob(last.challenge)) })
      : callback(errorOf(last.reply));
  };
}

const RULES: Rules<SmtpServerAuthOptions> = {
  timeoutMs: aTimeout,
  onEvent: aFunction,
};

/** The question for a provider, or why there is none. */
function questionOf(
  { method, username = "", authcid, authzid, ...secrets }: SmtpServerLogin,
  { remoteAddress, hostNameAppearsAs }: SmtpServerConnection,
): AuthRequest | SaslError {
  const mechanism = method.toUpperCase();
  const secret = secretOf(mechanism, secrets);
  if (secret === undefined) return SASL_ERRORS.unknownMechanism;
  // smtp-server takes PLAIN's authzid for the user where there is no other.
  if (authcid === "") return SASL_ERRORS.malformed;
  const step = checkCredentials(mechanism, username, secret);
  if (step.kind === "error") return step;
  // It has put this in place of what is not UTF-8.
  if (`${step.username}${step.password}`.includes(REPLACEMENT)) {
    return SASL_ERRORS.notUTF8;
  }
  if (authzid !== undefined && authzid !== "" && authzid !== username) {
    return SASL_ERRORS.authzidDiffers;
  }
  return {
    username: step.username,
    password: step.password,
    mechanism,
    remoteIp: plainIp(remoteAddress),
    heloName: hostNameAppearsAs || "",
  };
}

function idOf({ id }: SmtpServerConnection): string {
  return id ?? newConnectionId();
}

/** Password or token, `""` if it is none; `undefined` for other mechanisms. */
function secretOf(
  mechanism: string,
  { password, accessToken }: Pick<SmtpServerLogin, "password" | "accessToken">,
): string | undefined {
  switch (mechanism) {
    case "PLAIN":
    case "LOGIN":
      return password ?? "";
    case "XOAUTH2":
      // It has split the message at spaces, whatever is a token.
      return accessToken === undefined || isToken(accessToken)
        ? accessToken
        : "";
    default:
      return undefined;
  }
}

/** smtp-server sends the code of an error and, with the same meaning, its text. */
function errorOf({ code, text }: SmtpReply): Error {
  return Object.assign(new Error(text), { responseCode: code });
}

function refusedEvent(
  error: SaslError,
  { method, username = "" }: SmtpServerLogin,
  session: SmtpServerConnection,
): AuthEvent {
  const isKnown = error.reason !== "unknown-mechanism";
  const event = unaskedEvent("smtp-server", error, {
    mechanism: isKnown ? method.toUpperCase() : "",
    username,
    remoteIp: plainIp(session.remoteAddress),
  });
  return { ...event, id: idOf(session) };
}
