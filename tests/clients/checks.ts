/**
 * What every client must be able to do, and what each must be told.
 *
 * @module
 */

import { assertEquals, assertMatch } from "../support/assert.ts";
import {
  assertSameOctets,
  bodyOf,
  largeMessage,
  MESSAGE,
  storedMessages,
} from "./messages.ts";
import {
  type Client,
  clientTest,
  HELO,
  LOGIN,
  type Login,
  LOGINS,
  type Mechanism,
  MECHANISMS,
  type Mode,
  newAskingBench,
  newBench,
  RECIPIENTS,
  SENDER,
  type Target,
} from "./support.ts";
import {
  checkTokens,
  refusalIn,
  type TokenMechanism,
  type TokenOptions,
} from "./tokens.ts";

/** One message for a client to send. */
export interface Job {
  readonly target: Target;
  readonly mechanism: Mechanism | TokenMechanism;
  /** For the client's files. */
  readonly folder: string;
  /** A file with the listener's certificate. */
  readonly trusted?: string;
  /** Default: the one that the listener knows. */
  readonly login?: Login;
  readonly sender?: string;
  readonly recipients?: readonly string[];
  readonly message?: Uint8Array<ArrayBuffer>;
}

/** What became of a job, as the client has it. */
export interface Ending {
  /** Its exit status, or a library's result. */
  readonly status: number | string;
  /** All that it shows of the session. */
  readonly shown: string;
}

/** What must have become of one. */
export interface Expected {
  readonly status: number | string;
  readonly shows?: readonly RegExp[];
}

/** A client, and what is its own in what all are tested for. */
export interface MailClient extends Client {
  /** Does jobs, one after another. */
  readonly send: (
    program: string,
    jobs: readonly Job[],
  ) => Promise<readonly Ending[]>;
  /** What it makes of a message that is sent, of a 535 and of a 454. */
  readonly expects: Readonly<Record<"sent" | "wrong" | "outage", Expected>>;
  /** It makes a header of its own: then only the body is compared. */
  readonly bodyOnly?: boolean;
  /** What must arrive. Default: {@linkcode MESSAGE}. */
  readonly arrives?: Uint8Array;
  /** In which order it names its recipients. Default: as it was told. */
  readonly order?: readonly string[];
  /** In which modes it sends 20 MB. Default: in none. */
  readonly large?: readonly Mode[];
  /** To whom it sends with UTF-8 in the addresses, and what it shows of that. */
  readonly utf8?: {
    readonly recipients: readonly string[];
    readonly shows?: readonly RegExp[];
  };
  /** Which tokens it brings. */
  readonly tokens?: TokenOptions & {
    readonly criterion: string;
    readonly mechanisms: readonly TokenMechanism[];
  };
}

/** Registers the tests of all that is alike for every client. */
export function testClient(client: MailClient): void {
  const { expects } = client;
  clientTest(
    client,
    "delivers by PLAIN and LOGIN in plain text, over STARTTLS and over TLS",
    (program) =>
      checkEverywhere(client, async (job) => {
        assertEnding(await sendOne(client, program, job), expects.sent);
      }),
  );
  if (client.large !== undefined) testLarge(client, client.large);
  if (client.utf8 !== undefined) testUTF8(client, client.utf8);
  clientTest(
    client,
    "reports 535 for a wrong password",
    (program) => checkWrongPassword(client, program),
  );
  clientTest(
    client,
    "brings every login to the endpoint as it is",
    (program) => checkLogins(client, program),
  );
  clientTest(
    client,
    "reports 454 while the endpoint answers 500",
    (program) => checkBrokenEndpoint(client, program),
  );
  if (client.tokens !== undefined) testTokens(client, client.tokens);
}

/** Makes a `send` out of what does one job. */
export function oneByOne(
  send: (program: string, job: Job) => Promise<Ending>,
): MailClient["send"] {
  return async (program, jobs) => {
    const endings: Ending[] = [];
    for (const job of jobs) endings.push(await send(program, job));
    return endings;
  };
}

/** Has one message sent. */
async function sendOne(
  { send }: MailClient,
  program: string,
  job: Job,
): Promise<Ending> {
  const [ending] = await send(program, [job]);
  return ending ?? { status: "no ending", shown: "" };
}

/** Compares what became of a job. */
export function assertEnding(
  { status, shown }: Ending,
  { status: expected, shows = [] }: Expected,
): void {
  assertEquals(status, expected, shown);
  for (const each of shows) assertMatch(shown, each);
}

/** The protocol word of RFC 3848 for a login in this mode. */
function wordFor(mode: Mode): string {
  return mode === "plain text" ? "ESMTPA" : "ESMTPSA";
}

/** Sends by every mechanism through every target and compares what arrives. */
export async function checkEverywhere(
  { bodyOnly = false, arrives = MESSAGE, order = RECIPIENTS }: Partial<
    MailClient
  >,
  send: (job: Job) => Promise<void>,
): Promise<void> {
  await using bench = await newBench();
  const { folder, trusted } = bench;
  for (const target of bench.targets) {
    const before = storedMessages(target.listener).length;
    for (const mechanism of MECHANISMS) {
      await send({ target, mechanism, folder, trusted });
    }
    const stored = storedMessages(target.listener).slice(before);
    const { mode } = target;
    assertEquals(
      stored.map(({ octets: _, ...envelope }) => envelope),
      MECHANISMS.map(() => ({
        sender: SENDER,
        recipients: order,
        word: wordFor(mode),
      })),
      mode,
    );
    for (const { octets } of stored) {
      const part = bodyOnly ? bodyOf : (whole: Uint8Array) => whole;
      assertSameOctets(part(octets), part(arrives), `message over ${mode}`);
    }
  }
}

function testLarge(client: MailClient, modes: readonly Mode[]): void {
  const [first, ...others] = modes;
  const where = others.length === 0
    ? `in ${first}`
    : "in plain text, over STARTTLS and over TLS";
  clientTest(
    client,
    `delivers 20 MB byte for byte ${where}`,
    async (program) => {
      await using bench = await newBench();
      const { folder, trusted, targets } = bench;
      const message = largeMessage();
      for (const target of targets) {
        if (!modes.includes(target.mode)) continue;
        const before = storedMessages(target.listener).length;
        const mechanism = "PLAIN";
        const job = { target, mechanism, folder, trusted, message } as const;
        const { status, shown } = await sendOne(client, program, job);
        assertEquals(status, client.expects.sent.status, shown);
        const stored = storedMessages(target.listener);
        assertEquals(stored.length, before + 1, target.mode);
        assertSameOctets(stored.at(-1)?.octets ?? new Uint8Array(), message);
      }
    },
  );
}

function testUTF8(
  client: MailClient,
  { recipients, shows = [] }: NonNullable<MailClient["utf8"]>,
): void {
  clientTest(
    client,
    "delivers with UTF-8 in the addresses",
    async (program) => {
      await using bench = await newBench();
      const { folder, targets: [target] } = bench;
      const sender = "jörg@example.com";
      const envelope = { mechanism: "PLAIN", sender, recipients } as const;
      const job = { target, folder, ...envelope };
      const { status } = client.expects.sent;
      assertEnding(await sendOne(client, program, job), { status, shows });
      assertEquals(storedMessages(target.listener), [
        { sender, recipients, word: "UTF8SMTPA", octets: MESSAGE },
      ]);
    },
  );
}

/** Logs in by every mechanism through every target, with a wrong password. */
async function checkWrongPassword(
  client: MailClient,
  program: string,
): Promise<void> {
  await using bench = await newBench();
  const { folder, trusted } = bench;
  const login = { ...LOGIN, password: `${LOGIN.password} ` };
  for (const target of bench.targets) {
    for (const mechanism of MECHANISMS) {
      const job = { target, mechanism, folder, trusted, login };
      const ending = await sendOne(client, program, job);
      assertEnding(ending, client.expects.wrong);
    }
    assertEquals(storedMessages(target.listener), [], target.mode);
  }
}

/**
 * Has a message sent with every login by every mechanism, and compares what the
 * endpoint was asked.
 */
async function checkLogins(client: MailClient, program: string): Promise<void> {
  await using bench = await newAskingBench(() => Response.json({ ok: true }));
  const { target, folder } = bench;
  const cases = LOGINS.flatMap((login) =>
    MECHANISMS.map((mechanism) => ({ login, mechanism }))
  );
  const jobs = cases.map((each) => ({ ...each, target, folder }));
  const endings = await client.send(program, jobs);
  assertEquals(endings.length, cases.length);
  for (const ending of endings) assertEnding(ending, client.expects.sent);
  const expected = cases.map(({ login, mechanism }): unknown => ({
    username: login.username,
    password: login.password,
    mechanism,
    remoteIp: "127.0.0.1",
    heloName: HELO,
  }));
  const { requests } = bench.endpoint;
  assertEquals(
    requests.map(({ body }): unknown => JSON.parse(body)),
    expected,
  );
  assertEquals(
    requests.map(({ method, headers }) => [
      method,
      headers.get("content-type"),
    ]),
    expected.map(() => ["POST", "application/json"]),
  );
  assertEquals(storedMessages(bench.listener).length, expected.length);
}

/** Logs in while the endpoint is out of order. */
async function checkBrokenEndpoint(
  client: MailClient,
  program: string,
): Promise<void> {
  await using bench = await newAskingBench(
    () => new Response("out of order", { status: 500 }),
  );
  const { target, folder } = bench;
  for (const mechanism of MECHANISMS) {
    const ending = await sendOne(client, program, {
      target,
      mechanism,
      folder,
    });
    assertEnding(ending, client.expects.outage);
  }
  assertEquals(bench.endpoint.requests.length, MECHANISMS.length);
  assertEquals(storedMessages(bench.listener), []);
}

function testTokens(
  client: MailClient,
  { criterion, mechanisms, ...options }: NonNullable<MailClient["tokens"]>,
): void {
  clientTest(
    client,
    criterion,
    (program) =>
      checkTokens(mechanisms, async (job) => {
        const { status, shown } = await sendOne(client, program, job);
        return status === client.expects.sent.status
          ? "sent"
          : refusalIn(shown);
      }, options),
  );
}
