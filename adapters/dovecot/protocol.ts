/**
 * The Dovecot authentication protocol, version 1.2: lines to values, values to
 * lines, for both ends.
 *
 * @module
 */

import { formatLine, type Line, readFields, readId } from "./lines.ts";

/** The version of the protocol that a server says here. */
const SERVER_VERSION = ["1", "2"] as const;

/** What a client of an authentication server says. */
export type DovecotCommand =
  | {
    readonly kind: "version";
    readonly major: number;
    readonly minor: number;
  }
  /** The process that asks. Processes of several hosts or containers clash. */
  | { readonly kind: "cpid" }
  | {
    readonly kind: "auth";
    readonly id: number;
    readonly mechanism: string;
    readonly fields: ReadonlyMap<string, string>;
    /** What follows `resp=`; absent if there is no such field. */
    readonly response?: string;
  }
  | { readonly kind: "cont"; readonly id: number; readonly response: string }
  | { readonly kind: "cancel"; readonly id: number }
  /** A line about one request that makes no sense; the others go on. */
  | {
    readonly kind: "badRequest";
    readonly id: number;
    readonly tooLong: boolean;
  }
  /** A line that makes no sense at all. */
  | { readonly kind: "bad"; readonly why: string };

/** Reads a client's line. Never throws. */
export function readCommand({ text, tooLong }: Line): DovecotCommand {
  const [command = "", ...args] = text.split("\t");
  if (command === "VERSION" && !tooLong) return readVersion(args);
  if (command === "CPID" && !tooLong) return { kind: "cpid" };
  if (command !== "AUTH" && command !== "CONT" && command !== "CANCEL") {
    return { kind: "bad", why: "unknown command" };
  }
  const [first, ...rest] = args;
  // Of a line that was too long the last field may be cut in two.
  const id = tooLong && rest.length === 0 ? undefined : readId(first);
  if (id === undefined) return { kind: "bad", why: `${command} without an id` };
  if (tooLong) return { kind: "badRequest", id, tooLong };
  if (command === "CANCEL") return { kind: "cancel", id };
  return command === "AUTH" ? readAuth(id, rest) : readCont(id, rest);
}

function readVersion([major = "", minor = ""]: string[]): DovecotCommand {
  return /^[0-9]{1,9}$/.test(major) && /^[0-9]{1,9}$/.test(minor)
    ? { kind: "version", major: Number(major), minor: Number(minor) }
    : { kind: "bad", why: "VERSION without numbers" };
}

function readAuth(id: number, [mechanism, ...rest]: string[]): DovecotCommand {
  if (mechanism === undefined) return badRequest(id);
  const at = rest.findIndex((field) => field.startsWith("resp="));
  // The response is the last field, so that nothing of it can pass for one.
  if (at >= 0 && at !== rest.length - 1) return badRequest(id);
  const fields = readFields(at < 0 ? rest : rest.slice(0, at));
  const response = rest[at]?.slice("resp=".length);
  return {
    kind: "auth",
    id,
    mechanism,
    fields,
    ...(response === undefined ? {} : { response }),
  };
}

function badRequest(id: number): DovecotCommand {
  return { kind: "badRequest", id, tooLong: false };
}

function readCont(id: number, args: string[]): DovecotCommand {
  const [response = "", ...more] = args;
  return more.length === 0 ? { kind: "cont", id, response } : badRequest(id);
}

/** What a server says of itself to each client. */
export interface ServerIdentity {
  /** Changes with each start of the server. */
  readonly serverId: number;
  /** Counts the connections. */
  readonly connectionId: number;
  /** 32 hex digits; Dovecot's own clients insist on them. */
  readonly cookie: string;
}

/**
 * The server's handshake. The mechanisms come before SPID, because Postfix
 * takes a socket whose SPID comes first for another kind of socket.
 */
export function formatServerHandshake(
  mechanisms: readonly string[],
  { serverId, connectionId, cookie }: ServerIdentity,
): string {
  return [
    formatLine("VERSION", ...SERVER_VERSION),
    ...mechanisms.map((name) => formatLine("MECH", name, "plaintext")),
    formatLine("SPID", String(serverId)),
    formatLine("CUID", String(connectionId)),
    formatLine("COOKIE", cookie),
    formatLine("DONE"),
  ].join("");
}

/** A challenge; the third field is there even when it is empty. */
export function formatCont(id: number, challenge: string): string {
  return formatLine("CONT", String(id), challenge);
}

/** Yes. */
export function formatOk(id: number, username: string): string {
  return formatLine("OK", String(id), `user=${username}`);
}

/**
 * No.
 *
 * @param username As far as it is known; `""` if not.
 * @param details Further fields. Postfix shows `reason=` to the mail client:
 * it must not tell whether the user exists.
 */
export function formatFail(
  id: number,
  username: string,
  ...details: readonly string[]
): string {
  return formatLine("FAIL", String(id), `user=${username}`, ...details);
}

/** What an authentication server says. */
export type DovecotReply =
  | { readonly kind: "version"; readonly major: number }
  | { readonly kind: "mech"; readonly mechanism: string }
  | { readonly kind: "done" }
  | {
    readonly kind: "ok" | "fail";
    readonly id: number;
    readonly fields: ReadonlyMap<string, string>;
  }
  | { readonly kind: "cont"; readonly id: number; readonly challenge: string }
  /** Something else, such as SPID and what later versions may say. */
  | { readonly kind: "other" };

/** Reads a server's line. Never throws. */
export function readReply({ text }: Line): DovecotReply {
  const [command = "", ...args] = text.split("\t");
  switch (command) {
    case "VERSION":
      return { kind: "version", major: Number(args[0] ?? NaN) };
    case "MECH":
      return { kind: "mech", mechanism: (args[0] ?? "").toUpperCase() };
    case "DONE":
      return { kind: "done" };
    case "OK":
    case "FAIL":
    case "CONT":
      return readAnswer(command, args);
    default:
      return { kind: "other" };
  }
}

function readAnswer(
  command: "OK" | "FAIL" | "CONT",
  [first, ...rest]: string[],
): DovecotReply {
  const id = readId(first);
  if (id === undefined) return { kind: "other" };
  if (command === "CONT") return { kind: "cont", id, challenge: rest[0] ?? "" };
  const kind = command === "OK" ? "ok" : "fail";
  return { kind, id, fields: readFields(rest) };
}

/** What a client says first; the process id only has to be a number. */
export function formatClientHandshake(processId: number): string {
  return formatLine("VERSION", "1", "1") +
    formatLine("CPID", String(processId));
}

/** A question; `resp=` comes last. */
export function formatAuth(
  id: number,
  mechanism: string,
  fields: readonly string[],
  response: string,
): string {
  return formatLine(
    "AUTH",
    String(id),
    mechanism,
    ...fields,
    `resp=${response}`,
  );
}

/** Nobody waits for the answer any more. */
export function formatCancel(id: number): string {
  return formatLine("CANCEL", String(id));
}
