/**
 * Where the command's mail goes: into a Maildir, to an HTTP endpoint, or to a
 * next hop.
 *
 * @module
 */

import { newHTTPDelivery } from "../delivery/http/delivery.ts";
import { openMaildir } from "../delivery/maildir.ts";
import type { RelayEvent } from "../delivery/relay/options.ts";
import { newRelay, type Relay } from "../delivery/relay/relay.ts";
import { systemReason } from "../lib/error_text.ts";
import type { Deliver } from "../smtp/delivery.ts";
import type { Destination } from "../smtp/destination.ts";
import { MAIL, watchWay } from "./endpoint.ts";
import type { LogEntry } from "./log.ts";
import { present } from "./present.ts";
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
export function openDestination(
  settings: Settings,
  serverName: string,
  log: (entry: LogEntry) => void,
  onEvent: (event: RelayEvent) => void,
): OpenDestination {
  const { relay, deliverUrl } = settings;
  if (relay !== undefined) {
    return nextHop(settings, relay, serverName, onEvent);
  }
  if (deliverUrl === undefined) return maildir(settings.maildir, serverName);
  watchWay(new URL(deliverUrl), MAIL, log);
  return endpoint(settings, deliverUrl, serverName);
}

function nextHop(
  settings: Settings,
  url: string,
  serverName: string,
  onEvent: (event: RelayEvent) => void,
): OpenDestination {
  const { relay, reload } = openRelay(settings, url, serverName, onEvent);
  return {
    to: relay,
    where: "the next hop",
    reload,
    [Symbol.dispose]: relay.close,
  };
}

/**
 * Makes the relay to the next hop. Password and client's secret are asked for
 * when they are needed: they may have changed.
 *
 * @throws {Error} If `--relay-ca` is of no use.
 */
export function openRelay(
  settings: Settings,
  url: string,
  serverName: string,
  onEvent: (event: RelayEvent) => void,
): { readonly relay: Relay; readonly reload: (settings: Settings) => void } {
  const { relayUser: username, relayOauthTokenUrl: tokenUrl } = settings;
  const { relayOauthClientId: clientId, relayOauthScope: scope } = settings;
  let current = settings;
  const oauth = tokenUrl === undefined || clientId === undefined ? undefined : {
    tokenUrl,
    clientId,
    clientSecret: () => current.relayOauthClientSecret ?? "",
    ...present({ scope }),
  };
  const password = settings.relayPass === undefined
    ? undefined
    : () => current.relayPass ?? "";
  const ca = settings.relayCa && readAuthority(settings.relayCa);
  const relay = newRelay({
    url,
    serverName,
    maxConnections: settings.relayMaxConnections,
    onEvent,
    ...present({ username, password, oauth, ca }),
  });
  return { relay, reload: (settings) => current = settings };
}

function readAuthority(path: string): string {
  try {
    const pem = Deno.readTextFileSync(path);
    if (pem.includes("-----BEGIN CERTIFICATE-----")) return pem;
    throw new Error("there is no certificate in it");
  } catch (cause) {
    const reason = systemReason(cause);
    throw new Error(`cannot use --relay-ca ${path}: ${reason}`, { cause });
  }
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
    to: deliver,
    where: "the endpoint",
    reload: (settings) => token = settings.deliverToken ?? token,
    [Symbol.dispose]: () => deliver[Symbol.dispose](),
  };
}
