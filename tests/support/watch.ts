/**
 * A running command, looked at from outside: what it holds before a fault and
 * after it. Linux only.
 *
 * @module
 */

import { assertEquals } from "./assert.ts";
import { eventually } from "./eventually.ts";
import { type Listener, PASSWORD, USER } from "./listener.ts";
import { filesIn } from "./maildir.ts";
import { SmtpClient } from "../../testing/client.ts";

/** Whether there is a /proc to look into. */
export const watchable: boolean = Deno.build.os === "linux";

/** What a process holds. */
export interface Held {
  /** Open files, sockets among them. */
  readonly files: number;
  /** Resident memory, in KiB. */
  readonly rssKiB: number;
}

/** A command that is being watched. */
export interface Watch {
  readonly pid: number;
  /** What it held when it had served its first client. */
  readonly before: Held;
  /** What it holds now. */
  readonly held: () => Held;
  /**
   * Serves one more good client, and fails unless everything else has been
   * given back: files, connections, temporary files.
   */
  readonly assertRecovered: () => Promise<void>;
}

/** Serves a first good client and remembers what is held then. */
export async function watch(listener: Listener): Promise<Watch> {
  const said = await sendMail(listener.port, "first");
  // There is no other way to see it from here: names have the number in them.
  const pid = Number(/\.P([0-9]+)Q/.exec(said)?.[1]);
  const before = heldBy(pid);
  return {
    pid,
    before,
    held: () => heldBy(pid),
    async assertRecovered() {
      await sendMail(listener.port, "after the fault");
      await eventually(
        `no more than ${before.files} open files`,
        () => heldBy(pid).files <= before.files,
      );
      await eventually(
        "nothing in tmp/",
        () => filesIn(listener.maildir, "tmp").length === 0,
      );
    },
  };
}

/** One good client from the greeting to the end; returns the text of the 250. */
export async function sendMail(
  port: number,
  subject: string,
): Promise<string> {
  using client = await loggedIn(port);
  await client.envelope();
  await client.send(`Subject: ${subject}`, "", "whole", ".");
  const { lines: [said = ""] } = await client.expect("250 2.0.0");
  await client.command("QUIT", "221");
  await client.expectEnd();
  return said;
}

/** A client that has logged in. */
export async function loggedIn(port: number): Promise<SmtpClient> {
  const client = await SmtpClient.greeted(port);
  await client.login(USER, PASSWORD);
  return client;
}

/** What a process holds. Looks through a shell: for /proc Deno itself wants every permission. */
export function heldBy(pid: number): Held {
  const script = 'ls "/proc/$1/fd" | wc -l; grep VmRSS: "/proc/$1/status"';
  const { stdout } = new Deno.Command("sh", {
    args: ["-c", script, "sh", String(pid)],
    stderr: "null",
  }).outputSync();
  const [, files, rssKiB] = /^\s*(\d+)\s+VmRSS:\s+(\d+) kB/
    .exec(new TextDecoder().decode(stdout)) ?? [];
  return { files: Number(files), rssKiB: Number(rssKiB) };
}

/** No line of the log tells of a fault; a client that leaves is none. */
export function assertNoErrors(listener: Listener): void {
  const errors = listener.log()
    .filter(({ level, reason }) =>
      level === "error" && reason !== "client-gone"
    );
  assertEquals(errors, []);
}
