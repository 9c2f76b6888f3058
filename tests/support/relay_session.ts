/**
 * A session with a next hop that is made up: what it says goes in, what we say
 * and ask comes out.
 *
 * @module
 */

import type { RelayAction } from "../../delivery/relay/actions.ts";
import type { Login } from "../../delivery/relay/login.ts";
import {
  Opening,
  type RelayPeer,
  type RelayRules,
} from "../../delivery/relay/opening.ts";
import { RelaySession } from "../../delivery/relay/session.ts";
import type { Mail } from "../../smtp/destination.ts";
import { latin1 } from "./session.ts";

/** What differs from a session without login over plain text on loopback. */
export interface RelaySessionOptions {
  readonly rules?: Partial<RelayRules>;
  readonly peer?: Partial<RelayPeer>;
}

/** A login by password. */
export const PASSWORD_LOGIN: Login = {
  kind: "password",
  username: "ann",
  password: "secret",
};

/** A login by token. */
export const TOKEN_LOGIN: Login = {
  kind: "token",
  username: "ann@example.org",
};

/** Mail without anything special. */
export const MAIL: Mail = {
  id: "c1",
  sender: "ann@example.org",
  parameters: {},
  user: "ann",
  remoteIp: "192.0.2.7",
  heloName: "laptop",
  esmtp: true,
  tls: true,
};

/** Makes a session. */
export function newRelaySession(
  { rules, peer }: RelaySessionOptions = {},
): RelaySession {
  return new RelaySession(
    new Opening(
      {
        serverName: "relay.example.net",
        tlsRequired: false,
        login: undefined,
        ...rules,
      },
      { tls: false, encryptable: true, loopback: true, ...peer },
    ),
  );
}

/** The end of a session that is the next hop's. */
export class FakeHop {
  /** The session, which is another one after STARTTLS. */
  session: RelaySession;
  /** What the session has asked and told, in order. */
  readonly actions: RelayAction[] = [];
  /** What it has said. */
  said = "";

  /** @param session The other end. */
  constructor(session: RelaySession = newRelaySession()) {
    this.session = session;
  }

  /**
   * Says something, in pieces of a size, and lets the session go on.
   *
   * @returns What the session has said to it.
   */
  say(text: string, pieceSize: number = text.length): string {
    const before = this.said.length;
    for (let at = 0; at < text.length; at += pieceSize) {
      this.session.receive(latin1(text.slice(at, at + pieceSize)));
      this.run();
    }
    return this.said.slice(before);
  }

  /** Lets the session go on; answers its questions. */
  run(): void {
    while (this.failure === undefined) {
      const action = this.session.next();
      this.said += new TextDecoder().decode(this.session.takeOutput());
      if (action.kind === "needData") return;
      this.actions.push(action);
      if (action.kind === "redial") return;
      if (action.kind === "startTls") this.session = this.session.afterTls();
      if (action.kind === "getToken") this.session.useToken("t0ken");
    }
  }

  /** What the session has failed with: reason and detail. */
  get failure(): string | undefined {
    const last = this.actions.at(-1);
    if (last?.kind !== "failed") return undefined;
    return `${last.failure.reason}: ${last.failure.detail}`;
  }

  /** The kinds of its actions; of a reply also the command and the code. */
  get kinds(): string[] {
    return this.actions.map((action) =>
      action.kind === "reply"
        ? `${action.command} ${action.reply.code}`
        : action.kind
    );
  }
}

/** A session that commands can be given to, and the other end of it. */
export function openHop(
  extensions: readonly string[] = ["PIPELINING"],
  options?: RelaySessionOptions,
): FakeHop {
  const hop = new FakeHop(newRelaySession(options));
  hop.say("220 hop\r\n");
  hop.say(helloReply(...extensions));
  hop.actions.length = 0;
  hop.said = "";
  return hop;
}

/** The reply to EHLO. */
export function helloReply(...extensions: readonly string[]): string {
  const lines = ["hop.example.net", ...extensions];
  const last = lines.length - 1;
  return lines.map((line, i) => `250${i < last ? "-" : " "}${line}\r\n`)
    .join("");
}
