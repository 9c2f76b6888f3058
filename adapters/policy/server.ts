/**
 * Postfix's policy delegation protocol as a server: what users who have logged
 * in may send, for those who keep Postfix.
 *
 * @module
 */

import { Quota } from "../../auth/rights/quota.ts";
import { RightsMemory } from "../../auth/rights/rights_memory.ts";
import { steadyStore } from "../../auth/state/fallback.ts";
import {
  MAX_STORE_TIMEOUT_MS,
  type Store,
  STORE_TIMEOUT_MS,
} from "../../auth/state/store.ts";
import type { SendingLimits } from "../../auth/types.ts";
import { errorText } from "../../lib/error_text.ts";
import { harmless } from "../../lib/hook.ts";
import { nextTurn } from "../../lib/next_turn.ts";
import {
  aFunction,
  anObject,
  integer,
  limitMs,
  required,
  type Rules,
  text,
} from "../../lib/options.ts";
import { type Conn, readSome, tryClose, writeAll } from "../../net/conn.ts";
import {
  type AuthServer,
  openSocketServer,
  type SocketContext,
  type SocketServerOptions,
} from "../socket_server.ts";
import { decide, type Policy } from "./policy.ts";
import {
  formatPolicyAction,
  type PolicyAction,
  PolicyReader,
} from "./protocol.ts";

/**
 * How long a connection may rest between requests, in milliseconds: twice as
 * long as Postfix keeps one that it does not use (smtpd_policy_service_max_idle).
 */
const IDLE_MS = 600_000;

/**
 * How long a request may take to arrive whole, and its answer to be taken, in
 * milliseconds. Postfix sends and reads each in one piece.
 */
const REQUEST_MS = 5_000;

const READ_OCTETS = 4_096;

/**
 * Where {@linkcode servePostfixPolicy} listens, and what it goes by.
 *
 * @category Other mail servers
 */
export interface PostfixPolicyOptions
  extends SocketServerOptions, SendingLimits {
  /** Where `rememberRights` keeps what logins have said, and the counts are. */
  readonly store: Store;
  /**
   * Recipients in 24 hours, summed over messages, for users whose login's
   * answer has no `limits` of its own; 0 for no limit. Default: 0.
   */
  readonly recipientsPerDay?: number;
  /** Likewise messages in a minute. Default: 0. */
  readonly messagesPerMinute?: number;
  /**
   * What becomes of a sender whose login is not remembered: after a restart
   * with the store in memory, or half a day after the login. `defer` is a
   * temporary failure, `pass` lets anybody be anybody then. Default: `defer`.
   */
  readonly unknownUsers?: "defer" | "pass";
  /**
   * Milliseconds that the store may take. After that the counts let everything
   * pass, for 5 s. At most 1000. Default: 250.
   */
  readonly storeTimeoutMs?: number;
  /** The time in milliseconds since 1970, for tests. Default: `Date.now`. */
  readonly now?: () => number;
}

type OwnOptions = Omit<PostfixPolicyOptions, keyof SocketServerOptions>;

const RULES: Rules<OwnOptions> = {
  store: required(anObject),
  recipientsPerDay: integer(0),
  messagesPerMinute: integer(0),
  unknownUsers: text(
    '"defer" or "pass"',
    (value) => value === "defer" || value === "pass",
  ),
  storeTimeoutMs: limitMs(MAX_STORE_TIMEOUT_MS),
  now: aFunction,
};

/**
 * Serves Postfix's policy protocol, so that with Postfix too a user cannot send
 * as somebody else, nor more than a limit.
 *
 * Postfix asks about users who have logged in through any adapter or listener
 * whose provider is wrapped in `rememberRights` with the same store: what the
 * login's answer said is all there is to go by.
 *
 * - At RCPT (or MAIL): `550 5.7.1` for a sender that is not among the user's
 *   `senders`; `<>` always passes.
 * - At END-OF-MESSAGE: counts the message, once however often Postfix asks;
 *   `451 4.7.1` where it is over a limit, with the number in the text.
 * - Else, and for mail without a login: `DUNNO`, so that other rules decide.
 * - In trouble: no answer, and the connection ends. Postfix asks again, and then
 *   does what `default_action` says; by itself that is `451 4.3.5`.
 *
 * @param options Where to listen, and what to go by.
 * @returns The running server, once its socket is bound.
 * @throws {TypeError} If options do not fit together, such as a path and a
 * port.
 * @throws {RangeError} If a number is out of its range.
 * @throws {Error} What the system says when a port is taken, or when the path
 * is that of another server's socket or of a file that is no socket.
 *
 * @example Beside the Dovecot adapter, for one Postfix
 * ```ts
 * import {
 *   newMemoryStore,
 *   newUsersAuthProvider,
 *   rememberRights,
 *   serveDovecotAuth,
 *   servePostfixPolicy,
 * } from "@meowmail/smtpauth";
 *
 * const folder = await Deno.makeTempDir(); // /var/spool/postfix/private
 * const store = newMemoryStore();
 * using users = newUsersAuthProvider("ann:{PLAIN}secret:ann@example.com\n");
 * await using _auth = await serveDovecotAuth({
 *   path: `${folder}/smtpauth`,
 *   provider: rememberRights(users, { store }),
 * });
 * await using policy = await servePostfixPolicy({
 *   path: `${folder}/policy`,
 *   store,
 *   recipientsPerDay: 500,
 * });
 * console.log("listening on", policy.addrs);
 * ```
 * @category Other mail servers
 */
export function servePostfixPolicy(
  options: PostfixPolicyOptions,
): Promise<AuthServer> {
  // Made once the options have been checked.
  let policy: Policy | undefined;
  return openSocketServer({
    name: "policy",
    action: "serve Postfix policy",
    rules: RULES,
    talk: (conn, context) => talk(conn, context, policy ??= newPolicy(options)),
  }, options);
}

function newPolicy(options: PostfixPolicyOptions): Policy {
  const { store, storeTimeoutMs = STORE_TIMEOUT_MS, now = Date.now } = options;
  const { recipientsPerDay = 0, messagesPerMinute = 0 } = options;
  return {
    rights: new RightsMemory(steadyStore(store, storeTimeoutMs), now),
    quota: new Quota({
      store,
      storeTimeoutMs,
      limits: { recipientsPerDay, messagesPerMinute },
      now,
      report: harmless(options.onEvent),
    }),
    unknownUsers: options.unknownUsers ?? "defer",
  };
}

/** Answers the requests of one smtpd, one after the other. */
async function talk(
  conn: Conn,
  { ends, stop }: SocketContext,
  policy: Policy,
): Promise<void> {
  const reader = new PolicyReader();
  const space = new Uint8Array(READ_OCTETS);
  const limit = newTimeLimit(() => {
    ends("idle");
    tryClose(conn);
  });
  let isAnswering = false;
  const onStop = () => {
    if (!isAnswering) tryClose(conn);
  };
  stop.addEventListener("abort", onStop);
  try {
    limit.renew(IDLE_MS);
    while (!stop.aborted) {
      const count = await readSome(conn, space);
      if (count === null) return;
      // Who sends an octet now and then must come to an end all the same.
      if (!reader.isInside) limit.renew(REQUEST_MS);
      reader.receive(space.subarray(0, count));
      isAnswering = true;
      const answered = await answerAll(conn, reader, policy);
      isAnswering = false;
      if (answered.kind === "failed") {
        return ends(answered.reason, answered.error);
      }
      if (answered.requests === 0) continue;
      limit.renew(reader.isInside ? REQUEST_MS : IDLE_MS);
      // Who asks much at once does not keep the others waiting.
      if (answered.requests > 1) await nextTurn();
    }
  } finally {
    limit.stop();
    stop.removeEventListener("abort", onStop);
  }
}

/** What became of the requests that were there. */
type Answered =
  | { readonly kind: "answered"; readonly requests: number }
  /** The connection must end without an answer. */
  | {
    readonly kind: "failed";
    readonly reason: "bad-protocol" | "error";
    readonly error: string;
  };

async function answerAll(
  conn: Conn,
  reader: PolicyReader,
  policy: Policy,
): Promise<Answered> {
  for (let requests = 0;; requests++) {
    const read = reader.next();
    if (read.kind === "more") return { kind: "answered", requests };
    if (read.kind === "bad") {
      return { kind: "failed", reason: "bad-protocol", error: read.why };
    }
    let action: PolicyAction;
    try {
      action = await decide(policy, read.request);
    } catch (error) {
      return { kind: "failed", reason: "error", error: errorText(error) };
    }
    const octets = new TextEncoder().encode(formatPolicyAction(action));
    // Who does not want it any more has gone: the next read finds out.
    await writeAll(conn, octets).catch(() => tryClose(conn));
  }
}

/** A time limit that begins anew. */
function newTimeLimit(onExpire: () => void) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stop = () => clearTimeout(timer);
  return {
    renew(milliseconds: number) {
      stop();
      timer = setTimeout(onExpire, milliseconds);
    },
    stop,
  };
}
