/**
 * What Deno must permit, asked before anything is done: whoever starts the
 * command reads in one line what is missing, and is not asked in the middle.
 *
 * @module
 */

import { parseNextHop } from "../delivery/relay/next_hop.ts";
import { parseTokenUrl } from "../delivery/relay/options.ts";
import { hostPort } from "../lib/addresses.ts";
import { programFolder } from "./optional.ts";
import { present } from "./present.ts";
import type { SocketAddress } from "../net/address.ts";
import type { Settings } from "./settings.ts";
import { parseStatePlace } from "./state_place.ts";

/** A permission as Deno's flags have it: `--allow-net=127.0.0.1:2525`. */
interface Permission {
  readonly name: "net" | "read" | "write";
  /** Which one; absent for all of its name. */
  readonly value?: string;
}

/**
 * What is needed and not permitted.
 *
 * @param settings What the command is to do.
 * @returns What to say about it; absent if nothing is missing.
 */
export function lackOf(settings: Settings): string | undefined {
  const lacking = needs(settings).filter((permission) => !has(permission));
  const flags = [...Map.groupBy(lacking, ({ name }) => name)]
    .map(([name, list]) => flagOf(name, list.map(({ value }) => value)));
  if (lacksHostname(settings)) flags.push("--allow-sys=hostname");
  return flags.length === 0 ? undefined : sayLack(flags);
}

/** The same of the environment, without which there are no settings. */
export function lackOfVariables(variable: string): string | undefined {
  return mayListVariables() || isGranted({ name: "env", variable })
    ? undefined
    : sayLack(["--allow-env"]);
}

/** Whether all variables can be seen, those with a slip of the pen too. */
export function mayListVariables(): boolean {
  return isGranted({ name: "env" });
}

function sayLack(flags: readonly string[]): string {
  return `permissions are missing: add -P, or ${flags.join(" ")}`;
}

function flagOf(
  name: Permission["name"],
  values: readonly (string | undefined)[],
): string {
  const flag = `--allow-${name}`;
  return values.includes(undefined)
    ? flag
    : `${flag}=${[...new Set(values)].join()}`;
}

function needs(settings: Settings): Permission[] {
  const { users, authCa, authUrl, authDovecot, oauthIssuer } = settings;
  const { dovecotSocket, saslauthdSocket, policySocket } = settings;
  return [
    ...listenerNeeds(settings),
    ...stateNeeds(settings),
    ...[users, authCa].flatMap((path) =>
      path === undefined ? [] : [read(path)]
    ),
    ...(authUrl === undefined ? [] : [fetching(new URL(authUrl))]),
    ...(authDovecot === undefined ? [] : connecting(authDovecot)),
    ...(oauthIssuer === undefined ? [] : issuerNeeds(new URL(oauthIssuer))),
    ...[dovecotSocket, saslauthdSocket, policySocket].flatMap((at) =>
      at === undefined ? [] : listening(at, settings.socketGroup)
    ),
    ...(settings.nginxPort === undefined
      ? []
      : listening({ hostname: "127.0.0.1", port: settings.nginxPort })),
    ...metricsNeeds(settings),
  ];
}

function issuerNeeds(issuer: URL): Permission[] {
  return [...programNeeds(), fetching(issuer)];
}

function metricsNeeds(
  { metricsPort: port, metricsHost: hostname }: Settings,
): Permission[] {
  if (port === undefined) return [];
  return [...programNeeds(), ...listening({ hostname, port })];
}

/** What is loaded only where somebody wants it. */
function programNeeds(): Permission[] {
  const folder = programFolder();
  return folder === undefined ? [] : [read(folder)];
}

function listenerNeeds(settings: Settings): Permission[] {
  const { host, port, tlsPort, tlsCert, tlsKey } = settings;
  if (port === undefined) return [];
  // Certificate and key are tried together at any free port.
  const ports = tlsCert === undefined ? [port, tlsPort] : [port, tlsPort, 0];
  return [
    ...ports.flatMap((port) =>
      port === undefined ? [] : listening({ hostname: host, port })
    ),
    ...[tlsCert, tlsKey].flatMap((path) =>
      path === undefined ? [] : [read(path)]
    ),
    ...destinationNeeds(settings),
  ];
}

function destinationNeeds(settings: Settings): Permission[] {
  const { maildir, deliverUrl, relay, relayCa } = settings;
  const { relayOauthTokenUrl: tokenUrl } = settings;
  if (deliverUrl !== undefined) return [fetching(new URL(deliverUrl))];
  if (relay === undefined) return [read(maildir), write(maildir)];
  return [
    ...connecting(parseNextHop(relay)),
    ...(relayCa === undefined ? [] : [read(relayCa)]),
    ...(tokenUrl === undefined ? [] : [fetching(parseTokenUrl(tokenUrl).url)]),
  ];
}

function stateNeeds({ sharedState, sharedStateCa }: Settings): Permission[] {
  const place = parseStatePlace(sharedState);
  switch (place?.kind) {
    case "kv":
      return [read(place.path), write(place.path)];
    case "denokv":
      return [fetching(place.url)];
    case "redis": {
      const port = place.url.port === "" ? "6379" : place.url.port;
      const ca = sharedStateCa === undefined ? [] : [read(sharedStateCa)];
      return [...programNeeds(), net(`${place.url.hostname}:${port}`), ...ca];
    }
    default:
      return [];
  }
}

function fetching({ hostname, port, protocol }: URL): Permission {
  const byDefault = protocol === "https:" ? "443" : "80";
  return net(`${hostname}:${port === "" ? byDefault : port}`);
}

function connecting(at: SocketAddress): Permission[] {
  if (!("path" in at)) return [net(hostPort(at.hostname, at.port))];
  return [unix(at.path), read(at.path), write(at.path)];
}

/** Of a path that is relative Deno permits all or nothing. */
function unix(path: string): Permission {
  return net(path.startsWith("/") ? `unix:${path}` : undefined);
}

function listening(at: SocketAddress, group?: string): Permission[] {
  if (!("path" in at)) return connecting(at);
  // It is made in a folder beside its place.
  const beside = `${at.path}~`;
  const byName = group !== undefined && !/^[0-9]+$/.test(group);
  return [
    ...connecting(at),
    unix(`${beside}/s`),
    read(beside),
    write(beside),
    ...(byName ? [read("/etc/group")] : []),
  ];
}

function net(value: string | undefined): Permission {
  return { name: "net", ...present({ value }) };
}

function read(value: string): Permission {
  return { name: "read", value };
}

function write(value: string): Permission {
  return { name: "write", value };
}

function has({ name, value }: Permission): boolean {
  return isGranted(
    name === "net"
      ? { name, ...present({ host: value }) }
      : { name, ...present({ path: value }) },
  );
}

function lacksHostname({ port, hostname }: Settings): boolean {
  return port !== undefined && hostname === undefined &&
    !isGranted({ name: "sys", kind: "hostname" });
}

function isGranted(descriptor: Deno.PermissionDescriptor): boolean {
  return Deno.permissions.querySync(descriptor).state === "granted";
}
