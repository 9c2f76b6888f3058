/**
 * Asking a Dovecot authentication server: on the connection that there is, or
 * on a new one.
 *
 * @module
 */

import type { AuthRequest } from "../../auth/types.ts";
import type { SocketAddress } from "../../net/address.ts";
import { type DovecotQuestion, Link, type SaidToDovecot } from "./link.ts";
import { messageOf } from "./tokens.ts";

/** Asks a Dovecot server. */
export interface DovecotClient {
  /** Asks; connects first if there is no connection. */
  readonly ask: (request: AuthRequest) => DovecotQuestion;
  /** Closes the connection; the questions on it are answered `broken`. */
  readonly close: () => void;
}

const ANSWERED_BROKEN: DovecotQuestion = {
  answer: Promise.resolve({ kind: "broken" }),
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
    const made = new Link(address, () => links.delete(made));
    links.add(made);
    link = made;
    return made.ask(said);
  }

  /** Asks on the connection that there is, if there is one. */
  function askOnce(said: SaidToDovecot): DovecotQuestion {
    return link?.isUsable === true ? link.ask(said) : askAnew(said);
  }

  return {
    ask(request) {
      const message = messageOf(request);
      const fields = fieldsOf(request, service);
      const said = { message, fields };
      const isOld = link?.isUsable === true;
      const first = askOnce(said);
      // All that were under way on one that breaks share the next one.
      return isOld ? askAgain(first, () => askOnce(said)) : first;
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
  askOnce: () => DovecotQuestion,
): DovecotQuestion {
  let question = first;
  let over = false;
  return {
    answer: first.answer.then((answer) => {
      if (answer.kind !== "broken" || over) return answer;
      question = askOnce();
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
