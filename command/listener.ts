/**
 * The listener that the command opens, or which flag is to blame.
 *
 * @module
 */

import type { AuthProvider } from "../auth/types.ts";
import { hostPort } from "../lib/addresses.ts";
import { systemReason } from "../lib/error_text.ts";
import type { Deliver } from "../smtp/delivery.ts";
import type { Destination } from "../smtp/destination.ts";
import type { SmtpEvent } from "../smtp/events.ts";
import { serveSmtp, type SmtpServer } from "../smtp/listener.ts";
import {
  certificateFiles,
  pairFault,
  pairOf,
  readCertificate,
} from "./certificate.ts";
import { offerOf } from "./mechanisms.ts";
import { present } from "./present.ts";
import type { Settings } from "./settings.ts";

/** Who decides, who takes mail, and who is told. */
export interface Around {
  readonly provider: AuthProvider;
  readonly to: Deliver | Destination;
  readonly onEvent: (event: SmtpEvent) => void;
}

/** What a listener is to be like: its first port and its name are known. */
export interface ListenerSettings extends Settings {
  readonly port: number;
  readonly serverName: string;
}

/**
 * Opens the listener.
 *
 * @param settings What it is to be like.
 * @param around Whom it works for.
 * @throws {Error} Which flag's file or port can't be had, and why.
 */
export function openListener(
  settings: ListenerSettings,
  { provider, to, onEvent }: Around,
): SmtpServer {
  const { host, port, serverName, tlsPort } = settings;
  const { proxyProtocol, proxyProtocolFrom } = settings;
  const files = certificateFiles(settings);
  const certificate = files && readCertificate(files);
  return or(() =>
    serveSmtp({
      provider,
      hostname: host,
      port,
      reusePort: settings.reusePort,
      ...present({ tlsPort, trustedNetworks: settings.trustedNetworks }),
      ...certificate,
      serverName,
      mechanisms: offerOf(settings),
      requireAuth: settings.requireAuth,
      allowInsecureAuth: settings.allowInsecureAuth,
      maxAuthFailures: settings.maxAuthFailures,
      normalizeNewlines: settings.normalizeNewlines,
      maxRecipients: settings.maxRecipients,
      maxSize: settings.maxSize,
      maxConnections: settings.maxConnections,
      maxConnectionsPerNetwork: settings.maxConnectionsPerNetwork,
      idleTimeoutMs: settings.idleTimeout,
      greetingDelayMs: settings.greetingDelay,
      ...(proxyProtocol ? { proxyProtocolFrom } : {}),
      onEvent,
    }, to), (error) => whyNot(settings, error));
}

/**
 * Which address, port or file it was. Each is tried once more: nothing waits
 * for it.
 */
function whyNot(settings: ListenerSettings, error: unknown): string {
  const { host, port, tlsPort } = settings;
  const places = [
    // Where no port is free, it is no port's fault.
    [`--host ${host}`, 0],
    [`--port ${hostPort(host, port)}`, port],
    [`--tls-port ${hostPort(host, tlsPort ?? 0)}`, tlsPort],
  ] as const;
  for (const [place, wanted] of places) {
    if (wanted === undefined) continue;
    try {
      Deno.listen({ hostname: host, port: wanted }).close();
    } catch (error) {
      return `cannot listen on ${place}: ${systemReason(error)}`;
    }
  }
  const files = certificateFiles(settings);
  return files === undefined
    ? `cannot listen: ${systemReason(error)}`
    : `cannot use ${pairOf(files)}: ${pairFault(error)}`;
}

/** Does what may fail for reasons of the machine's, and says what it was. */
function or<T>(work: () => T, fault: (error: unknown) => string): T {
  try {
    return work();
  } catch (cause) {
    throw new Error(fault(cause), { cause });
  }
}
