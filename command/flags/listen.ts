/**
 * Flags: where and how the listener listens.
 *
 * @module
 */

import {
  hostName,
  milliseconds,
  networks,
  onOff,
  portOrOff,
  serverName,
  whole,
} from "../values.ts";
import type { Rows } from "./flag.ts";

/** What they set. */
export interface ListenSettings {
  readonly host: string;
  /** Absent: no listener, only adapters. */
  readonly port: number | undefined;
  readonly reusePort: boolean;
  /** The name in the greeting; absent for the machine's own. */
  readonly hostname: string | undefined;
  readonly maxConnections: number;
  readonly maxConnectionsPerNetwork: number;
  /** Milliseconds. */
  readonly idleTimeout: number;
  /** Milliseconds. */
  readonly greetingDelay: number;
  /** Milliseconds. */
  readonly shutdownDelay: number;
  readonly proxyProtocol: boolean;
  readonly proxyProtocolFrom: readonly string[];
}

/** Their rows, in the order of the help. */
export const LISTEN_FLAGS: Rows<ListenSettings> = {
  host: {
    placeholder: "ADDRESS",
    help: "address to listen on",
    read: hostName,
    byDefault: "127.0.0.1",
  },
  port: {
    placeholder: "PORT",
    help: "port; 0: any free one; off: only adapters",
    read: portOrOff,
    byDefault: 2525,
  },
  reusePort: {
    help: "other processes may listen there too",
    read: onOff,
    byDefault: false,
  },
  hostname: {
    placeholder: "NAME",
    help: "name in the greeting",
    read: serverName,
    byDefault: undefined,
    defaultText: "the machine's",
  },
  maxConnections: {
    placeholder: "N",
    help: "clients served at a time",
    read: whole(1),
    byDefault: 10_000,
  },
  maxConnectionsPerNetwork: {
    placeholder: "N",
    help: "clients of one network (/24, /56) at a time",
    read: whole(1),
    byDefault: 200,
  },
  idleTimeout: {
    placeholder: "MS",
    help: "how long a client may be silent",
    read: milliseconds(1),
    byDefault: 300_000,
  },
  greetingDelay: {
    placeholder: "MS",
    help: "greet later; refuse clients that do not wait",
    read: milliseconds(0),
    byDefault: 0,
  },
  shutdownDelay: {
    placeholder: "MS",
    help: "how long to serve on after SIGTERM",
    read: milliseconds(0),
    byDefault: 0,
  },
  proxyProtocol: {
    help: "clients come through a proxy that says so",
    read: onOff,
    byDefault: false,
  },
  proxyProtocolFrom: {
    placeholder: "NETWORKS",
    help: "networks of that proxy",
    read: networks,
    byDefault: ["127.0.0.0/8", "::1"],
    defaultText: "127.0.0.0/8,::1",
  },
};
