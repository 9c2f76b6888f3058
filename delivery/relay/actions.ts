/**
 * What a session with the next hop asks of its connection.
 *
 * @module
 */

import type { SmtpReply } from "../../smtp/protocol/replies.ts";
import type { Failure } from "./failures.ts";

/** The commands of a transaction; `dot` is the end of a message. */
export type RelayCommand = "mail" | "rcpt" | "data" | "dot" | "rset" | "quit";

/** What the session wants of its connection next. */
export type RelayAction =
  /** Write the output, then read. */
  | { readonly kind: "needData" }
  /** Encrypt, then go on with `afterTls()`. */
  | { readonly kind: "startTls" }
  /** Close, and begin again on a connection that can be encrypted. */
  | { readonly kind: "redial" }
  /** Get a token for the login, then call `useToken`. */
  | { readonly kind: "getToken" }
  /** From now on there may be commands. */
  | { readonly kind: "opened" }
  /** The reply to the first command that has had none yet. */
  | {
    readonly kind: "reply";
    readonly command: RelayCommand;
    readonly reply: SmtpReply;
  }
  /** The session is over: close. */
  | { readonly kind: "failed"; readonly failure: Failure };
