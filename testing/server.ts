/**
 * A listener for tests, which keeps the mail it gets.
 *
 * @module
 */

import type { SmtpReply } from "../auth/replies.ts";
import type { SmtpEvent } from "../smtp/events.ts";
import type { Deliver } from "../smtp/delivery.ts";
import type { Destination } from "../smtp/destination.ts";
import {
  listenSmtp,
  serveAt,
  serveSmtp,
  type SmtpServer,
} from "../smtp/listener.ts";
import {
  ACTION,
  type ServeSmtpOptions,
  type SmtpAddress,
} from "../smtp/options.ts";
import type { Envelope, SmtpMessage } from "../smtp/protocol/envelope.ts";
import { acceptAny } from "./accept_any.ts";
import { type ConnectOptions, SmtpClient } from "./client.ts";
import { type Keep, keeping } from "./keeping.ts";
import { Mailbox } from "./mailbox.ts";
import { type MemoryPorts, newMemoryPorts } from "./memory_ports.ts";

/**
 * A message that a {@linkcode TestServer} has got.
 *
 * @category Testing
 */
export interface TestMessage {
  /** Sender, recipients, the user, and whence it came. */
  readonly envelope: Envelope;
  /** What the client has sent, without the dots of SMTP. */
  readonly octets: Uint8Array;
  /** The same as text. */
  readonly text: string;
}

/**
 * How {@linkcode newTestServer} and {@linkcode openTestServer} serve: as
 * `serveSmtp` does, and this.
 *
 * @category Testing
 */
export interface TestServerOptions extends Partial<ServeSmtpOptions> {
  /**
   * Listen on no port, but serve whoever connects by `open` or `greeted`: no
   * permission is needed for it, and no Deno. There is no TLS then. Default:
   * false.
   */
  readonly inMemory?: boolean;
  /**
   * What is answered to a message, such as a `452`; nothing: `250`. One that
   * throws is a `451`. Only what is answered with 250 is among the messages.
   * Whoever takes the mail, if somebody is given, answers by itself.
   */
  readonly answer?: (
    message: TestMessage,
  ) => void | SmtpReply | Promise<void | SmtpReply>;
}

/**
 * How one connects to a {@linkcode TestServer}.
 *
 * @category Testing
 */
export interface TestConnectOptions {
  /** From where, in memory. Default: 127.0.0.1. */
  readonly remoteIp?: string;
  /** Begin with TLS, and trust this certificate, in PEM. Not in memory. */
  readonly trusted?: string;
}

/**
 * A listener and the mail that it has got.
 *
 * @category Testing
 */
export interface TestServer extends SmtpServer {
  /** The port for plain text and STARTTLS; 0 in memory. */
  readonly port: number;
  /** The port for implicit TLS; 0 if there is none. */
  readonly tlsPort: number;
  /** The messages that were answered with 250, in their order. */
  readonly messages: readonly TestMessage[];
  /** What a log would want to know, in its order. */
  readonly events: readonly SmtpEvent[];
  /**
   * The first message that no call has had yet, as soon as it is there; throws
   * after ten seconds without one.
   */
  nextMessage(): Promise<TestMessage>;
  /** Connects; the greeting is not read yet. */
  open(options?: TestConnectOptions): Promise<SmtpClient>;
  /** Connects, reads the greeting, says EHLO. */
  greeted(options?: TestConnectOptions): Promise<SmtpClient>;
}

/**
 * Serves SMTP for a test: on any free port of the machine itself, or without a
 * network at all. It takes every login unless a provider is given, and every
 * message.
 *
 * @param options Those of `serveSmtp`, none of which must be given, and where
 * to serve.
 * @param to Takes the mail, as in `serveSmtp`: a `Deliver` or a `Destination`
 * that is to be tested. What it has taken is among the messages, too. Default:
 * whatever comes is taken.
 * @returns The running listener. Disposing stops it.
 * @throws {TypeError} If there is both `to` and the option `answer`.
 * @throws What `serveSmtp` throws.
 *
 * @example What your program sends
 * ```ts
 * import { newTestServer } from "@meowmail/smtpauth/testing";
 *
 * await using server = newTestServer({
 *   provider: ({ password }) => password === "secret" ? "authOk" : "authInvalid",
 * });
 *
 * // Your program sends to 127.0.0.1, port `server.port`. Here is one:
 * using client = await server.greeted();
 * await client.login("ann", "secret");
 * await client.envelope("ann@example.org", ["bob@example.net"]);
 * await client.send("Subject: Hello", "", "How are you?", ".");
 * await client.expect("250 2.0.0");
 *
 * const { envelope, text } = await server.nextMessage();
 * console.assert(envelope.user === "ann");
 * console.assert(text.startsWith("Subject: Hello"));
 * ```
 * @category Testing
 */
export function newTestServer(
  options: TestServerOptions = {},
  to?: Deliver | Destination,
): TestServer {
  const { settings, take, hold } = prepare(options, to);
  if (options.inMemory !== true) return hold(serveSmtp(settings, take));
  const ports = newMemoryPorts();
  return hold(serveAt(() => ports, settings, take), ports);
}

/**
 * Serves SMTP for a test as {@linkcode newTestServer} does, on Node too, where a
 * port cannot be bound at once.
 *
 * @param options Those of `newTestServer`.
 * @param to The same as there.
 * @returns The running listener, once its ports are bound. Rejects with what
 * `listenSmtp` rejects with.
 *
 * @example On Deno, Node and Bun
 * ```ts
 * import { openTestServer } from "@meowmail/smtpauth/testing";
 *
 * await using server = await openTestServer();
 *
 * // Your program sends to 127.0.0.1, port `server.port`. Here is one:
 * using client = await server.greeted();
 * await client.login("ann", "any");
 * await client.envelope("ann@example.org", ["bob@example.net"]);
 * await client.send("Subject: Hello", "", "How are you?", ".");
 * await client.expect("250 2.0.0");
 * console.assert(server.messages.length === 1);
 * ```
 * @category Testing
 */
export async function openTestServer(
  options: TestServerOptions = {},
  to?: Deliver | Destination,
): Promise<TestServer> {
  if (options.inMemory === true) return newTestServer(options, to);
  const { settings, take, hold } = prepare(options, to);
  return hold(await listenSmtp(settings, take));
}

/** What a listener for tests is made of. */
interface TestParts {
  readonly settings: ServeSmtpOptions;
  /** Takes the mail. */
  readonly take: Deliver | Destination;
  /** Makes it of a listener that runs with these. */
  readonly hold: (server: SmtpServer, ports?: MemoryPorts) => TestServer;
}

function prepare(
  options: TestServerOptions,
  to: Deliver | Destination | undefined,
): TestParts {
  const { inMemory: _, answer, ...served } = options;
  if (to !== undefined && answer !== undefined) {
    throw new TypeError(
      `Cannot ${ACTION}: answer must not be given beside to, which answers`,
    );
  }
  const events: SmtpEvent[] = [];
  const mailbox = new Mailbox<TestMessage>();
  const settings: ServeSmtpOptions = {
    port: 0,
    provider: acceptAny,
    ...served,
    onEvent(event) {
      events.push(event);
      return options.onEvent?.(event);
    },
  };
  const take: Deliver = async (message) => {
    const got = await read(message);
    const reply = await answer?.(got);
    if (reply === undefined || reply.code < 400) mailbox.put(got);
    return reply;
  };
  const hold = (server: SmtpServer, ports?: MemoryPorts): TestServer => {
    const open = opener(server.addrs, ports);
    return {
      ...server,
      port: portOf(server.addrs, false),
      tlsPort: portOf(server.addrs, true),
      messages: mailbox.all,
      events,
      nextMessage: () => mailbox.next("a message"),
      open,
      async greeted(options) {
        const client = await open(options);
        await client.hello();
        return client;
      },
    };
  };
  const keep: Keep = (envelope, octets) => mailbox.put(kept(envelope, octets));
  return { settings, take: to === undefined ? take : keeping(to, keep), hold };
}

async function read({ envelope, body }: SmtpMessage): Promise<TestMessage> {
  const octets = new Uint8Array(await new Response(body).arrayBuffer());
  return kept(envelope, octets);
}

function kept(envelope: Envelope, octets: Uint8Array): TestMessage {
  return { envelope, octets, text: new TextDecoder().decode(octets) };
}

function portOf(addrs: readonly SmtpAddress[], tls: boolean): number {
  return addrs.find((address) => address.tls === tls)?.port ?? 0;
}

/** Connects to a listener, wherever it is. */
function opener(
  addrs: readonly SmtpAddress[],
  ports: MemoryPorts | undefined,
): TestServer["open"] {
  return async ({ remoteIp = "127.0.0.1", trusted } = {}) => {
    if (ports !== undefined) {
      if (trusted !== undefined) throw new TypeError("No TLS in memory");
      return new SmtpClient(ports.connect(remoteIp));
    }
    const { hostname } = addrs[0] ?? {};
    const options: ConnectOptions = {
      ...hostname === undefined ? {} : { hostname },
      ...trusted === undefined ? {} : { trusted },
    };
    const tls = trusted !== undefined;
    return await SmtpClient.open(portOf(addrs, tls), options);
  };
}
