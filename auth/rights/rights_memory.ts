/**
 * What logins have said about users, for those who are asked about them later
 * and cannot ask for a password.
 *
 * @module
 */

import type { Store } from "../state/store.ts";
import { newStoreView, type StoreView } from "../state/view.ts";
import { isLimits, isObject, type Untrusted } from "../results.ts";
import type { Accepted, SendingLimits } from "../types.ts";
import { MAX_NAME_UNITS } from "../user_name.ts";

/**
 * How long an answer is remembered, in milliseconds: half a day. Whoever sends
 * has logged in minutes before; a connection may stay open all day.
 */
export const RIGHTS_KEEP_MS = 43_200_000;

/**
 * How old an answer may be that is not written again although it says the same,
 * in milliseconds: most logins change nothing, and need not write.
 */
const RENEW_MS = 3_600_000;

/** The most octets of an answer as JSON: databases take no more than 64 KiB. */
const MAX_OCTETS = 32_768;

/** What a login's answer has said. */
export interface Rights {
  /** The user's canonical name. */
  readonly user: string;
  /** Who the user may be in MAIL FROM; absent: anybody. */
  readonly senders?: readonly string[];
  /** How much the user may send; absent: what holds for all. */
  readonly limits?: SendingLimits;
}

/** With the time when it was written, in milliseconds since 1970. */
interface Remembered {
  readonly rights: Rights;
  readonly at: number;
}

/**
 * What all logins have said.
 *
 * A canonical name is the back end's own, a typed one may be anything: they are
 * kept apart, and the canonical one wins.
 */
export class RightsMemory {
  readonly #answers: StoreView<Remembered>;
  readonly #now: () => number;

  /**
   * @param store Where it is kept.
   * @param now Milliseconds since 1970.
   */
  constructor(store: Store, now: () => number) {
    this.#now = now;
    this.#answers = newStoreView(store, {
      prefix: "r:",
      isValue: isRemembered,
      keepMs: () => RIGHTS_KEEP_MS,
      share: () => "right",
    });
  }

  /**
   * Notes what an answer says. Rejects only if the store does.
   *
   * @param username The name as it was typed.
   * @param answer What was answered.
   */
  async remember(username: string, answer: Accepted): Promise<void> {
    const rights = rightsOf(username, answer);
    const keys = keysOf(username, rights.user);
    const latest = rememberable(rights, this.#now());
    const isSaid = (known: Remembered | undefined) => saysAll(known, latest);
    const found = await this.#answers.read(keys);
    if (found.every(isSaid)) return;
    await this.#answers.update(
      keys,
      (found) => found.map((known) => isSaid(known) ? known : latest),
    );
  }

  /**
   * Finds what was said last. Rejects only if the store does.
   *
   * @param name The canonical name; or the typed one, for servers that know no
   * other.
   */
  async recall(name: string): Promise<Rights | undefined> {
    if (!isName(name)) return undefined;
    const keys = [`user ${name}`, `typed ${name}`];
    const [canonical, typed] = await this.#answers.read(keys);
    return (canonical ?? typed)?.rights;
  }
}

/**
 * What is kept of an answer. Of one that is too long nothing: what was said
 * before does not hold any more, and nothing is better than that.
 */
function rememberable(rights: Rights, at: number): Remembered | undefined {
  const octets = new TextEncoder().encode(JSON.stringify(rights)).length;
  return octets > MAX_OCTETS ? undefined : { rights, at };
}

/** Whether what is known is what is to be known, and was written lately. */
function saysAll(
  known: Remembered | undefined,
  latest: Remembered | undefined,
): boolean {
  if (known === undefined || latest === undefined) return known === latest;
  return Math.abs(latest.at - known.at) < RENEW_MS &&
    JSON.stringify(known.rights) === JSON.stringify(latest.rights);
}

function rightsOf(
  username: string,
  { user = username, senders, limits }: Accepted,
): Rights {
  return {
    user,
    ...(senders === undefined ? {} : { senders }),
    ...(limits === undefined ? {} : { limits }),
  };
}

/** The names under which an answer can be found: one of them, most often. */
function keysOf(username: string, user: string): string[] {
  const keys: string[] = [];
  if (isName(user)) keys.push(`user ${user}`);
  if (isName(username) && username !== user) keys.push(`typed ${username}`);
  return keys;
}

/**
 * Whether something is remembered under a name: with a token the client need not
 * give one, and databases take no keys of any length.
 */
function isName(name: string): boolean {
  return name !== "" && name.length <= MAX_NAME_UNITS;
}

function isRemembered(value: unknown): value is Remembered {
  return isObject(value) && typeof value.at === "number" &&
    isObject(value.rights) && isRights(value.rights);
}

function isRights({ user, senders, limits }: Untrusted): boolean {
  return typeof user === "string" &&
    (senders === undefined ||
      Array.isArray(senders) &&
        senders.every((each) => typeof each === "string")) &&
    (limits === undefined || isLimits(limits));
}
