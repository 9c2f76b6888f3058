/**
 * Where a socket is, ours or another server's.
 *
 * @module
 */

/** A TCP port of a host. */
export interface HostPort {
  /** An IP address without brackets, or a host name. */
  readonly hostname: string;
  /** The port. */
  readonly port: number;
}

/** A socket: a unix socket's path, or a TCP port. */
export type SocketAddress = { readonly path: string } | HostPort;

/** What options say about an address. */
export interface AddressOptions {
  readonly path?: string;
  readonly port?: number;
  readonly hostname?: string;
}

/**
 * The address that options name, a port of this machine where they do not say
 * which host.
 *
 * @param action What was to be done: `serve Dovecot auth`.
 * @throws {TypeError} If they name none or two.
 */
export function addressOf(
  action: string,
  { path, port, hostname }: AddressOptions,
): SocketAddress {
  if (path !== undefined && port === undefined) {
    if (hostname === undefined) return { path };
    throw new TypeError(`Cannot ${action}: hostname needs port`);
  }
  if (path !== undefined || port === undefined) {
    throw new TypeError(`Cannot ${action}: either path or port must be given`);
  }
  return { hostname: hostname ?? "127.0.0.1", port };
}
