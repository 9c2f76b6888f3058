/**
 * Which senders a login may use.
 *
 * @module
 */

import { asciiDomain } from "../../lib/domain.ts";
import { hasControls } from "../../lib/text.ts";
import type { SmtpReply } from "../replies.ts";

/** Tells whether a mailbox may stand in MAIL FROM. */
export type SenderRule = (sender: string) => boolean;

/**
 * Makes the rule for a list of senders.
 *
 * Domains are compared without letter case and as A-labels, local parts
 * exactly; `@domain` is the whole domain, without its subdomains.
 *
 * @param senders Addresses and domains; `undefined` for no rule at all.
 * @returns The rule. `""`, the sender of bounces, always passes.
 */
export function newSenderRule(
  senders: readonly string[] | undefined,
): SenderRule {
  if (senders === undefined) return () => true;
  const own = new Set(senders.map(comparable));
  own.delete(undefined);
  return (sender) => {
    if (sender === "") return true;
    const mailbox = comparable(sender);
    return mailbox !== undefined &&
      (own.has(mailbox) || own.has(mailbox.slice(mailbox.lastIndexOf("@"))));
  };
}

/** The refusal of a sender whom the user may not be. RFC 3463 section 3.8. */
export function notYourAddress(sender: string): SmtpReply {
  const text = `<${sender}> is not one of your addresses`;
  return { code: 550, enhanced: "5.7.1", text };
}

/** Whether something is a list of addresses and domains. */
export function isSenderList(value: unknown): value is readonly string[] {
  return Array.isArray(value) &&
    value.every((each) => typeof each === "string" && isSender(each));
}

/**
 * Whether something can stand in MAIL FROM, or is `@domain`: `Ann <ann@…>` and
 * two addresses in one would never be anybody's.
 */
function isSender(address: string): boolean {
  const mailbox = comparable(address);
  if (mailbox === undefined) return false;
  const at = mailbox.lastIndexOf("@");
  return !hasControls(mailbox) && LOCAL_PART.test(mailbox.slice(0, at)) &&
    DOMAIN.test(mailbox.slice(at + 1));
}

/** Nothing, a dot string or a quoted string: RFC 5321 section 4.1.2, RFC 6531. */
const LOCAL_PART = /^(?:[^\s"(),:;<>@[\\\]]*|".*")$/;

/** A-labels in lower case, or an address in brackets. */
const DOMAIN = /^(?:[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[a-z0-9:.]+\])$/;

/** An address, or `@domain`, in the form that is compared. */
function comparable(address: string): string | undefined {
  const at = address.lastIndexOf("@");
  if (at < 0) return undefined;
  const domain = asciiDomain(address.slice(at + 1));
  return domain === undefined || domain === ""
    ? undefined
    : `${address.slice(0, at)}@${domain}`;
}
