/**
 * The ways into the listeners of a soak: one of them is behind a proxy, which
 * says where each client comes from.
 *
 * @module
 */

import type { Listener } from "../support/listener.ts";
import { SmtpClient } from "../../testing/client.ts";
import type { WayIn } from "../support/ways_in.ts";

/** One way in. */
export interface Entry {
  readonly way: WayIn;
  readonly port: number;
  /** Whether a header of the PROXY protocol is expected. */
  readonly isProxied: boolean;
}

/** All ways into a listener. */
export function entriesOf(
  { port, tlsPort }: Listener,
  isProxied: boolean,
): Entry[] {
  const implicit = isProxied ? "implicit TLS behind PROXY" : "implicit TLS";
  return [
    { way: "plain text", port, isProxied },
    { way: "STARTTLS", port, isProxied },
    { way: implicit, port: tlsPort, isProxied },
  ];
}

/** Connects, shakes hands and says EHLO. */
export async function enter(
  { way, port, isProxied }: Entry,
  header: string,
  trusted: string,
): Promise<SmtpClient> {
  const client = await SmtpClient.open(port);
  if (isProxied) await client.sendRaw(header);
  if (way.startsWith("implicit")) await client.beginTls(trusted);
  await client.expect("220");
  await client.command("EHLO client.example.net", "250");
  if (way !== "STARTTLS") return client;
  await client.startTls(trusted);
  await client.command("EHLO client.example.net", "250");
  return client;
}
