/**
 * What the command lets each user send.
 *
 * @module
 */

import type { Store } from "../auth/state/store.ts";
import type { LimitReachedEvent } from "../auth/events.ts";
import type { SendingLimits } from "../auth/types.ts";
import type { Deliver } from "../smtp/delivery.ts";
import type { Destination } from "../smtp/destination.ts";
import { present } from "./present.ts";
import type { Settings } from "./settings.ts";

/** What holds for users whose login's answer says nothing else. */
export function sendingLimits(settings: Settings): SendingLimits {
  const { maxRecipientsPerDay, maxMessagesPerMinute } = settings;
  return present({
    recipientsPerDay: maxRecipientsPerDay,
    messagesPerMinute: maxMessagesPerMinute,
  });
}

/** What a limited destination needs beside the settings. */
export interface AroundLimits {
  /** Where the counts are. */
  readonly store: Store;
  /** Told of each user who reaches a limit. */
  readonly onEvent: (event: LimitReachedEvent) => void;
}

/**
 * Limits what users send to a destination, where anything may limit them: only
 * an endpoint can have limits of its own for a user.
 */
export async function limited(
  settings: Settings,
  to: Deliver | Destination,
  { store, onEvent }: AroundLimits,
): Promise<Deliver | Destination> {
  const limits = sendingLimits(settings);
  const isFree = Object.keys(limits).length === 0;
  if (isFree && settings.authUrl === undefined) return to;
  const { withSendingLimits } = await import("../smtp/sending_limits.ts");
  return withSendingLimits(to, { ...limits, store, onEvent });
}
