/**
 * A Dovecot server as the provider: the client side of its authentication
 * protocol.
 *
 * @module
 */

import { CLIENT_GONE, type ProviderReason } from "../../auth/reasons.ts";
import { bareResult, readRights } from "../../auth/results.ts";
import type {
  AuthRequest,
  AuthResult,
  ReadyProvider,
} from "../../auth/types.ts";
import {
  aHost,
  checkOptions,
  integer,
  type Rules,
  text,
} from "../../lib/options.ts";
import { needsDeno } from "../../lib/needs_deno.ts";
import { race } from "../../lib/race.ts";
import { addressOf } from "../../net/address.ts";
import { aSocketPath } from "../../net/unix_socket.ts";
import { aTimeout } from "../ask.ts";
import { newDovecotClient } from "./client.ts";
import type { DovecotAnswer, DovecotQuestion } from "./link.ts";

const ACTION = "create Dovecot provider";

/**
 * How long Dovecot may take if nothing else is said, in milliseconds. It holds
 * back each refusal for two seconds or a little more (`auth_failure_delay`).
 */
const DEFAULT_TIMEOUT_MS = 5_000;

/**
 * Where a Dovecot server is and how to ask it.
 *
 * @category Who knows the users
 */
export interface DovecotAuthProviderOptions {
  /**
   * The path of Dovecot's unix socket, such as `/run/dovecot/auth-client`.
   * Default: none, and then there must be a `port`.
   */
  readonly path?: string;
  /** The port of Dovecot's `inet_listener`. Default: none. */
  readonly port?: number;
  /** The host for `port`. Default: `127.0.0.1`. */
  readonly hostname?: string;
  /**
   * Milliseconds until Dovecot must have answered, connecting included.
   * Default: 5000, because it holds back each refusal for two seconds.
   */
  readonly timeoutMs?: number;
  /** The service name that Dovecot's settings and log see. Default: `smtp`. */
  readonly service?: string;
}

/**
 * A provider that holds a connection, and can let go of it.
 *
 * @category Who knows the users
 */
export interface DovecotAuthProvider extends ReadyProvider, Disposable {}

/**
 * Makes a provider that asks a Dovecot server, whose users then are the users
 * of the listener.
 *
 * All questions share one connection; it is made with the first one and again
 * when it has broken, and it does not keep a program from ending. `OK` is
 * `authOk`, `FAIL` is `authInvalid`, and so is an `OK` with `nologin`.
 * `authFailure` is everything that tells nothing about the password: `FAIL`
 * with `temp` or `code=temp_fail`, an `OK` for a user whom Dovecot would send
 * on to another server without a check (`proxy`, `host`), silence, and
 * connections that fail.
 *
 * PLAIN and LOGIN are asked as PLAIN. Tokens are asked as they came, XOAUTH2 or
 * OAUTHBEARER, where Dovecot has them among its `auth_mechanisms`; why it
 * refuses one is the result's `tokenError`.
 *
 * Dovecot is told the client's address for its log, and asked not to slow that
 * address down (`no-penalty`): one wrong password would otherwise delay the
 * right one by up to 15 seconds.
 *
 * @param options Where Dovecot is, and the time limit.
 * @returns A provider that never throws. Disposing closes its connection.
 * @throws {TypeError} If neither or both of path and port are given, or if the
 * service is no name.
 * @throws {RangeError} If a number is out of its range.
 *
 * @example The users of the Dovecot on this machine
 * ```ts
 * import { newDovecotAuthProvider } from "@meowmail/smtpauth";
 *
 * using provider = newDovecotAuthProvider({ path: "/nowhere/auth-client" });
 * const { decision } = await provider({
 *   username: "ann",
 *   password: "secret",
 *   mechanism: "PLAIN",
 *   remoteIp: "192.0.2.7",
 *   heloName: "laptop",
 * });
 * console.assert(decision === "authFailure"); // there is no Dovecot
 * ```
 * @category Who knows the users
 */
export function newDovecotAuthProvider(
  options: DovecotAuthProviderOptions,
): DovecotAuthProvider {
  checkOptions(ACTION, options, RULES);
  needsDeno(ACTION, "ask an endpoint by newHTTPAuthProvider");
  const { service = "smtp", timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  const client = newDovecotClient(
    addressOf(ACTION, options),
    service,
  );

  async function provider(
    request: AuthRequest,
    signal?: AbortSignal,
  ): Promise<AuthResult> {
    let question: DovecotQuestion | undefined;
    const raced = await race(
      () => (question = client.ask(request)).answer,
      { limit: timeoutMs, signal },
    );
    switch (raced.kind) {
      case "done":
        return resultOf(raced.value);
      case "broken":
        return failure("backend-unreachable");
      case "late":
        question?.giveUp();
        return failure("backend-timeout");
      case "gone":
        question?.cancel();
        return CLIENT_GONE;
      default:
        return raced satisfies never;
    }
  }

  return Object.assign(provider, { [Symbol.dispose]: client.close });
}

function failure(reason: ProviderReason): AuthResult {
  return { decision: "authFailure", reason };
}

/** A yes with Dovecot's own name for the user. */
function accepted(user: string | undefined): AuthResult {
  const rights = readRights({ user });
  return "badMember" in rights
    ? { ...failure("backend-answer"), detail: rights.badMember }
    : { decision: "authOk", ...rights };
}

/** What an answer says about the password. */
export function resultOf(answer: DovecotAnswer): AuthResult {
  switch (answer.kind) {
    case "ok": {
      const { fields } = answer;
      if (fields.has("nologin")) return bareResult("authInvalid");
      // Often without a look at the password: the other server is to check it.
      const elsewhere = fields.has("proxy") || fields.has("proxy_maybe") ||
        fields.has("host");
      return elsewhere
        ? failure("backend-answer")
        : accepted(fields.get("user"));
    }
    case "fail": {
      const { fields, tokenError } = answer;
      if (fields.has("temp") || fields.get("code") === "temp_fail") {
        return failure("backend-status");
      }
      return tokenError === undefined
        ? bareResult("authInvalid")
        : { decision: "authInvalid", tokenError };
    }
    case "unknownMechanism":
      return { ...failure("backend-answer"), detail: "mechanism" };
    case "broken":
      return failure("backend-unreachable");
    case "nonsense":
      return failure("backend-answer");
    default:
      return answer satisfies never;
  }
}

const RULES: Rules<DovecotAuthProviderOptions> = {
  path: aSocketPath,
  port: integer(1, 65_535),
  hostname: aHost,
  timeoutMs: aTimeout,
  service: text(
    'up to 32 letters, digits, "_" and "-"',
    (value) => /^[A-Za-z0-9_-]{1,32}$/.test(value),
  ),
};
