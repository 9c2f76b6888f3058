/**
 * Values of flags and variables, read one by one.
 *
 * @module
 */

import {
  isIssuer,
  isIssuerURL,
  isOneScope,
} from "../auth/providers/oauth/names.ts";
import { parseNextHop } from "../delivery/relay/next_hop.ts";
import { parseTokenUrl } from "../delivery/relay/options.ts";
import { blockedPort } from "../lib/blocked_ports.ts";
import { isIp, parseNetwork } from "../lib/ip.ts";
import { aHost, aToken, MAX_TIMER_MS } from "../lib/options.ts";
import { hasControls } from "../lib/text.ts";
import { isServerName } from "../smtp/options.ts";
import { parseStatePlace, STATE_PLACES } from "./state_place.ts";
import type { HostPort, SocketAddress } from "../net/address.ts";

/** The user's mistake, in one line. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Where a value came from, as its giver calls it, and the value. */
export interface Given {
  /** The flag, the variable, or the variable that names a file. */
  readonly source: string;
  /** What was given; never empty. */
  readonly value: string;
  /** Whether it is to be repeated nowhere. */
  readonly secret: boolean;
}

/** Reads a value, or throws a {@linkcode UsageError}. */
export type Reader<T> = (given: Given) => T;

/** Anything. */
export function text({ value }: Given): string {
  return value;
}

/**
 * A whole number.
 *
 * @param or What else is accepted, by somebody else.
 */
export function whole(
  least: number,
  most: number = Number.MAX_SAFE_INTEGER,
  or: string = "",
): Reader<number> {
  const range = most === Number.MAX_SAFE_INTEGER
    ? `of at least ${least}`
    : `from ${least} to ${most}`;
  return (given) => {
    const { value } = given;
    const number = /^[0-9]{1,16}$/.test(value) ? Number(value) : -1;
    if (number >= least && number <= most) return number;
    throw refused(given, `a whole number ${range}${or}`);
  };
}

/** A time in milliseconds that timers take. */
export function milliseconds(least: number): Reader<number> {
  return whole(least, MAX_TIMER_MS);
}

/** A whole number, or nothing at all for `off`. */
export function wholeOrOff(
  least: number,
  most?: number,
): Reader<number | undefined> {
  const read = whole(least, most, ", or off");
  return (given) =>
    given.value.toLowerCase() === "off" ? undefined : read(given);
}

/** A port, or none; 0 for any free one. */
export const portOrOff: Reader<number | undefined> = wholeOrOff(0, 65_535);

/** One of some words. */
export function oneOf<const W extends string>(...words: W[]): Reader<W> {
  return (given) => {
    const word = words.find((word) => word === given.value);
    if (word !== undefined) return word;
    throw refused(given, words.join(" or "));
  };
}

/** Some words, each once and in any letter case, with commas between them. */
export function listOf<const W extends string>(
  words: readonly W[],
): Reader<readonly W[]> {
  return (given) => {
    const list = given.value.split(",").map((part) =>
      words.find((word) => word === part.trim().toUpperCase())
    );
    const known = list.filter((word) => word !== undefined);
    if (known.length === list.length && new Set(list).size === list.length) {
      return known;
    }
    throw refused(given, `${words.join(", ")} or some of them, each once`);
  };
}

const SWITCH_WORDS: ReadonlyMap<string, boolean> = new Map([
  ...["on", "true", "1", "yes"].map((word) => [word, true] as const),
  ...["off", "false", "0", "no"].map((word) => [word, false] as const),
]);

/** On or off. */
export function onOff(given: Given): boolean {
  const on = SWITCH_WORDS.get(given.value.toLowerCase());
  if (on !== undefined) return on;
  throw refused(given, "on/off, true/false, 1/0 or yes/no");
}

/** What has a slash is a path; everything else must be an address and a port. */
export function socketAddress(given: Given): SocketAddress {
  const { value } = given;
  if (value.includes("/")) return { path: value };
  const address = parseHostPort(value);
  if (address !== undefined) return address;
  throw refused(given, "a path with a slash in it, or host:port");
}

/** The same of who is there already: port 0 is nobody's. */
export function serverAddress(given: Given): SocketAddress {
  const address = socketAddress(given);
  if ("path" in address || address.port > 0) return address;
  throw refused(given, "a path with a slash in it, or host:port from port 1");
}

/** An IP address and a port that can be connected to. */
export function ipPort(given: Given): HostPort {
  const address = parseHostPort(given.value);
  if (address !== undefined && address.port > 0 && isIp(address.hostname)) {
    return address;
  }
  throw refused(given, "an IP address and a port");
}

/** `host:port`, an IPv6 address in brackets. */
function parseHostPort(value: string): HostPort | undefined {
  const [, bracketed, name, port = ""] =
    /^(?:\[([0-9A-Fa-f:.]+)\]|([\w.-]+)):([0-9]{1,5})$/.exec(value) ?? [];
  const hostname = bracketed ?? name;
  return hostname === undefined || Number(port) > 65_535
    ? undefined
    : { hostname, port: Number(port) };
}

/** Permission bits, in octal. */
export function octalMode(given: Given): number {
  if (/^0?[0-7]{3}$/.test(given.value)) return parseInt(given.value, 8);
  throw refused(given, "three octal digits, such as 660");
}

/** Networks, with commas between them. */
export function networks({ source, value }: Given): readonly string[] {
  const list = value.split(",");
  if (list.every((each) => parseNetwork(each) !== undefined)) return list;
  throw new UsageError(
    `${source} must be networks such as 192.0.2.0/24, with commas between them`,
  );
}

/**
 * An http(s) URL. Never repeated: it may hold credentials.
 *
 * @param tokenName The end of the variable that holds them rightly.
 */
export function url(tokenName: string): Reader<string> {
  return ({ source, value }) => {
    const parsed = URL.parse(value);
    if (parsed === null || !/^https?:$/.test(parsed.protocol)) {
      throw new UsageError(`${source} must be an http:// or https:// URL`);
    }
    if (parsed.username !== "" || parsed.password !== "") {
      throw new UsageError(
        `${source} must not contain credentials: use MEOWMAIL_SMTP_${tokenName}`,
      );
    }
    const blocked = blockedPort(parsed);
    if (blocked === undefined) return value;
    throw new UsageError(
      `${source} must have a port that fetch does not block: got ${blocked}`,
    );
  };
}

/** A next hop. Never repeated: it may hold credentials. */
export function nextHop({ source, value }: Given): string {
  try {
    parseNextHop(value);
    return value;
  } catch (error) {
    const rule = error instanceof Error ? error.message : "";
    throw new UsageError(rule.replace("Cannot create relay: url", source));
  }
}

/** A token endpoint. Never repeated, likewise. */
export function tokenEndpoint({ source, value }: Given): string {
  try {
    parseTokenUrl(value);
    return value;
  } catch (error) {
    const rule = error instanceof Error ? error.message : "";
    const said = "Cannot create relay: oauth.tokenUrl";
    throw new UsageError(rule.replace(said, source));
  }
}

/** The URL of an issuer. Never repeated: it may hold credentials. */
export function issuer({ source, value }: Given): string {
  if (isIssuer(value)) return value;
  throw new UsageError(
    `${source} must be ${PRIVATE_URL}, and without ? and #`,
  );
}

const PRIVATE_URL =
  "an https:// URL (or http:// on this machine) without credentials and with a port that fetch does not block";

/** Where tokens are asked about: where the issuer says, or at a URL. */
export function introspection(given: Given): string | true | undefined {
  const { source, value } = given;
  const word = SWITCH_WORDS.get(value.toLowerCase());
  if (word !== undefined) return word ? true : undefined;
  if (isIssuerURL(value)) return value;
  throw new UsageError(`${source} must be on, off or ${PRIVATE_URL}`);
}

/** One scope. */
export function oneScope(given: Given): string {
  if (isOneScope(given.value)) return given.value;
  throw refused(given, "one scope: visible ASCII without spaces");
}

/** Where a shared state is. Never repeated: it may hold a password. */
export function statePlace({ source, value }: Given): string {
  if (parseStatePlace(value) !== undefined) return value;
  throw new UsageError(`${source} must be ${STATE_PLACES}`);
}

/** What can stand in a header. */
export function token({ source, value }: Given): string {
  if (aToken.test(value)) return value;
  throw new UsageError(`${source} must be visible ASCII without spaces`);
}

/** A user name or a password that a client can send. */
export function credential({ source, value }: Given): string {
  if (!hasControls(value)) return value;
  throw new UsageError(`${source} must not contain control characters`);
}

/** The name of a server. */
export function serverName(given: Given): string {
  if (isServerName(given.value)) return given.value;
  throw refused(given, "a host name");
}

/** What can be listened on: an address, or a name that has one. */
export function hostName(given: Given): string {
  if (aHost.test(given.value)) return given.value;
  throw refused(given, "an IP address or a host name");
}

function refused(given: Given, accepted: string): UsageError {
  return new UsageError(`${given.source} must be ${accepted}${not(given)}`);
}

/** Repeats a value that is not accepted, unless it could be a URL or the like. */
function not({ value, secret }: Given): string {
  return !secret && /^[\p{L}\p{N}_ .,+-]{1,32}$/u.test(value)
    ? `, not "${value}"`
    : "";
}
