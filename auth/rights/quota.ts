/**
 * Counting what users send, where several processes may count together.
 *
 * @module
 */

import { race } from "../../lib/race.ts";
import type { SmtpReply } from "../replies.ts";
import type { Store } from "../state/store.ts";
import { newStoreView, type StoreView, type Values } from "../state/view.ts";
import type { SendingLimits } from "../types.ts";
import { afterCharge, afterRefund } from "./gcra.ts";
import type { LimitReachedEvent } from "../events.ts";
import {
  type Excess,
  excessOf,
  excessReply,
  type Meter,
  metersOf,
  type Sender,
  tooManyReply,
  unitsOf,
} from "./sending_limits.ts";

/**
 * How long it is remembered that a message has been counted, in milliseconds.
 * Postfix asks again after a second if it got no answer.
 */
const ONCE_MS = 600_000;

/** How long a store that has failed is left alone, in milliseconds. */
const REST_MS = 5_000;

/** What a quota needs. */
export interface QuotaOptions {
  /** Where the counts are. */
  readonly store: Store;
  /** Milliseconds that it may take. */
  readonly storeTimeoutMs: number;
  /** What holds for who has no limits of their own. */
  readonly limits: SendingLimits;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Told of each sender who comes to a limit, once a window. */
  readonly report: (event: LimitReachedEvent) => void;
}

/** A message that is counted. */
export interface Charge {
  /** It was not sent after all. Never rejects. */
  refund(): Promise<void>;
}

/** A message, how it is counted, and when. */
interface Counted {
  readonly meters: readonly Meter[];
  readonly recipients: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** A name of the message, if it has one. */
  readonly once: string | undefined;
}

const FREE: Charge = { refund: () => Promise.resolve() };

/**
 * The counts of all senders. Where they are out of reach, everything passes:
 * an outage of the counts must not be one of the mail.
 */
export class Quota {
  readonly #options: QuotaOptions;
  readonly #times: StoreView<number>;
  #failedAt: number | undefined;

  /** @param options Where and how to count. */
  constructor(options: QuotaOptions) {
    this.#options = options;
    this.#times = newStoreView(options.store, {
      prefix: "l:",
      isValue: isTime,
      keepMs: (time) => Math.max(1, Math.ceil(time - options.now())),
      share: () => "limit",
    });
  }

  /**
   * Whether a message would fit. Never rejects.
   *
   * @param sender Who would send it.
   * @param recipients How many it would have.
   * @returns The refusal; `undefined` if it fits.
   */
  async ask(
    sender: Sender,
    recipients: number,
  ): Promise<SmtpReply | undefined> {
    const meters = metersOf(sender, this.#options.limits);
    if (meters.length === 0) return undefined;
    const times = await this.#reached(() =>
      this.#times.read(meters.map(({ key }) => key))
    );
    const excess = times &&
      excessOf(meters, times, this.#options.now(), recipients);
    if (excess === undefined) return undefined;
    await this.#tell(sender, excess.meter);
    return excessReply(excess);
  }

  /**
   * Counts a message, if it fits: nobody comes between looking and counting.
   * Never rejects.
   *
   * @param sender Who sends it.
   * @param recipients How many it has.
   * @param once A name of the message: what is counted under it already is not
   * counted again.
   * @returns The refusal, or the charge.
   */
  async charge(
    sender: Sender,
    recipients: number,
    once?: string,
  ): Promise<SmtpReply | Charge> {
    const meters = metersOf(sender, this.#options.limits);
    if (meters.length === 0) return FREE;
    const at = this.#options.now();
    const counted = await this.#count({ meters, recipients, at, once });
    if (counted === undefined) return FREE;
    if (counted === true) {
      return { refund: () => this.#refund({ meters, recipients, at, once }) };
    }
    await this.#tell(sender, counted.meter);
    return unitsOf(counted.meter, recipients) > counted.meter.most
      ? tooManyReply(counted, recipients)
      : excessReply(counted);
  }

  /** Whether all of it is counted, or why nothing; `undefined` if out of reach. */
  async #count(message: Counted): Promise<true | Excess | undefined> {
    const { meters, once } = message;
    const keys = meters.map(({ key }) => key);
    if (once !== undefined) keys.push(`once ${once}`);
    let excess: Excess | undefined;
    const reached = await this.#reached(async () => {
      await this.#times.update(keys, (times) => {
        const after = afterMessage(message, times);
        excess = "waitMs" in after ? after : undefined;
        return "waitMs" in after ? times : after;
      });
      return true;
    });
    return reached === undefined ? undefined : excess ?? true;
  }

  async #refund({ meters, recipients, at }: Counted): Promise<void> {
    const now = this.#options.now();
    await this.#reached(() =>
      this.#times.update(
        meters.map(({ key }) => key),
        (times): Values<number> =>
          meters.map((meter, i) =>
            afterRefund(meter, times[i], now, unitsOf(meter, recipients), at)
          ),
      )
    );
  }

  /** Says to the log who is at a limit, if it has not been said in this window. */
  async #tell(
    { user, remoteIp }: Sender,
    { key, name: limit, most, windowMs }: Meter,
  ): Promise<void> {
    const now = this.#options.now();
    let isNews = false;
    await this.#reached(() =>
      this.#times.update([`told ${key}`], (times) => {
        isNews = (times[0] ?? 0) <= now;
        return isNews ? [now + windowMs] : times;
      })
    );
    if (!isNews) return;
    this.#options.report({
      kind: "limitReached",
      ...(user === undefined ? {} : { username: user }),
      remoteIp,
      limit,
      most,
    });
  }

  /** What the store answers; `undefined` if it is out of reach. */
  async #reached<T>(ask: () => T | Promise<T>): Promise<T | undefined> {
    const failedAt = this.#failedAt ?? -Infinity;
    if (performance.now() - failedAt < REST_MS) return undefined;
    const limit = this.#options.storeTimeoutMs;
    const raced = await race(ask, { limit });
    if (raced.kind === "done") return raced.value;
    this.#failedAt = performance.now();
    return undefined;
  }
}

/** The times once a message is counted too; or the limit that it is over. */
function afterMessage(
  { meters, recipients, at, once }: Counted,
  times: Values<number>,
): Values<number> | Excess {
  const isCounted = times[meters.length] !== undefined;
  if (isCounted) return times;
  const excess = excessOf(meters, times, at, recipients);
  if (excess !== undefined) return excess;
  const after = meters.map((meter, i) =>
    afterCharge(meter, times[i], at, unitsOf(meter, recipients))
  );
  return once === undefined ? after : [...after, at + ONCE_MS];
}

function isTime(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}
