/**
 * What is in a Maildir.
 *
 * @module
 */

import { textOf } from "./session.ts";

/** The names of the files in a folder of a Maildir, sorted. */
export function filesIn(
  maildir: string,
  folder: "tmp" | "new" | "cur",
): string[] {
  return [...Deno.readDirSync(`${maildir}/${folder}`)]
    .map(({ name }) => name)
    .sort();
}

/** The messages in `new/`, one character for each octet, in no certain order. */
export function messagesIn(maildir: string): string[] {
  return filesIn(maildir, "new")
    .map((name) => textOf(Deno.readFileSync(`${maildir}/new/${name}`)));
}

/** The one message in `new/`; throws if there are none or more. */
export function onlyMessageIn(maildir: string): string {
  const [message, ...more] = messagesIn(maildir);
  if (message === undefined || more.length > 0) {
    throw new Error(`There are ${messagesIn(maildir).length} messages`);
  }
  return message;
}

const TRACE =
  /^Return-Path: .*\r\n(?:X-Original-(?:To|User): .*\r\n)*Received: .*\r\n(?:\t.*\r\n)*/;

/**
 * What the client sent: a message without the lines in front of it. Where its
 * text begins at once, the empty line in front of that is ours too.
 */
export function withoutTrace(message: string): string {
  return message.replace(TRACE, "").replace(/^\r\n(?=.)/, "");
}
