/**
 * What `--check` finds out about whoever decides about logins: whether they can
 * be reached. Nobody logs in.
 *
 * @module
 */

import { faultOf, type NetworkFault } from "../lib/network_fault.ts";
import { bareHost, hostPort } from "../lib/addresses.ts";
import { race } from "../lib/race.ts";
import { systemReason } from "../lib/error_text.ts";
import type { SocketAddress } from "../net/address.ts";
import { isOwnMachine } from "../net/proxy_env.ts";
import { connectUpgradable } from "../net/tcp_client.ts";
import type { Finding } from "./check.ts";
import { withAdvice } from "./check_advice.ts";
import { readAuthority } from "./endpoint.ts";
import type { Settings } from "./settings.ts";

/** What to do about it. */
const ADVICE: Readonly<Record<NetworkFault, string>> = {
  "name not found": "is it spelt right?",
  refused: "nobody listens there",
  "host unreachable": "is there a route to it from this machine?",
  timeout: "is something in the way, or the time limit too short?",
  "certificate not trusted": "a private authority belongs into --auth-ca",
  "certificate for another name": "name it as it names itself",
  "certificate not valid now": "renew it, or set the clock of this machine",
  "TLS error": "does it speak TLS there, and 1.2 or 1.3?",
  reset: "is something else there, or a firewall in the way?",
  closed: "is something else there, or a firewall in the way?",
  "not HTTP": "is something else there?",
  failed: "is the URL right?",
};

/** Connects to the endpoint, and has its certificate checked. */
export async function checkEndpoint(
  { authUrl, authCa, authTimeout: limitMs }: Settings,
): Promise<Finding | undefined> {
  if (authUrl === undefined) return undefined;
  try {
    const ca = authCa && readAuthority("--auth-ca", authCa);
    return await tryUrl("--auth-url", authUrl, { ca, limitMs });
  } catch (error) {
    return { level: "error", text: withAdvice(systemReason(error)) };
  }
}

/** The same for where mail goes. */
export function checkDelivery(
  { deliverUrl, deliverTimeout: limitMs }: Settings,
): Promise<Finding | undefined> {
  return deliverUrl === undefined
    ? Promise.resolve(undefined)
    : tryUrl("--deliver-url", deliverUrl, { ca: undefined, limitMs });
}

/** How to reach an endpoint. */
interface Way {
  /** A private authority in PEM. */
  readonly ca: string | undefined;
  readonly limitMs: number;
}

async function tryUrl(flag: string, text: string, way: Way): Promise<Finding> {
  // Never the whole URL: there may be a secret in it.
  const url = new URL(text);
  const encrypted = url.protocol === "https:";
  const hostname = bareHost(url.hostname);
  const port = Number(url.port) || (encrypted ? 443 : 80);
  const what = `${flag} ${hostPort(hostname, port)}`;
  const fault = await reach({ hostname, port }, encrypted, way);
  if (fault !== undefined) {
    return { level: "error", text: `${what}: ${fault}: ${ADVICE[fault]}` };
  }
  if (encrypted) {
    return { level: "ok", text: `${what}: reached, its certificate is good` };
  }
  return isOwnMachine(url) ? { level: "ok", text: `${what}: reached` } : {
    level: "warn",
    text: `${what}: reached, but all goes there in plain text: use https`,
  };
}

/** Connects and leaves; says why that was not possible. */
async function reach(
  target: { readonly hostname: string; readonly port: number },
  encrypted: boolean,
  { ca, limitMs }: Way,
): Promise<NetworkFault | undefined> {
  const giveUp = new AbortController();
  let close = () => {};
  const raced = await race(async () => {
    const connection = await connectUpgradable(target, giveUp.signal);
    close = () => connection.close();
    if (encrypted) await connection.startTls(target.hostname, ca);
  }, { limit: limitMs });
  giveUp.abort();
  close();
  if (raced.kind === "broken") return faultOf(raced.error);
  return raced.kind === "done" ? undefined : "timeout";
}

/** Connects to Dovecot, and waits for its first line. */
export async function checkDovecot(
  { authDovecot, authTimeout }: Settings,
): Promise<Finding | undefined> {
  if (authDovecot === undefined) return undefined;
  const name = "path" in authDovecot
    ? authDovecot.path
    : hostPort(authDovecot.hostname, authDovecot.port);
  const what = `Dovecot ${name}`;
  let close = () => {};
  const raced = await race(async () => {
    const conn = await connect(authDovecot);
    close = () => conn.close();
    const space = new Uint8Array(64);
    const count = await conn.read(space) ?? 0;
    return new TextDecoder().decode(space.subarray(0, count));
  }, { limit: authTimeout });
  close();
  const fault = raced.kind === "broken"
    ? withAdvice(systemReason(raced.error))
    : raced.kind !== "done"
    ? "it says nothing: is it the socket auth-client?"
    : raced.value.startsWith("VERSION\t1\t")
    ? undefined
    : "it speaks another protocol: is it the socket auth-client?";
  return fault === undefined
    ? { level: "ok", text: `${what}: reached` }
    : { level: "error", text: `${what}: ${fault}` };
}

function connect(at: SocketAddress): Promise<Deno.Conn> {
  return "path" in at
    ? Deno.connect({ transport: "unix", path: at.path })
    : Deno.connect(at);
}
