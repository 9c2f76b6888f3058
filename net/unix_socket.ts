/**
 * Unix sockets for servers: who may connect, and what to do about a file that
 * is there already.
 *
 * @module
 */

import { needsDeno } from "../lib/needs_deno.ts";
import { integer, type Rule, text } from "../lib/options.ts";

/** The permission bits where none are said: owner and group may connect. */
export const DEFAULT_SOCKET_MODE = 0o660;

/** Where a unix socket is and who may connect to it. */
export interface UnixSocket {
  /** The path of the socket file. */
  readonly path: string;
  /** The permission bits of the file. */
  readonly mode: number;
  /** The group of the file: a number or a name; absent for our own. */
  readonly group?: number | string | undefined;
}

/** A bound socket. */
export interface BoundUnixSocket {
  /** The socket that accepts connections. */
  readonly listener: Deno.UnixListener;
  /** Takes the file away, unless another server has put its own there. */
  readonly remove: () => void;
}

/** The path of a socket file. */
export const aSocketPath: Rule = text(
  "the path of a socket file",
  (value) => value !== "" && !value.includes("\0"),
);

/** The permission bits of a socket file. */
export const aSocketMode: Rule = {
  ...integer(0, 0o777),
  is: "an integer from 0o000 to 0o777",
};

/** The group of a socket file. */
export const aSocketGroup: Rule = {
  is: "a group's name or number",
  test: (value) =>
    typeof value === "string"
      ? value !== ""
      : integer(0, 0xffff_fffe).test(value),
};

/**
 * Binds a unix socket. One that nobody serves any more is replaced; one that
 * somebody serves is not, nor is a file that is no socket.
 *
 * The file appears at once with its mode and group, and an old one is replaced
 * in one step: it is made in a folder that is shut to all others, and renamed.
 * Whatever the umask, nobody can connect before the mode says so.
 *
 * @throws {Error} If the place is taken or the system refuses.
 */
export async function listenUnix(
  { path, mode, group }: UnixSocket,
): Promise<BoundUnixSocket> {
  needsDeno("listen on a unix socket", "listen on hostname and port");
  const gid = group === undefined ? undefined : groupId(group);
  await refuseUnlessFree(path);
  const folder = `${path}~`;
  // Short, because the path of a socket has 107 octets at most.
  const inside = `${folder}/s`;
  // A start that was killed has left it, or another one is under way.
  if (lookAt(folder)?.isDirectory) {
    if (await refuseUnlessFree(inside)) Deno.removeSync(inside);
    Deno.removeSync(folder);
  }
  Deno.mkdirSync(folder, { mode: 0o700 });
  try {
    return bindInside(inside, path, mode, gid);
  } finally {
    remove(folder);
  }
}

/** Binds a socket where nobody else can get at it, and then puts it in place. */
function bindInside(
  inside: string,
  path: string,
  mode: number,
  gid: number | undefined,
): BoundUnixSocket {
  const listener = Deno.listen({ transport: "unix", path: inside });
  try {
    if (gid !== undefined) Deno.chownSync(inside, null, gid);
    Deno.chmodSync(inside, mode);
    const { ino } = Deno.lstatSync(inside);
    Deno.renameSync(inside, path);
    return { listener, remove: () => removeOwn(path, ino) };
  } catch (error) {
    listener.close();
    remove(inside);
    throw error;
  }
}

/** Throws if a path is taken; tells whether a dead socket is there. */
async function refuseUnlessFree(path: string): Promise<boolean> {
  const info = lookAt(path);
  if (info === undefined) return false;
  if (info.isSocket !== true) {
    throw new Error(`${path} is there already and is no socket`);
  }
  if (await isServed(path)) {
    throw new Deno.errors.AddrInUse(`another server listens on ${path}`);
  }
  return true;
}

async function isServed(path: string): Promise<boolean> {
  try {
    const conn = await Deno.connect({ transport: "unix", path });
    conn.close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) return false;
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function removeOwn(path: string, ino: number | null): void {
  if (lookAt(path)?.ino === ino) remove(path);
}

function lookAt(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function remove(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // A file left behind is replaced at the next start.
  }
}

/** The number of a group, which a file has in place of the name. */
function groupId(group: number | string): number {
  if (typeof group === "number") return group;
  if (/^[0-9]+$/.test(group)) return Number(group);
  for (const line of Deno.readTextFileSync("/etc/group").split("\n")) {
    const [name, , id] = line.split(":");
    if (name === group && id !== undefined) return Number(id);
  }
  throw new Error(`there is no group ${group} in /etc/group`);
}
