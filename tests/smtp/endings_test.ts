// Every way in which a connection ends: what the client reads last, whether it
// is waited for, and what the log is told (smtp/protocol/endings.ts and the
// table in smtp/connection_ends.ts).

import { Gone } from "../../net/conn.ts";
import { newDeadlines } from "../../net/deadlines.ts";
import { Connection } from "../../smtp/connection.ts";
import type { ConnectionContext } from "../../smtp/connection_context.ts";
import type { Destination } from "../../smtp/destination.ts";
import type { SmtpEvent } from "../../smtp/events.ts";
import type { MailHandlers } from "../../smtp/mail_transaction.ts";
import { type PreambleStep, tlsStep } from "../../smtp/preamble.ts";
import * as endings from "../../smtp/protocol/endings.ts";
import type { Ending } from "../../smtp/protocol/endings.ts";
import { assertEquals } from "../support/assert.ts";
import {
  HandConn,
  newContext,
  newHandTicks,
  settled,
} from "../support/hand_conn.ts";
import { decide } from "../support/decide.ts";
import {
  BEGUN,
  DISK,
  EHLO,
  MAIL,
  never,
  repliesOf,
  STORING,
  wordsOf,
} from "../support/endings.ts";
import { PEER, RULES } from "../support/session.ts";

/** One client of a connection: test, clock and listener move it by hand. */
interface Visit {
  readonly connection: Connection;
  readonly conn: HandConn;
  readonly says: (text: string | null) => Promise<void>;
  readonly seconds: (count: number) => Promise<void>;
}

/** How a client ends, and what comes of it. */
interface Row {
  readonly context?: Partial<ConnectionContext>;
  readonly steps?: readonly PreambleStep[];
  readonly refusal?: Ending;
  readonly act: (visit: Visit) => unknown;
  /** The codes that the client reads behind the greeting. */
  readonly reads: readonly string[];
  /** Whether the connection waits for the client to close. */
  readonly lingers?: boolean;
  /** Reasons of its `closed` events; others by their kind. */
  readonly events: readonly string[];
}

const WRONG = `AUTH PLAIN ${btoa("\0ann\0wrong")}\r\n`;

/** A destination, and hooks before it, instead of a function. */
function handlers(
  begin: Destination["begin"],
  hooks: Partial<MailHandlers> = {},
): Partial<ConnectionContext> {
  return {
    rules: { ...RULES, authRequired: false, asksAboutMail: true },
    to: {
      destination: { begin },
      onSender: undefined,
      onRecipient: undefined,
      ...hooks,
    },
  };
}

const OPEN = handlers(() => ({ message() {} }));
const STUCK = handlers(never);

/** A handshake that lasts as long as the socket. */
const handshake: PreambleStep = tlsStep(async (conn) => {
  await conn.read(new Uint8Array(1));
  throw new Gone("closed");
}, 300_000);
const brokenHandshake: PreambleStep = tlsStep(
  () => Promise.reject(new Error("no shared cipher")),
  300_000,
);

const READING: Partial<ConnectionContext> = {
  ...DISK,
  async to({ body }) {
    for await (const _ of body);
  },
};
const READING_ON: Partial<ConnectionContext> = {
  ...DISK,
  async to({ body }) {
    await body.pipeTo(new WritableStream()).catch(never);
  },
};

const drain = ({ connection }: Visit) => connection.drain();
const abort = ({ connection }: Visit) => connection.abort();

/** Does one thing after another, each when nothing else is left to happen. */
function all(...acts: readonly Row["act"][]): Row["act"] {
  return async (visit) => {
    for (const act of acts) {
      await act(visit);
      await settled();
    }
  };
}

const says = (text: string | null): Row["act"] => (visit) => visit.says(text);
const seconds = (count: number): Row["act"] => (visit) => visit.seconds(count);
const hold: Row["act"] = ({ conn }) => conn.hold();

const ROWS: Readonly<Record<string, Row>> = {
  // In answer to the client.
  "QUIT": { act: says("QUIT\r\n"), reads: ["221 2.0.0"], events: ["quit"] },
  "QUIT with more behind it": {
    act: says("QUIT\r\nNOOP\r\n"),
    reads: ["221 2.0.0"],
    lingers: true,
    events: ["quit"],
  },
  "a web browser": {
    act: says("GET / HTTP/1.1\r\n"),
    reads: [],
    events: ["http"],
  },
  "the third wrong login": {
    act: says(EHLO + WRONG.repeat(3)),
    reads: ["250", "535 5.7.8", "535 5.7.8", "535 5.7.8", "421 4.7.0"],
    lingers: true,
    events: ["auth", "auth", "auth", "too-many-failures"],
  },
  "the twentieth error": {
    act: says("EHLO\r\n".repeat(20)),
    reads: [...Array(20).fill("501 5.5.4"), "421 4.7.0"],
    lingers: true,
    events: ["too-many-errors", "refused"],
  },
  "the hundred-and-first command without a login": {
    act: says("NOOP\r\n".repeat(101)),
    reads: [...Array(100).fill("250 2.0.0"), "421 4.7.0"],
    lingers: true,
    events: ["no-login"],
  },
  "a 421 of a hook": {
    context: handlers(never, {
      onSender: () => ({ code: 421, enhanced: "4.3.2", text: "going down" }),
    }),
    act: says(MAIL),
    reads: ["250", "421 4.3.2"],
    lingers: true,
    events: ["not-taken"],
  },
  "a 421 of whoever takes the message": {
    context: {
      ...DISK,
      to: () => ({ code: 421, enhanced: "4.3.2", text: "going down" }),
    },
    act: all(says(BEGUN), says(".\r\nNOOP\r\n")),
    reads: ["250", "250 2.1.0", "250 2.1.5", "354", "421 4.3.2"],
    lingers: true,
    events: ["message", "not-taken"],
  },
  "one connection too many": {
    refusal: endings.tooManyConnections,
    act: settled,
    reads: ["421 4.3.2"],
    lingers: true,
    events: [],
  },
  "one connection too many of a network": {
    refusal: endings.tooManyFromNetwork,
    act: settled,
    reads: ["421 4.3.2"],
    lingers: true,
    events: [],
  },
  "talk before the greeting": {
    context: { greetingDelayMs: 5_000 },
    act: says(EHLO),
    reads: ["554 5.5.0"],
    lingers: true,
    events: ["early-talker"],
  },

  // The client ends.
  "an end of file": {
    act: says(null),
    reads: [],
    events: ["client-gone"],
  },
  "an end of file in an AUTH": {
    act: all(says(`${EHLO}AUTH PLAIN\r\n`), says(null)),
    reads: ["250", "334"],
    events: ["auth", "client-gone"],
  },
  "an end of file in a message": {
    context: {
      rules: { ...RULES, authRequired: false },
      to: async ({ body }) => {
        await body.pipeTo(new WritableStream());
      },
    },
    act: all(says(`${MAIL}RCPT TO:<b@x>\r\nDATA\r\nhello\r\n`), says(null)),
    reads: ["250", "250 2.1.0", "250 2.1.5", "354"],
    events: ["message", "client-gone"],
  },
  "a reset": {
    act: ({ conn }) => {
      conn.read = () => Promise.reject(new Deno.errors.ConnectionReset());
      return conn.says("NOOP\r\n");
    },
    reads: ["250 2.0.0"],
    events: ["client-gone"],
  },

  // The time is up.
  "silence": {
    context: OPEN,
    act: seconds(302),
    reads: ["421 4.4.2"],
    lingers: true,
    events: ["idle"],
  },
  "silence in an AUTH": {
    context: OPEN,
    act: all(says(`${EHLO}AUTH PLAIN\r\n`), seconds(302)),
    reads: ["250", "334", "421 4.4.2"],
    lingers: true,
    events: ["idle", "auth"],
  },
  "silence behind a last reply": {
    context: OPEN,
    act: all(seconds(302), seconds(4)),
    reads: ["421 4.4.2"],
    events: ["idle"],
  },
  "no login in time": {
    act: all(seconds(200), says("NOOP\r\n"), seconds(102)),
    reads: ["250 2.0.0", "421 4.7.0"],
    lingers: true,
    events: ["no-login"],
  },
  "a provider that takes all the time for a login": {
    context: { provider: never },
    act: all(says(EHLO + WRONG), seconds(302)),
    reads: ["250", "454 4.7.0", "421 4.7.0"],
    lingers: true,
    events: ["auth", "no-login"],
  },
  "a client that does not read": {
    context: OPEN,
    act: all(hold, says("NOOP\r\n"), seconds(302)),
    reads: ["250 2.0.0"],
    events: ["idle"],
  },
  "a client without a login that does not read": {
    context: { idleTimeoutMs: 600_000 },
    act: all(hold, says("NOOP\r\n"), seconds(302)),
    reads: ["250 2.0.0"],
    events: ["no-login"],
  },
  "a handshake that takes too long": {
    steps: [handshake],
    act: seconds(32),
    reads: [],
    events: ["idle"],
  },

  // The listener stops.
  "a stop while the client is awaited": {
    act: drain,
    reads: ["421 4.3.2"],
    lingers: true,
    events: ["shutdown"],
  },
  "a stop in an AUTH": {
    act: all(says(`${EHLO}AUTH PLAIN\r\n`), drain),
    reads: ["250", "334", "421 4.3.2"],
    lingers: true,
    events: ["shutdown", "auth"],
  },
  "a stop in a transaction, which ends": {
    context: OPEN,
    act: all(says(MAIL), drain, says("RSET\r\n")),
    reads: ["250", "250 2.1.0", "250 2.0.0", "421 4.3.2"],
    lingers: true,
    events: ["shutdown"],
  },
  "a stop while a reply is written": {
    act: all(hold, says("NOOP\r\n"), drain, ({ conn }) => conn.release()),
    reads: ["250 2.0.0", "421 4.3.2"],
    lingers: true,
    events: ["shutdown"],
  },
  "a stop before the greeting": {
    context: { greetingDelayMs: 5_000 },
    act: drain,
    reads: [],
    events: ["shutdown"],
  },
  "a stop in a handshake": {
    steps: [handshake],
    act: drain,
    reads: [],
    events: ["shutdown"],
  },

  // It ends at once.
  "an abort while the client is awaited": {
    act: abort,
    reads: ["421 4.3.2"],
    lingers: true,
    events: ["shutdown"],
  },
  "an abort in a transaction": {
    context: OPEN,
    act: all(says(MAIL), abort),
    reads: ["250", "250 2.1.0", "421 4.3.2"],
    lingers: true,
    events: ["shutdown"],
  },
  "an abort while a reply is written": {
    act: all(hold, says("NOOP\r\n"), abort, ({ conn }) => conn.release()),
    reads: ["250 2.0.0"],
    events: ["shutdown"],
  },
  "an abort while a hook is asked": {
    context: STUCK,
    act: all(says(MAIL), abort),
    reads: ["250", "451 4.3.0", "421 4.3.2"],
    lingers: true,
    events: ["shutdown"],
  },
  "an abort while a login is decided, whatever waits behind it": {
    context: { provider: never },
    act: all(says(`${EHLO}${WRONG}NOOP\r\n`), abort),
    reads: ["250", "454 4.7.0", "421 4.3.2"],
    lingers: true,
    events: ["auth", "shutdown"],
  },
  "an abort while a message is stored": {
    context: STORING,
    act: all(says(BEGUN), says(".\r\n"), abort),
    reads: ["250", "250 2.1.0", "250 2.1.5", "354", "421 4.3.2"],
    lingers: true,
    events: ["message", "shutdown"],
  },
  "an abort while nobody takes the body of a message": {
    context: DISK,
    act: all(says(BEGUN), abort),
    reads: ["250", "250 2.1.0", "250 2.1.5", "354", "421 4.3.2"],
    lingers: true,
    events: ["shutdown", "message"],
  },
  "an abort while more of a message is awaited": {
    context: READING,
    act: all(says(BEGUN), abort),
    reads: ["250", "250 2.1.0", "250 2.1.5", "354", "421 4.3.2"],
    lingers: true,
    events: ["shutdown", "message"],
  },
  "an abort in a message whose taker does not give up": {
    context: READING_ON,
    act: all(says(BEGUN), abort),
    reads: ["250", "250 2.1.0", "250 2.1.5", "354", "421 4.3.2"],
    lingers: true,
    events: ["shutdown", "message"],
  },
  "an abort behind an abort": {
    context: OPEN,
    act: all(says(MAIL), abort, abort),
    reads: ["250", "250 2.1.0", "421 4.3.2"],
    events: ["shutdown"],
  },
  "an abort behind a last reply": {
    act: all(drain, abort),
    reads: ["421 4.3.2"],
    events: ["shutdown"],
  },
  "an abort in a handshake": {
    steps: [handshake],
    act: abort,
    reads: [],
    events: ["shutdown"],
  },

  // There is no session, or a fault.
  "a handshake that fails": {
    steps: [brokenHandshake],
    act: settled,
    reads: [],
    events: ["tls-failed"],
  },
  "a proxy that is none": {
    steps: [{
      limitMs: 5_000,
      work: () => Promise.resolve({ reason: "proxy-untrusted" }),
    }],
    act: settled,
    reads: [],
    events: ["proxy-untrusted"],
  },
};

for (const [what, row] of Object.entries(ROWS)) {
  Deno.test(`a connection ends by ${what}`, async () => {
    using clock = newHandTicks();
    const conn = new HandConn();
    const events: SmtpEvent[] = [];
    const context = newContext({
      provider: decide,
      deadlines: newDeadlines(1_000),
      report: (event) => events.push(event),
      ...row.context,
    });
    const connection = new Connection(conn, PEER, context);
    let isOver = false;
    const ended = connection.run(row.steps ?? [], row.refusal)
      .then(() => isOver = true);
    await settled();
    await row.act({
      connection,
      conn,
      async says(text) {
        conn.says(text);
        await settled();
      },
      async seconds(count) {
        clock.tick(count);
        await settled();
      },
    });
    await settled();
    assertEquals(repliesOf(conn), [...row.reads]);
    assertEquals(conn.closed, row.lingers !== true, "closed by us");
    // Where it lingers, the client closes now; elsewhere nothing changes.
    conn.says(null);
    await settled();
    assertEquals(isOver, true, "over");
    await ended;
    assertEquals(conn.closed, true);
    assertEquals(wordsOf(events), [...row.events]);
    assertEquals(clock.running(), false, "no clock runs on");
  });
}
