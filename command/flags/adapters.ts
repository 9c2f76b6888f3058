/**
 * Flags: the adapters: other servers ask here.
 *
 * @module
 */

import type { HostPort, SocketAddress } from "../../net/address.ts";
import {
  ipPort,
  octalMode,
  portOrOff,
  socketAddress,
  text,
  token,
} from "../values.ts";
import type { Rows } from "./flag.ts";

/** What they set. */
export interface AdapterSettings {
  readonly dovecotSocket: SocketAddress | undefined;
  readonly saslauthdSocket: SocketAddress | undefined;
  readonly policySocket: SocketAddress | undefined;
  /** Permission bits; absent for the adapters' own default. */
  readonly socketMode: number | undefined;
  readonly socketGroup: string | undefined;
  readonly nginxPort: number | undefined;
  /** Where nginx takes clients: an IP address and a port. */
  readonly nginxUpstream: HostPort | undefined;
  readonly nginxSecret: string | undefined;
}

/** Their rows, in the order of the help. */
export const ADAPTERS_FLAGS: Rows<AdapterSettings> = {
  dovecotSocket: {
    placeholder: "PLACE",
    help: "path or host:port; Postfix and Exim ask here",
    read: socketAddress,
    byDefault: undefined,
  },
  saslauthdSocket: {
    placeholder: "PLACE",
    help: "path or host:port; Cyrus SASL asks here",
    read: socketAddress,
    byDefault: undefined,
  },
  policySocket: {
    placeholder: "PLACE",
    help: "path or host:port; Postfix's policy service",
    read: socketAddress,
    byDefault: undefined,
  },
  socketMode: {
    placeholder: "OCTAL",
    help: "permissions of these sockets",
    read: octalMode,
    byDefault: undefined,
    defaultText: "660",
  },
  socketGroup: {
    placeholder: "GROUP",
    help: "group of these sockets",
    read: text,
    byDefault: undefined,
    defaultText: "the process's",
  },
  nginxPort: {
    placeholder: "PORT",
    help: "nginx asks here (auth_http), on 127.0.0.1",
    read: portOrOff,
    byDefault: undefined,
  },
  nginxUpstream: {
    placeholder: "IP:PORT",
    help: "where nginx takes clients then",
    read: ipPort,
    byDefault: undefined,
  },
  nginxSecret: {
    secret: true,
    help: "what nginx must send as X-Auth-Key",
    read: token,
    byDefault: undefined,
  },
};
