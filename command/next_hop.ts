/**
 * The next hop that the command hands mail on to: `--relay`.
 *
 * @module
 */

import type { RelayEvent } from "../delivery/relay/options.ts";
import { newRelay, type Relay } from "../delivery/relay/relay.ts";
import type { OpenDestination } from "./destination.ts";
import { readAuthority } from "./endpoint.ts";
import { present } from "./present.ts";
import type { Settings } from "./settings.ts";

/**
 * Opens the next hop as a destination.
 *
 * @throws {Error} If `--relay-ca` is of no use.
 */
export function openNextHop(
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
  const ca = settings.relayCa &&
    readAuthority("--relay-ca", settings.relayCa);
  const relay = newRelay({
    url,
    serverName,
    maxConnections: settings.relayMaxConnections,
    onEvent,
    ...present({ username, password, oauth, ca }),
  });
  return { relay, reload: (settings) => current = settings };
}
