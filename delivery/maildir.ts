/**
 * Keeps messages in a Maildir: once `deliver` has resolved, a message survives
 * whatever happens to this process and this machine.
 *
 * @module
 */

import { needsDeno } from "../lib/needs_deno.ts";
import { concat, free, gather } from "../lib/octets.ts";
import { aPath, checkValue } from "../lib/options.ts";
import type { BodyReader } from "../smtp/body_reader.ts";
import type { Deliver } from "../smtp/delivery.ts";
import { readBody } from "../smtp/listener_message.ts";
import { aServerName } from "../smtp/options.ts";
import * as replies from "../smtp/protocol/replies.ts";
import type { SmtpReply } from "../smtp/protocol/replies.ts";
import { makeFolders, newFolderSync } from "./folders.ts";
import { Front } from "./front.ts";
import { traceLines } from "./trace.ts";

const ACTION = "open Maildir";

/** Files in tmp/ that are older than this were left by a process that died. */
const STALE_MS = 36 * 60 * 60 * 1000;

/**
 * How much of a message is written without waiting, in octets. It goes to the
 * system's memory, which is quicker than asking another thread to do it; what
 * is larger might have to wait for the disk, and everybody else with it.
 */
const SYNC_OCTETS = 65_536;

const NEW_FILE = { write: true, createNew: true, mode: 0o600 };

/** What the system says when there is no room, by whatever limit. */
const NO_ROOM: ReadonlySet<unknown> = new Set(["ENOSPC", "EDQUOT", "EROFS"]);

/** Where small messages are put together, one after the other. */
const place = new Uint8Array(SYNC_OCTETS / 2);

const encoder = new TextEncoder();

/**
 * Opens a Maildir, creates it if needed, and cleans its tmp/.
 *
 * @param path The folder.
 * @param serverName The name of this server, for file names and trace lines.
 * Default: `localhost`.
 * @returns What takes messages. It answers `452 4.3.1` if there is no room, and
 * throws whatever else goes wrong.
 * @throws {TypeError} If the path is empty, or the name not a host name.
 * @throws {Error} What the system says if the folder can't be written to.
 *
 * @example A listener that keeps its mail
 * ```ts
 * import {
 *   newStaticAuthProvider,
 *   openMaildir,
 *   serveSmtp,
 * } from "@meowmail/smtpauth";
 *
 * const folder = await Deno.makeTempDir(); // /var/mail/outgoing
 * const provider = newStaticAuthProvider({ ann: "secret" });
 * const deliver = openMaildir(folder, "mail.example.org");
 * await using server = serveSmtp({ port: 0, provider }, deliver);
 * console.log("listening on port", server.addrs[0]?.port);
 * ```
 * @category A whole listener
 */
export function openMaildir(
  path: string,
  serverName: string = "localhost",
): Deliver {
  needsDeno(ACTION, "deliver by a function");
  checkValue(ACTION, "path", aPath, path);
  checkValue(ACTION, "serverName", aServerName, serverName);
  makeFolders(["tmp", "new", "cur"].map((folder) => `${path}/${folder}`));
  const nextName = newNames(serverName);
  probe(`${path}/tmp/${nextName().file}`);
  removeStale(`${path}/tmp`);
  const syncNew = newFolderSync(`${path}/new`);

  return async (message) => {
    const { envelope } = message;
    const { id, file } = nextName();
    const stamp = { serverName, id, date: new Date() };
    const head = encoder.encode(traceLines(envelope, stamp));
    const waiting = `${path}/tmp/${file}`;
    const kept = `${path}/new/${file}`;
    try {
      await writeFile(waiting, head, readBody(message));
      Deno.renameSync(waiting, kept);
      await syncNew();
    } catch (error) {
      // Not answered with 250: so it must not be found, wherever it is by now.
      remove(waiting);
      remove(kept);
      return refusal(error);
    }
    return { code: 250, enhanced: "2.0.0", text: `Queued as ${id}` };
  };
}

/** No room is for the client to know; everything else goes to the log. */
function refusal(error: unknown): SmtpReply {
  const code = error instanceof Error && "code" in error ? error.code : "";
  if (NO_ROOM.has(code)) return replies.storageFull;
  throw error;
}

/** Writes a file and flushes it to the disk. */
async function writeFile(
  path: string,
  head: Uint8Array,
  body: BodyReader,
): Promise<void> {
  const front = new Front(head);
  // Opened, written and closed in one go it costs less than bit by bit.
  let piece = await body.read();
  const file = Deno.openSync(path, NEW_FILE);
  try {
    for (let written = 0; piece !== null; piece = await body.read()) {
      const { length } = piece;
      // One write for a small message, as most are.
      const pieces = front.push(piece);
      if (written < SYNC_OCTETS) writeSync(file, gather(pieces, place));
      else await write(file, concat(pieces));
      if (body.isOwn) free(piece);
      written += length;
    }
    writeSync(file, concat(front.end()));
    await file.sync();
  } finally {
    file.close();
  }
}

function writeSync(file: Deno.FsFile, octets: Uint8Array): void {
  for (let written = 0; written < octets.length;) {
    written += file.writeSync(octets.subarray(written));
  }
}

async function write(file: Deno.FsFile, octets: Uint8Array): Promise<void> {
  for (let written = 0; written < octets.length;) {
    written += await file.write(octets.subarray(written));
  }
}

/** What a message is called: in replies and trace lines, and on the disk. */
interface Name {
  readonly id: string;
  readonly file: string;
}

/**
 * Names that no other process has: time, process and a count, and a random
 * part because containers share process numbers.
 */
function newNames(serverName: string): () => Name {
  const random = crypto.randomUUID().slice(0, 8);
  const host = serverName.replaceAll("/", "\\057").replaceAll(":", "\\072");
  let count = 0;
  return () => {
    const id = `${
      Math.floor(Date.now() / 1000)
    }.P${Deno.pid}Q${count++}R${random}`;
    return { id, file: `${id}.${host}` };
  };
}

/** Finds out at the start whether the folder can be written to. */
function probe(path: string): void {
  Deno.writeFileSync(path, new Uint8Array(), { createNew: true });
  Deno.removeSync(path);
}

function removeStale(folder: string): void {
  for (const { name, isFile } of Deno.readDirSync(folder)) {
    const path = `${folder}/${name}`;
    if (isFile && ageOf(path) > STALE_MS) remove(path);
  }
}

/** How old a file is, in milliseconds; 0 if another process has moved it. */
function ageOf(path: string): number {
  try {
    return Date.now() - (Deno.lstatSync(path).mtime?.getTime() ?? 0);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
}

/** Removes a file that may not be there. */
function remove(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // Not there, or not to be removed: what matters was said already.
  }
}
