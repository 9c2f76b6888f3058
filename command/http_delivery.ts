/**
 * The endpoint that the command's mail goes to: `--deliver-url`.
 *
 * @module
 */

import { newHTTPDelivery } from "../delivery/http/delivery.ts";
import type { OpenDestination } from "./destination.ts";
import { MAIL, watchWay } from "./endpoint.ts";
import type { LogEntry } from "./log.ts";
import { present } from "./present.ts";
import type { Settings } from "./settings.ts";

/**
 * Opens the endpoint as a destination.
 *
 * @throws {Error} If proxies can't be kept away.
 */
export function openHttpDelivery(
  settings: Settings,
  url: string,
  serverName: string,
  log: (entry: LogEntry) => void,
): OpenDestination {
  watchWay(new URL(url), MAIL, log);
  const { deliverToken, deliverTimeout: timeoutMs } = settings;
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
