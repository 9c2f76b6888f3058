/**
 * How a connection ends: in answer to the client, under a read that is on its
 * way, or at once.
 *
 * What ends a connection depends on what it waits for (its phase):
 *
 * | it waits for               | the time is up                | the listener stops    | it is aborted        |
 * | -------------------------- | ----------------------------- | --------------------- | -------------------- |
 * | preamble                   | closed: idle                  | closed: shutdown      | closed: shutdown     |
 * | silence                    | the greeting                  | closed: shutdown      | closed: shutdown     |
 * | client                     | interrupted: idle or no-login | interrupted: shutdown | interrupted: shutdown |
 * | client, in a transaction   | the same                      | goes on to its end    | interrupted: shutdown |
 * | write                      | closed: idle or no-login      | goes on, then `421`   | closed: shutdown     |
 * | question                   | the question is aborted       | goes on, then `421`   | aborted, then `421`   |
 * | delivery                   | never                         | goes on, then `421`   | given up, then `421`  |
 * | end                        | closed                        | goes on               | closed               |
 *
 * Closed is without a word; interrupted is with the last reply of its ending
 * (`protocol/endings.ts`) under a read that is on its way. An ending of the
 * session's own comes in answer to what the client has sent.
 *
 * @module
 */

import type { ClosedReason } from "../auth/events.ts";
import { endWith, writeAll } from "../net/conn.ts";
import type { ConnectionParts } from "./connection_context.ts";
import type { Ending } from "./protocol/endings.ts";

/** Ends without a word. */
export function closeAtOnce(
  reason: ClosedReason,
  { transport, log }: ConnectionParts,
): void {
  log.closed(reason);
  transport.close();
}

/**
 * Says a last reply while a read is on its way, which ends when the client has
 * read it or its time is up.
 *
 * @returns Resolves once the reply is written. Never rejects.
 */
export function interrupt(
  ending: Ending,
  { transport, timer, log }: ConnectionParts,
): Promise<void> {
  log.closed(ending.reason);
  timer.beginEnd();
  transport.session.end(ending);
  return endWith(transport.conn, transport.session.takeOutput())
    .catch(() => transport.close());
}

/**
 * Writes what is left to write, closes our side, and gives the client time to
 * close its own. Never rejects.
 *
 * @param linger Whether it has that time.
 * @param parts The connection's.
 */
export async function closeGracefully(
  linger: boolean,
  { transport, timer, log }: ConnectionParts,
): Promise<void> {
  const { conn, session } = transport;
  timer.beginWrite(session.lacksLogin);
  const last = session.takeOutput();
  if (last.length === 0) timer.beginEnd();
  try {
    // On TLS this is the close_notify that clients wait for.
    if (linger || log.peer.tls) await endWith(conn, last);
    else if (last.length > 0) await writeAll(conn, last);
  } catch {
    return;
  }
  timer.beginEnd();
  if (linger) await transport.drain();
}
