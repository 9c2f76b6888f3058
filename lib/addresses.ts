/**
 * Addresses of connections, as people and providers read them.
 *
 * @module
 */

/** An IP address without the prefix that IPv4 gets on an IPv6 socket. */
export function plainIp(address: string): string {
  if (!address.startsWith("::")) return address;
  const mapped = /^::ffff:([0-9]+(?:\.[0-9]+){3})$/i.exec(address);
  return mapped?.[1] ?? address;
}

/** Whether an address never leaves the machine. */
export function isLoopback(address: string): boolean {
  const ip = plainIp(address);
  return ip === "::1" || ip.startsWith("127.");
}

/** `host:port`, an IPv6 address in brackets. */
export function hostPort(hostname: string, port: number): string {
  return hostname.includes(":")
    ? `[${hostname}]:${port}`
    : `${hostname}:${port}`;
}
