/**
 * Postfix's policy delegation protocol: octets to a request, and an action back
 * (Postfix's SMTPD_POLICY_README).
 *
 * @module
 */

import type { SmtpReply } from "../../auth/replies.ts";
import { plainIp } from "../../lib/addresses.ts";
import { concat } from "../../lib/octets.ts";

/**
 * The most octets of a request. Postfix sends about a thousand; sender and
 * recipient have at most 2,048 each, and so have the names in a certificate.
 */
export const MAX_REQUEST_OCTETS = 16_384;

const LF = 10;

/** What Postfix asks about, as far as it matters here. */
export interface PolicyRequest {
  /** At what the client is: `RCPT`, `END-OF-MESSAGE` … */
  readonly state: string;
  /** Who has logged in; `""` if nobody has. */
  readonly user: string;
  /** The sender's mailbox; `""` for `<>`. */
  readonly sender: string;
  /** How many recipients the message has; 0 before DATA. */
  readonly recipients: number;
  /** The mail client's address. */
  readonly remoteIp: string;
  /**
   * What all requests about a message have in common, and those about others
   * have not; `""` if Postfix does not say.
   */
  readonly instance: string;
}

/** What the octets so far amount to. */
export type PolicyRead =
  /** The request is not whole yet. */
  | { readonly kind: "more" }
  /** This is no request. */
  | { readonly kind: "bad"; readonly why: string }
  | { readonly kind: "request"; readonly request: PolicyRequest };

const MORE: PolicyRead = { kind: "more" };

/** Finds the requests in what a connection brings. */
export class PolicyReader {
  #held: Uint8Array = new Uint8Array();
  /** Where the end of the request may be, at the earliest. */
  #from = 0;

  /** Whether a request has begun. */
  get isInside(): boolean {
    return this.#held.length > 0;
  }

  /** Takes octets, which may be used again afterwards. */
  receive(octets: Uint8Array): void {
    this.#held = concat([this.#held, octets.slice()]);
  }

  /** Takes the next request out. */
  next(): PolicyRead {
    const held = this.#held;
    if (held[0] === LF) return { kind: "bad", why: "an empty request" };
    const end = this.#end();
    if ((end ?? held.length) > MAX_REQUEST_OCTETS) {
      return { kind: "bad", why: "a request that is too long" };
    }
    if (end === undefined) return MORE;
    this.#held = held.subarray(end + 2);
    this.#from = 0;
    return readPolicyRequest(new TextDecoder().decode(held.subarray(0, end)));
  }

  /** Where the empty line is that ends the request. */
  #end(): number | undefined {
    const held = this.#held;
    for (;;) {
      const at = held.indexOf(LF, this.#from);
      if (at < 0 || at + 1 === held.length) {
        this.#from = at < 0 ? held.length : at;
        return undefined;
      }
      if (held[at + 1] === LF) return at;
      this.#from = at + 1;
    }
  }
}

/** Reads the lines of a request: any order, unknown names, missing ones. */
function readPolicyRequest(text: string): PolicyRead {
  const values = new Map<string, string>();
  for (const line of text.split("\n")) {
    const at = line.indexOf("=");
    if (at < 1) return { kind: "bad", why: "a line that is no name=value" };
    values.set(line.slice(0, at), line.slice(at + 1));
  }
  const value = (name: string) => values.get(name) ?? "";
  if (value("request") !== "smtpd_access_policy") {
    return { kind: "bad", why: "a request that is not smtpd_access_policy" };
  }
  const count = value("recipient_count");
  if (!/^[0-9]{0,9}$/.test(count)) {
    return { kind: "bad", why: "a recipient_count that is no number" };
  }
  const request = {
    state: value("protocol_state"),
    user: value("sasl_username"),
    sender: value("sender"),
    recipients: Number(count),
    remoteIp: plainIp(value("client_address")),
    instance: value("instance"),
  };
  return { kind: "request", request };
}

/** What Postfix is to do. */
export type PolicyAction =
  /** Let the rules behind this one decide: `OK` would end the list. */
  | "DUNNO"
  /** Refuse; with `ifPermit`, only if no other rule refuses for good. */
  | { readonly reply: SmtpReply; readonly ifPermit?: true };

/** An action as it goes to Postfix: no text can end it early. */
export function formatPolicyAction(action: PolicyAction): string {
  if (action === "DUNNO") return "action=DUNNO\n\n";
  const { reply: { code, enhanced, text }, ifPermit } = action;
  const shown = text.replaceAll(/[^\x20-\x7e]/g, "?");
  const verb = ifPermit ? "DEFER_IF_PERMIT" : code;
  const words = enhanced === undefined
    ? [verb, shown]
    : [verb, enhanced, shown];
  return `action=${words.join(" ")}\n\n`;
}
