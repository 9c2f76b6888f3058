/**
 * The listener: accepts connections, counts them, and stops in good order.
 *
 * @module
 */

import { harmless } from "../lib/hook.ts";
import { checkValue } from "../lib/options.ts";
import { Clients } from "./clients.ts";
import { newDeadlines } from "../net/deadlines.ts";
import type { Deliver } from "./delivery.ts";
import { aDestination, type Destination } from "./destination.ts";
import type { MailHandlers } from "./mail_transaction.ts";
import {
  ACTION,
  checkedOptions,
  type ListenerSettings,
  type ServeSmtpOptions,
  type SmtpAddress,
} from "./options.ts";
import { openPorts, type Ports } from "./ports.ts";
import { type Certificate, newEncrypt } from "../net/tls.ts";
import { newTransferSlots } from "./transfer_slots.ts";
import type { Encrypt } from "../net/conn.ts";
import { newServer } from "../net/server.ts";

/** How often time limits are looked at, in milliseconds, at the least. */
const MAX_TICK_MS = 1_000;

/** The same where proxies are waited for: their limit is a matter of seconds. */
const PROXY_TICK_MS = 250;

/**
 * How many clients send large messages at a time. One disk needs no more; each
 * has a large buffer.
 */
const TRANSFERS = 16;

/**
 * For how long they do if others wait, in milliseconds: those who send slowly
 * must not keep the others waiting.
 */
const TRANSFER_SLICE_MS = 1_000;

/**
 * A running listener.
 *
 * @category A whole listener
 */
export interface SmtpServer extends AsyncDisposable {
  /** The addresses that it is bound to. */
  readonly addrs: readonly SmtpAddress[];
  /** Resolves when the listener and all its connections are closed. */
  readonly finished: Promise<void>;
  /**
   * Stops in good order: no new connections, `421 4.3.2` to idle ones, nine
   * seconds for transactions in progress. After that it ends in any case: a
   * client whose message was not answered by then gets `421`.
   *
   * @returns A promise for the end, the same as `finished`.
   */
  shutdown(): Promise<void>;
  /**
   * Greets new clients with another certificate; connections that are open go
   * on as they are.
   *
   * @param certificate The new pair.
   * @throws {TypeError} If the listener was started without a certificate.
   * @throws {Error} If certificate and key are not good or do not belong
   * together. The old pair stays in use.
   */
  useCertificate(certificate: Certificate): void;
}

/**
 * Serves SMTP submission (RFC 6409) with AUTH (RFC 4954) and STARTTLS (RFC
 * 3207).
 *
 * @param options Where to listen, who decides, and the limits.
 * @param to Takes the messages: a function that gets the envelope and the body
 * as a stream, and whose answer is what the client reads; or a destination that
 * is asked at MAIL and at each RCPT too.
 * @returns The running listener.
 * @throws {TypeError} If options do not fit together, such as a certificate
 * without a key.
 * @throws {RangeError} If a number is out of its range.
 * @throws {Error} What the system says when a port is taken or a certificate is
 * not valid.
 *
 * @example Take one message
 * ```ts
 * import { newStaticAuthProvider, serveSmtp } from "@meowmail/smtpauth";
 *
 * await using server = serveSmtp(
 *   { port: 0, provider: newStaticAuthProvider({ ann: "secret" }) },
 *   async ({ envelope, body }) => {
 *     const octets = await new Response(body).arrayBuffer();
 *     console.log(envelope.user, "sends", octets.byteLength, "octets");
 *   },
 * );
 * console.log("listening on port", server.addrs[0]?.port);
 * ```
 * @category A whole listener
 */
export function serveSmtp(
  options: ServeSmtpOptions,
  to: Deliver | Destination,
): SmtpServer {
  return serveAt(openPorts, options, to);
}

/**
 * Serves as {@linkcode serveSmtp} does, on Node and Bun too, where ports cannot
 * be bound at once.
 *
 * @param options Those of `serveSmtp`.
 * @param to Takes the messages, as there.
 * @returns The running listener, once its ports are bound. Rejects with what
 * `serveSmtp` throws.
 *
 * @example On Deno, Node and Bun
 * ```ts
 * import { listenSmtp, newStaticAuthProvider } from "@meowmail/smtpauth";
 *
 * const server = await listenSmtp(
 *   { port: 0, provider: newStaticAuthProvider({ ann: "secret" }) },
 *   async ({ envelope, body }) => {
 *     const octets = await new Response(body).arrayBuffer();
 *     console.log(envelope.user, "sends", octets.byteLength, "octets");
 *   },
 * );
 * console.log("listening on port", server.addrs[0]?.port);
 * await server.shutdown();
 * ```
 * @category A whole listener
 */
export async function listenSmtp(
  options: ServeSmtpOptions,
  to: Deliver | Destination,
): Promise<SmtpServer> {
  if ("Deno" in globalThis) return serveSmtp(options, to);
  const settings = checkedSettings(options, to);
  const { openNodePorts } = await import("./node_ports.ts");
  return start(await openNodePorts(settings), settings, options, to);
}

/** Does so at ports of another kind, such as those without a network. */
export function serveAt(
  open: (settings: ListenerSettings) => Ports,
  options: ServeSmtpOptions,
  to: Deliver | Destination,
): SmtpServer {
  const settings = checkedSettings(options, to);
  return start(open(settings), settings, options, to);
}

function checkedSettings(
  options: ServeSmtpOptions,
  to: Deliver | Destination,
): ListenerSettings {
  const settings = checkedOptions(options);
  checkValue(ACTION, "to", aDestination, to);
  return settings;
}

/** Begins to serve at ports that are bound. */
function start(
  ports: Ports,
  settings: ListenerSettings,
  options: ServeSmtpOptions,
  to: Deliver | Destination,
): SmtpServer {
  const handlers = handlersOf(options, to);
  const report = options.onEvent && harmless(options.onEvent);
  const encryption = newEncryption(settings.certificate);
  const clients = new Clients(settings, {
    ...newContext(settings, typeof handlers === "object"),
    to: handlers,
    encrypt: (conn, early) => encryption.encrypt(conn, early),
    report,
  });
  const server = newServer({
    accepted: ports.accept({
      admit: (arrival) => clients.admit(arrival),
      report,
    }),
    close: ports.close,
    stop: () => clients.drain(),
    cut: () => clients.abort(),
    ended: () => clients.ended(),
    signal: options.signal,
  });
  if (!options.signal?.aborted) ports.addrs.forEach(harmless(options.onListen));

  const useCertificate = (certificate: Certificate) => {
    if (settings.certificate === undefined) {
      throw new TypeError("Cannot change the certificate: there is none");
    }
    ports.checkPair(certificate);
    encryption.useCertificate(certificate);
  };
  return { addrs: ports.addrs, useCertificate, ...server };
}

/** Who is asked about mail: nobody where a function takes all there is. */
function handlersOf(
  { onSender, onRecipient }: ServeSmtpOptions,
  to: Deliver | Destination,
): Deliver | MailHandlers {
  if (typeof to !== "function") {
    return { destination: to, onSender, onRecipient };
  }
  if (onSender === undefined && onRecipient === undefined) return to;
  const destination: Destination = { begin: () => ({ message: to }) };
  return { destination, onSender, onRecipient };
}

/** TLS on connections that are open, with a certificate that may change. */
function newEncryption(certificate: Certificate | undefined) {
  let encrypt: Encrypt = certificate === undefined
    ? () => Promise.reject(new Error("there is no certificate"))
    : newEncrypt(certificate);
  return {
    encrypt: (...args: Parameters<Encrypt>) => encrypt(...args),
    useCertificate(next: Certificate) {
      encrypt = newEncrypt(next);
    },
  };
}

/** What all connections share, as far as the settings say it. */
function newContext(settings: ListenerSettings, asksAboutMail: boolean) {
  const { certificate, idleTimeoutMs, greetingDelayMs, proxies } = settings;
  const tickMs = Math.min(
    proxies === undefined ? MAX_TICK_MS : PROXY_TICK_MS,
    Math.ceil(idleTimeoutMs / 10),
    Math.ceil((greetingDelayMs || Infinity) / 4),
  );
  return {
    rules: {
      serverName: settings.serverName,
      maxMessageOctets: settings.maxSize,
      authRequired: settings.requireAuth,
      asksAboutMail,
      mechanisms: settings.mechanisms,
      normalizeNewlines: settings.normalizeNewlines,
      maxRecipients: settings.maxRecipients,
      maxAuthFailures: settings.maxAuthFailures,
      startTls: certificate !== undefined,
    },
    provider: settings.provider,
    idleTimeoutMs,
    greetingDelayMs,
    transfers: newTransferSlots(TRANSFERS, TRANSFER_SLICE_MS),
    deadlines: newDeadlines(tickMs),
  };
}
