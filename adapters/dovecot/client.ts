/**
 * One connection to a Dovecot authentication server, with many questions in
 * flight on it.
 *
 * @module
 */

import type { AuthRequest, TokenError } from "../../auth/types.ts";
import type { SocketAddress } from "../../net/address.ts";
import { readSome, tryClose, writeAll } from "../../net/conn.ts";
import { newLineReader } from "./lines.ts";
import {
  type DovecotReply,
  formatAuth,
  formatCancel,
  formatClientHandshake,
  formatCont,
  readReply,
} from "./protocol.ts";
import { type ClientMessage, explanationOf, messageOf } from "./tokens.ts";

/** What became of a question. */
export type DovecotAnswer =
  | {
    readonly kind: "ok" | "fail";
    readonly fields: ReadonlyMap<string, string>;
    /** Why a token was refused, if the server has said it. */
    readonly tokenError?: TokenError;
  }
  /** The server does not have the mechanism. */
  | { readonly kind: "unknownMechanism" }
  /** There is no connection, or none any more. */
  | { readonly kind: "broken" }
  /** The server says something that no authentication server says. */
  | { readonly kind: "nonsense" };

/** A question under way. */
export interface DovecotQuestion {
  /** Never rejects; after `cancel` it may never resolve. */
  readonly answer: Promise<DovecotAnswer>;
  /** Nobody waits for the answer any more. */
  readonly cancel: () => void;
  /** It came too late: the connection may be one that nobody serves. */
  readonly giveUp: () => void;
}

/** Asks a Dovecot server. */
export interface DovecotClient {
  /** Asks; connects first if there is no connection. */
  readonly ask: (request: AuthRequest) => DovecotQuestion;
  /** Closes the connection; the questions on it are answered `broken`. */
  readonly close: () => void;
}

const BROKEN: DovecotAnswer = { kind: "broken" };
const NONSENSE: DovecotAnswer = { kind: "nonsense" };
const UNKNOWN_MECHANISM: DovecotAnswer = { kind: "unknownMechanism" };

const ANSWERED_BROKEN: DovecotQuestion = {
  answer: Promise.resolve(BROKEN),
  cancel: () => {},
  giveUp: () => {},
};

/** Makes a client; it connects when it is asked. */
export function newDovecotClient(
  address: SocketAddress,
  service: string,
): DovecotClient {
  const links = new Set<Link>();
  let link: Link | undefined;
  let closed = false;

  /** Asks on a new connection. */
  function askAnew(said: SaidToDovecot): DovecotQuestion {
    if (closed) return ANSWERED_BROKEN;
    link?.retire();
    const made = newLink(address, () => links.delete(made));
    links.add(made);
    link = made;
    return made.ask(said);
  }

  return {
    ask(request) {
      const message = messageOf(request);
      const fields = fieldsOf(request, service);
      const said = { message, fields };
      const known = link?.isUsable() ? link : undefined;
      return known === undefined
        ? askAnew(said)
        : askAgain(known.ask(said), () => askAnew(said));
    },
    close() {
      closed = true;
      for (const each of links) each.close();
    },
  };
}

/**
 * Asks once more if the connection was an old one and breaks: the server may
 * have been started again, or may have closed it before it was asked.
 */
function askAgain(
  first: DovecotQuestion,
  askAnew: () => DovecotQuestion,
): DovecotQuestion {
  let question = first;
  let over = false;
  return {
    answer: first.answer.then((answer) => {
      if (answer.kind !== "broken" || over) return answer;
      question = askAnew();
      return question.answer;
    }),
    cancel() {
      over = true;
      question.cancel();
    },
    giveUp() {
      over = true;
      question.giveUp();
    },
  };
}

/** What is said about a login, and the login itself. */
interface SaidToDovecot {
  readonly message: ClientMessage;
  readonly fields: readonly string[];
}

function fieldsOf(
  { remoteIp }: AuthRequest,
  service: string,
): readonly string[] {
  return [
    `service=${service}`,
    // Without nologin it would wait for a login process to fetch the user.
    "nologin",
    "no-penalty",
    ...(remoteIp === "" ? [] : [`rip=${remoteIp}`]),
  ];
}

/** One connection, from before it is made until it has broken. */
interface Link {
  readonly ask: (said: SaidToDovecot) => DovecotQuestion;
  /** Whether a new question should be asked here. */
  readonly isUsable: () => boolean;
  /** Ends it once all questions on it are answered. */
  readonly retire: () => void;
  readonly close: () => void;
}

/** A question that waits for its answer. */
interface Pending {
  readonly resolve: (answer: DovecotAnswer) => void;
  /** What to say when the server explains a refusal; then it is said. */
  dummy: string | undefined;
  tokenError?: TokenError;
  /** How many lines the server had said when it was sent; absent before. */
  sentAt?: number;
}

function newLink(address: SocketAddress, onEnd: () => void): Link {
  const questions = new Map<number, Pending>();
  const ready = Promise.withResolvers<boolean>();
  let conn: Deno.UnixConn | Deno.TcpConn | undefined;
  let writing: Promise<void> = Promise.resolve();
  const mechanisms = new Set<string>();
  let ended = false;
  let retired = false;
  let heard = 0;
  let lastId = 0;
  const oldAt = performance.now() + MAX_AGE_MS;

  function end(answer: DovecotAnswer): void {
    ended = true;
    if (conn !== undefined) tryClose(conn);
    ready.resolve(false);
    for (const { resolve } of questions.values()) resolve(answer);
    questions.clear();
    onEnd();
  }

  function send(text: string): void {
    const octets = new TextEncoder().encode(text);
    writing = writing.then(async () => {
      if (conn !== undefined && !ended) await writeAll(conn, octets);
    }).catch(() => end(BROKEN));
  }

  /** What must be done when there are more questions, or fewer. */
  function holdOrLetGo(): void {
    // An idle connection is no reason for a program to go on.
    if (questions.size > 0) conn?.ref();
    else if (retired) end(BROKEN);
    else conn?.unref();
  }

  function settle(id: number, answer: DovecotAnswer): void {
    const pending = questions.get(id);
    // Nobody: it was cancelled.
    if (pending === undefined) return;
    questions.delete(id);
    pending.resolve(answer);
    holdOrLetGo();
  }

  function cancel(id: number, late: boolean): void {
    const pending = questions.get(id);
    if (pending === undefined) return;
    questions.delete(id);
    const { sentAt } = pending;
    if (sentAt !== undefined) send(formatCancel(id));
    // Not a word since: the server hangs.
    if (late && (sentAt === undefined || sentAt === heard)) retired = true;
    holdOrLetGo();
  }

  /** Takes an explanation, and says that it was read. */
  function goOn(id: number, challenge: string): void {
    const pending = questions.get(id);
    const tokenError = explanationOf(challenge);
    const dummy = pending?.dummy;
    if (pending === undefined || dummy === undefined) {
      // There is nothing left to ask for.
      send(formatCancel(id));
      return settle(id, NONSENSE);
    }
    pending.dummy = undefined;
    if (tokenError !== undefined) pending.tokenError = tokenError;
    send(formatCont(id, dummy));
  }

  function hear(reply: DovecotReply): void {
    heard++;
    switch (reply.kind) {
      case "version":
        if (reply.major !== 1) end(NONSENSE);
        return;
      case "mech":
        mechanisms.add(reply.mechanism);
        return;
      case "done":
        return ready.resolve(true);
      case "ok":
      case "fail": {
        const { kind, id, fields } = reply;
        const tokenError = questions.get(id)?.tokenError;
        const why = tokenError === undefined ? {} : { tokenError };
        return settle(id, { kind, fields, ...why });
      }
      case "cont":
        return goOn(reply.id, reply.challenge);
      case "other":
        return;
      default:
        reply satisfies never;
    }
  }

  async function run(): Promise<void> {
    conn = await connect(address);
    if (ended) return tryClose(conn);
    const processId = crypto.getRandomValues(new Uint32Array(1))[0] ?? 1;
    send(formatClientHandshake((processId >>> 1) || 1));
    const readLines = newLineReader();
    const space = new Uint8Array(4096);
    for (;;) {
      const count = await readSome(conn, space);
      if (count === null || ended) return;
      for (const line of readLines(space.subarray(0, count))) {
        if (line.tooLong) return end(NONSENSE);
        hear(readReply(line));
      }
    }
  }

  run().catch(() => {}).finally(() => end(BROKEN));

  return {
    ask({ message, fields }) {
      const id = lastId = lastId % MAX_ID + 1;
      const { promise, resolve } = Promise.withResolvers<DovecotAnswer>();
      const { mechanism, response, dummy } = message;
      const pending: Pending = { resolve, dummy };
      questions.set(id, pending);
      holdOrLetGo();
      ready.promise.then((isReady) => {
        if (!isReady || !questions.has(id)) return;
        if (!mechanisms.has(mechanism)) return settle(id, UNKNOWN_MECHANISM);
        pending.sentAt = heard;
        send(formatAuth(id, mechanism, fields, response));
      });
      return {
        answer: promise,
        cancel: () => cancel(id, false),
        giveUp: () => cancel(id, true),
      };
    },
    isUsable: () => !ended && !retired && performance.now() < oldAt,
    retire: () => {
      retired = true;
      holdOrLetGo();
    },
    close: () => end(BROKEN),
  };
}

/**
 * How long a connection is used, in milliseconds. A Dovecot that is restarted
 * leaves its old process to those who are connected to it.
 */
const MAX_AGE_MS = 60_000;

/** Ids are 32-bit numbers; half of them are enough. */
const MAX_ID = 0x7fff_ffff;

function connect(
  address: SocketAddress,
): Promise<Deno.UnixConn | Deno.TcpConn> {
  return "path" in address
    ? Deno.connect({ transport: "unix", path: address.path })
    : Deno.connect(address);
}
