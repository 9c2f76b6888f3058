/**
 * Values of flags and variables, read one by one.
 *
 * @module
 */

import { isServerName } from "../smtp/options.ts";

/** The user's mistake, in one line. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Where a value came from, as its giver calls it, and the value. */
export interface Given {
  readonly source: string;
  readonly value: string;
}

/** A socket: a unix socket's path, or an address and a port. */
export type SocketAddress =
  | { readonly path: string }
  | { readonly hostname: string; readonly port: number };

/** The largest delay that timers take, in milliseconds. */
export const MAX_MS = 2_147_483_647;

/** What has a slash is a path; everything else must be an address and a port. */
export function readPlace(given: Given): SocketAddress {
  const { source, value } = given;
  if (value.includes("/")) return { path: value };
  const place = readHostPort(value);
  if (place !== undefined) return place;
  throw new UsageError(
    `${source} must be a path with a slash in it, or host:port${not(given)}`,
  );
}

/** `host:port`, an IPv6 address in brackets. */
export function readHostPort(
  text: string,
): { readonly hostname: string; readonly port: number } | undefined {
  const [, bracketed, name, port = ""] =
    /^(?:\[([0-9A-Fa-f:.]+)\]|([\w.-]+)):([0-9]{1,5})$/.exec(text) ?? [];
  const hostname = bracketed ?? name;
  return hostname === undefined || Number(port) > 65_535
    ? undefined
    : { hostname, port: Number(port) };
}

/** Permission bits, in octal. */
export function readMode(given: Given | undefined): number | undefined {
  if (given === undefined) return undefined;
  if (/^0?[0-7]{3}$/.test(given.value)) return parseInt(given.value, 8);
  throw new UsageError(
    `${given.source} must be three octal digits, such as 660${not(given)}`,
  );
}

/** An http(s) URL. Never shown: it may hold credentials. */
export function readURL({ source, value }: Given): string {
  const url = URL.parse(value);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new UsageError(`${source} must be an http:// or https:// URL`);
  }
  if (url.username !== "" || url.password !== "") {
    throw new UsageError(
      `${source} must not contain credentials: use MEOWMAIL_SMTP_AUTH_TOKEN`,
    );
  }
  return value;
}

/** What can stand in a header. Never shown. */
export function readToken({ source, value }: Given): string {
  if (/^[\x21-\x7e]+$/.test(value)) return value;
  throw new UsageError(`${source} must be visible ASCII without spaces`);
}

/** A whole number; `undefined` if none was given. */
export function readNumber(
  given: Given | undefined,
  least = 1,
  most: number = Number.MAX_SAFE_INTEGER,
): number | undefined {
  if (given === undefined) return undefined;
  const { source, value } = given;
  const number = /^[0-9]{1,16}$/.test(value) ? Number(value) : -1;
  if (number >= least && number <= most) return number;
  const range = most === Number.MAX_SAFE_INTEGER
    ? `of at least ${least}`
    : `from ${least} to ${most}`;
  throw new UsageError(
    `${source} must be a whole number ${range}${not(given)}`,
  );
}

/** On or off; `undefined` if neither was said. */
export function readSwitch(given: Given | undefined): boolean | undefined {
  if (given === undefined) return undefined;
  switch (given.value.toLowerCase()) {
    case "on":
    case "true":
    case "1":
    case "yes":
      return true;
    case "off":
    case "false":
    case "0":
    case "no":
      return false;
    default:
      throw new UsageError(
        `${given.source} must be on/off, true/false, 1/0 or yes/no${
          not(given)
        }`,
      );
  }
}

/** The name of a server. */
export function readName(given: Given | undefined): string | undefined {
  if (given === undefined || isServerName(given.value)) return given?.value;
  throw new UsageError(
    `${given.source} must be a host name${not(given)}`,
  );
}

/** Repeats a value that is not accepted, unless it could be a URL or the like. */
export function not(given: Given | undefined): string {
  const value = given?.value ?? "";
  return /^[\p{L}\p{N}_ .+-]{1,32}$/u.test(value) ? `, not "${value}"` : "";
}

/** What can be listened on: an address, or a name that has one. */
export function readHost(given: Given | undefined): string | undefined {
  if (given === undefined || /^[\w.:%-]{1,255}$/.test(given.value)) {
    return given?.value;
  }
  throw new UsageError(
    `${given.source} must be an IP address or a host name${not(given)}`,
  );
}
