/**
 * Which limits hold for a sender, and what a client reads at one.
 *
 * @module
 */

import type { MemoryStore } from "../state/memory_store.ts";
import type { Store, StoreWrite } from "../state/store.ts";
import type { SmtpReply } from "../replies.ts";
import type { SendingLimits } from "../types.ts";
import { countingName } from "../user_name.ts";
import { type Rate, waitFor } from "./gcra.ts";

/** The name of a limit. */
export type LimitName = keyof SendingLimits;

/** In which time each limit drains, in milliseconds: as its name says. */
const WINDOWS_MS: Readonly<Record<LimitName, number>> = {
  recipientsPerDay: 86_400_000,
  messagesPerMinute: 60_000,
};

/** Whose mail is counted. */
export interface Sender {
  /** The user who has logged in; absent, or `""`, if nobody has. */
  readonly user?: string | undefined;
  /** The client's address, which is counted where there is no user. */
  readonly remoteIp: string;
  /** What the login's answer said: it wins over what holds for all. */
  readonly limits?: SendingLimits | undefined;
}

/** A limit that holds for a sender. */
export interface Meter extends Rate {
  readonly name: LimitName;
  /** Under which it is counted. */
  readonly key: string;
}

const NAMES = [
  "recipientsPerDay",
  "messagesPerMinute",
] as const satisfies readonly LimitName[];

const WORDS: Readonly<Record<LimitName, readonly [unit: string, per: string]>> =
  {
    recipientsPerDay: ["recipient", "a day"],
    messagesPerMinute: ["message", "a minute"],
  };

/**
 * The limits that hold for a sender.
 *
 * Users are counted in the form that all spellings of a name share: a back end
 * that takes more spellings than one would give each a limit of its own.
 *
 * @param sender Who.
 * @param limits What holds for all.
 */
export function metersOf(sender: Sender, limits: SendingLimits): Meter[] {
  const { user, remoteIp } = sender;
  const who = user === undefined || user === ""
    ? `address ${remoteIp}`
    : `user ${countingName(user)}`;
  return NAMES.flatMap((name) => {
    const most = sender.limits?.[name] ?? limits[name] ?? 0;
    if (most === 0) return [];
    return [{ name, key: `${name} ${who}`, most, windowMs: WINDOWS_MS[name] }];
  });
}

/**
 * Forgets what a user has sent, and that the log has told of it.
 *
 * @param store Where it is counted.
 * @param user The user.
 * @returns Whether there was something to forget.
 * @throws What the store throws.
 */
export async function forgetSent(store: Store, user: string): Promise<boolean> {
  const keys = NAMES.flatMap((name) => {
    const key = `${name} user ${countingName(user)}`;
    return [`l:${key}`, `l:told ${key}`];
  });
  let isThere = false;
  await store.update(keys, (values) => {
    isThere = values.some((value) => value !== undefined);
    return keys.filter((_, i) => values[i] !== undefined).map(forgotten);
  });
  return isThere;
}

/**
 * The same for all users, in the memory of one process.
 *
 * @returns How many values were forgotten.
 */
export function forgetAllSent(store: MemoryStore): number {
  const keys = [...store.keys()].filter((key) => key.startsWith("l:"));
  for (const key of keys) store.update([key], () => [forgotten(key)]);
  return keys.length;
}

function forgotten(key: string): StoreWrite {
  return { key, value: undefined, keepMs: 1, share: "limit" };
}

/** How much of a limit a message takes. */
export function unitsOf({ name }: Meter, recipients: number): number {
  return name === "recipientsPerDay" ? recipients : 1;
}

/** A limit that a message does not fit into, and for how long, in milliseconds. */
export interface Excess {
  readonly meter: Meter;
  readonly waitMs: number;
}

/**
 * The limit that a message must wait for longest; `undefined` if it fits.
 *
 * @param meters The sender's limits.
 * @param times When each will have drained, in the same order.
 * @param now Milliseconds since 1970.
 * @param recipients How many the message has.
 */
export function excessOf(
  meters: readonly Meter[],
  times: readonly (number | undefined)[],
  now: number,
  recipients: number,
): Excess | undefined {
  let worst: Excess | undefined;
  meters.forEach((meter, i) => {
    const units = unitsOf(meter, recipients);
    const waitMs = waitFor(meter, times[i], now, units);
    if (waitMs > (worst?.waitMs ?? 0)) worst = { meter, waitMs };
  });
  return worst;
}

/**
 * What the client reads where there will be room later. It is a temporary
 * failure, so that the message stays in the outbox (RFC 3463 section 3.8).
 */
export function excessReply({ meter, waitMs }: Excess): SmtpReply {
  const when = durationText(waitMs);
  return refusal(
    `Limit of ${limitText(meter)} is reached, try again in ${when}`,
  );
}

/** Likewise of a message with more recipients than a limit allows at all. */
export function tooManyReply({ meter }: Excess, recipients: number): SmtpReply {
  const many = counted(recipients, "recipient");
  return refusal(
    `Limit of ${limitText(meter)} is below the ${many} of this message`,
  );
}

function refusal(text: string): SmtpReply {
  return { code: 451, enhanced: "4.7.1", text };
}

/** A limit in words: `500 recipients a day`. */
export function limitText(
  { name, most }: Pick<Meter, "name" | "most">,
): string {
  const [unit, per] = WORDS[name];
  return `${counted(most, unit)} ${per}`;
}

function durationText(milliseconds: number): string {
  const seconds = Math.ceil(milliseconds / 1000);
  if (seconds < 120) return counted(seconds, "second");
  const minutes = Math.ceil(seconds / 60);
  if (minutes < 120) return counted(minutes, "minute");
  return counted(Math.ceil(minutes / 60), "hour");
}

function counted(count: number, unit: string): string {
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}
