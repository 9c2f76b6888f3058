/**
 * Where the command's mail goes: into a Maildir, to an HTTP endpoint, or to a
 * next hop.
 *
 * @module
 */

import { openMaildir } from "../delivery/maildir.ts";
import type { RelayEvent } from "../delivery/relay/options.ts";
import { systemReason } from "../lib/error_text.ts";
import type { Deliver } from "../smtp/delivery.ts";
import type { Destination } from "../smtp/destination.ts";
import type { LogEntry } from "./log.ts";
import type { Settings } from "./settings.ts";

/** Where mail goes, and what that holds open. */
export interface OpenDestination extends Disposable {
  readonly to: Deliver | Destination;
  /** Where a message can be found, for whoever has sent a first one. */
  readonly where: string;
  /** Takes a token from other settings. */
  readonly reload: (settings: Settings) => void;
}

/**
 * Opens what the settings name.
 *
 * @param settings What the command is to do.
 * @param serverName The name of this server, in `Received`.
 * @param log Is told what may be wrong with the way to the endpoint.
 * @param onEvent Is told what goes wrong at a next hop.
 * @throws {Error} If the Maildir can't be used, or proxies not kept away.
 */
export async function openDestination(
  settings: Settings,
  serverName: string,
  log: (entry: LogEntry) => void,
  onEvent: (event: RelayEvent) => void,
): Promise<OpenDestination> {
  const { relay, deliverUrl } = settings;
  if (relay !== undefined) {
    const { openNextHop } = await import("./next_hop.ts");
    return openNextHop(settings, relay, serverName, onEvent);
  }
  if (deliverUrl !== undefined) {
    const { openHttpDelivery } = await import("./http_delivery.ts");
    return openHttpDelivery(settings, deliverUrl, serverName, log);
  }
  return maildir(settings.maildir, serverName);
}

function maildir(path: string, serverName: string): OpenDestination {
  try {
    return {
      to: openMaildir(path, serverName),
      where: `${path}/new`,
      reload: () => {},
      [Symbol.dispose]: () => {},
    };
  } catch (cause) {
    const reason = systemReason(cause);
    throw new Error(`cannot use --maildir ${path}: ${reason}`, { cause });
  }
}
