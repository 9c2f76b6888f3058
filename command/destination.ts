/**
 * Where the command's mail goes: into a Maildir, or to an HTTP endpoint.
 *
 * @module
 */

import { newHTTPDelivery } from "../delivery/http/delivery.ts";
import { openMaildir } from "../delivery/maildir.ts";
import { systemReason } from "../lib/error_text.ts";
import type { Deliver } from "../smtp/delivery.ts";
import { MAIL, watchWay } from "./endpoint.ts";
import type { LogEntry } from "./log.ts";
import { present } from "./present.ts";
import type { Settings } from "./settings.ts";

/** Where mail goes, and what that holds open. */
export interface OpenDestination extends Disposable {
  readonly deliver: Deliver;
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
 * @throws {Error} If the Maildir can't be used, or proxies not kept away.
 */
export function openDestination(
  settings: Settings,
  serverName: string,
  log: (entry: LogEntry) => void,
): OpenDestination {
  const { deliverUrl } = settings;
  if (deliverUrl === undefined) return maildir(settings.maildir, serverName);
  watchWay(new URL(deliverUrl), MAIL, log);
  return endpoint(settings, deliverUrl, serverName);
}

function maildir(path: string, serverName: string): OpenDestination {
  try {
    return {
      deliver: openMaildir(path, serverName),
      where: `${path}/new`,
      reload: () => {},
      [Symbol.dispose]: () => {},
    };
  } catch (cause) {
    const reason = systemReason(cause);
    throw new Error(`cannot use --maildir ${path}: ${reason}`, { cause });
  }
}

function endpoint(
  { deliverToken, deliverTimeout: timeoutMs }: Settings,
  url: string,
  serverName: string,
): OpenDestination {
  let token = deliverToken ?? "";
  const bearerToken = deliverToken === undefined ? undefined : () => token;
  const options = { url, timeoutMs, serverName };
  const deliver = newHTTPDelivery({ ...options, ...present({ bearerToken }) });
  return {
    deliver,
    where: "the endpoint",
    reload: (settings) => token = settings.deliverToken ?? token,
    [Symbol.dispose]: () => deliver[Symbol.dispose](),
  };
}
