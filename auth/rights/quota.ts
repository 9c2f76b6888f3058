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
    const keys = meters.map(({ key }) => key);
    if (once !== undefined) keys.push(`once ${once}`);
    const at = this.#options.now();
    let excess: Excess | undefined;
    const reached = await this.#reached(async () => {
      await this.#times.update(keys, (times) => {
        const isCounted = times[meters.length] !== undefined;
        excess = isCounted
          ? undefined
          : excessOf(meters, times, at, recipients);
        if (isCounted || excess !== undefined) return times;
        const after: (number | undefined)[] = meters.map((meter, i) =>
          afterCharge(meter, times[i], at, unitsOf(meter, recipients))
        );
        if (once !== undefined) after.push(at + ONCE_MS);
        return after;
      });
      return true;
    });
    if (reached === undefined) return FREE;
    if (excess !== undefined) {
      await this.#tell(sender, excess.meter);
      return unitsOf(excess.meter, recipients) > excess.meter.most
        ? tooManyReply(excess, recipients)
        : excessReply(excess);
    }
    return { refund: () => this.#refund(meters, recipients, at) };
  }

  async #refund(
    meters: readonly Meter[],
    recipients: number,
    at: number,
  ): Promise<void> {
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

function isTime(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}
