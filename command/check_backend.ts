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
import { networkAdvice, withAdvice } from "./check_advice.ts";
import { proxyOnTheWay, readAuthority } from "./endpoint.ts";
import type { Settings } from "./settings.ts";

/** Connects to the endpoint, and has its certificate checked. */
export function checkEndpoint(
  { authUrl, authCa, authTimeout: limitMs }: Settings,
): Promise<Finding | undefined> {
  return tryUrl("--auth-url", authUrl, () => {
    const ca = authCa && readAuthority("--auth-ca", authCa);
    return { ca, limitMs, authority: "--auth-ca" };
  });
}

/** The same for where mail goes. */
export function checkDelivery(
  { deliverUrl, deliverTimeout: limitMs }: Settings,
): Promise<Finding | undefined> {
  return tryUrl("--deliver-url", deliverUrl, () => {
    // Deno's own variable, for what has no flag.
    return { ca: undefined, limitMs, authority: "DENO_CERT" };
  });
}

/** How to reach an endpoint. */
interface Way {
  /** A private authority in PEM. */
  readonly ca: string | undefined;
  /** Where one is given. */
  readonly authority: string;
  readonly limitMs: number;
}

async function tryUrl(
  flag: string,
  text: string | undefined,
  way: () => Way,
): Promise<Finding | undefined> {
  if (text === undefined) return undefined;
  try {
    return await tryWay(flag, text, way());
  } catch (error) {
    return { level: "error", text: withAdvice(systemReason(error)) };
  }
}

/**
 * Connects, and has the certificate checked, without a request: an endpoint may
 * take whatever it is sent for a login, and count it.
 */
async function tryWay(flag: string, text: string, way: Way): Promise<Finding> {
  // Never the whole URL: there may be a secret in it.
  const url = new URL(text);
  const encrypted = url.protocol === "https:";
  const hostname = bareHost(url.hostname);
  const port = Number(url.port) || (encrypted ? 443 : 80);
  const what = `${flag} ${hostPort(hostname, port)}`;
  const proxy = proxyOnTheWay(url);
  if (proxy !== undefined) {
    // There may be no other way there, nor need to be.
    const text = `${what}: not tried: the way there is the proxy of ${proxy}`;
    return { level: "warn", text };
  }
  const fault = await reach({ hostname, port }, encrypted, way);
  if (fault !== undefined) {
    const advice = networkAdvice(fault, way.authority);
    return { level: "error", text: `${what}: ${fault}: ${advice}` };
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
