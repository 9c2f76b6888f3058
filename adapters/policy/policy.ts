/**
 * What Postfix is told about a user who has logged in.
 *
 * @module
 */

import type { Quota } from "../../auth/rights/quota.ts";
import type { RightsMemory } from "../../auth/rights/rights_memory.ts";
import { newSenderRule, notYourAddress } from "../../auth/rights/senders.ts";
import type { SmtpReply } from "../../auth/replies.ts";
import type { PolicyAction, PolicyRequest } from "./protocol.ts";

/** What is known about users, and what they have sent. */
export interface Policy {
  readonly rights: RightsMemory;
  readonly quota: Quota;
  /** What becomes of a sender whose login nobody remembers. */
  readonly unknownUsers: "defer" | "pass";
}

/**
 * The longest instance that is believed, in UTF-16 units: Postfix's have about
 * thirty.
 */
const MAX_INSTANCE_UNITS = 100;

const UNKNOWN: PolicyAction = {
  reply: {
    code: 450,
    enhanced: "4.7.1",
    text: "Your login is not known here any more, log in again",
  },
  ifPermit: true,
};

/**
 * Decides about a request.
 *
 * @returns What Postfix is to do. Rejects if nobody can tell.
 */
export async function decide(
  { rights, quota, unknownUsers }: Policy,
  request: PolicyRequest,
): Promise<PolicyAction> {
  const { state, user, sender, remoteIp, recipients } = request;
  // Mail from other servers, or of a network that needs no login.
  if (user === "" || !ASKED.has(state)) return "DUNNO";
  const known = await rights.recall(user);
  if (state !== "END-OF-MESSAGE") {
    if (sender === "") return "DUNNO";
    if (known === undefined) return unknownUsers === "pass" ? "DUNNO" : UNKNOWN;
    const maySend = newSenderRule(known.senders)(sender);
    return maySend ? "DUNNO" : { reply: notYourAddress(sender) };
  }
  if (known === undefined) return "DUNNO";
  const outcome = await quota.charge(
    { user: known.user, limits: known.limits, remoteIp },
    Math.max(1, recipients),
    onceOf(request),
  );
  return isReply(outcome) ? { reply: outcome } : "DUNNO";
}

/** When a sender can be asked about, and when a message can be counted. */
const ASKED: ReadonlySet<string> = new Set(["MAIL", "RCPT", "END-OF-MESSAGE"]);

/** A name of the message: a request that is sent again counts nothing. */
function onceOf({ user, instance }: PolicyRequest): string | undefined {
  const isGiven = instance !== "" && instance.length <= MAX_INSTANCE_UNITS;
  return isGiven ? `${instance} ${user}` : undefined;
}

function isReply(outcome: object): outcome is SmtpReply {
  return "code" in outcome;
}
