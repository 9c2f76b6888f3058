/**
 * Which logins a back end has accepted, by user.
 *
 * @module
 */

import { Lru } from "../../../lib/lru.ts";
import { bareResult } from "../../results.ts";
import type { Accepted } from "../../types.ts";

/**
 * The most logins remembered per user: a few passwords, each with two
 * mechanisms. A user whose back end takes ANN for ann could otherwise fill the
 * memory with spellings, and push others out.
 */
const MAX_LOGINS_PER_USER = 16;

/**
 * What all that the answers carried may weigh together, in characters of JSON:
 * a list of senders may be 64 KiB long.
 */
const MAX_WEIGHT = 33_554_432;

/** A login as it is remembered: nothing can be told from it. */
export interface LoginName {
  /** The user's name in the form that all its spellings share. */
  readonly user: string;
  /** The same for the same user name, as typed, and password. */
  readonly credentials: string;
  /** The same for the same credentials and mechanism. */
  readonly login: string;
}

/** A yes that is remembered. */
export interface RememberedYes {
  /** When it was said, in milliseconds. */
  readonly at: number;
  /** What it was. */
  readonly result: Accepted;
}

/** The ends that an asking can have. */
export interface AskedLogin {
  /**
   * It was accepted: remembers the login, unless its credentials were refused
   * since the asking began. The password may have been changed in between.
   */
  accepted(yes: RememberedYes): void;
  /**
   * It was refused: forgets the logins with these credentials, and none of
   * the user's others counts as confirmed any more.
   */
  refused(): void;
  /** Nobody can tell. */
  failed(): void;
}

interface User {
  readonly name: string;
  readonly logins: Map<string, Entry>;
  readonly asked: Set<Asked>;
  refusals: number;
}

interface Entry {
  readonly user: User;
  readonly credentials: string;
  readonly yes: RememberedYes;
  /** How often the user had been refused when the asking began. */
  readonly refusals: number;
}

interface Asked {
  readonly credentials: string;
  overtaken: boolean;
}

/** Remembers accepted logins. */
export class AcceptedLogins {
  readonly #users = new Map<string, User>();
  readonly #logins: Lru<Entry>;

  /** @param maxEntries The most logins. */
  constructor(maxEntries: number) {
    this.#logins = new Lru<Entry>({
      maxEntries,
      maxWeight: MAX_WEIGHT,
      weigh: (_, { yes }) => weightOf(yes),
      onEvict: (login, { user }) => {
        user.logins.delete(login);
        this.#tidy(user);
      },
    });
  }

  /**
   * The yes to a login, if it is remembered. For outages: a stranger's wrong
   * guess does not end it.
   */
  accepted(login: string): RememberedYes | undefined {
    return this.#logins.get(login)?.yes;
  }

  /** The same, unless the user was refused since: then the back end is asked. */
  confirmed(login: string): RememberedYes | undefined {
    const entry = this.#logins.get(login);
    return entry?.refusals === entry?.user.refusals ? entry?.yes : undefined;
  }

  /**
   * Says that the back end is being asked about a login.
   *
   * @returns What to call, once, with its answer.
   */
  begin({ user: name, credentials, login }: LoginName): AskedLogin {
    const user = this.#userOf(name);
    const { refusals } = user;
    const asked = { credentials, overtaken: false };
    user.asked.add(asked);
    const end = () => {
      user.asked.delete(asked);
      this.#tidy(user);
    };
    return {
      accepted: (yes) => {
        if (!asked.overtaken) {
          this.#remember(login, { user, credentials, yes, refusals });
        }
        end();
      },
      refused: () => {
        this.#refuse(user, credentials);
        end();
      },
      failed: end,
    };
  }

  /** How many users and logins are in memory. */
  get size(): { readonly users: number; readonly logins: number } {
    return { users: this.#users.size, logins: this.#logins.size };
  }

  #tidy(user: User): void {
    if (user.asked.size === 0 && user.logins.size === 0) {
      this.#users.delete(user.name);
    }
  }

  #userOf(name: string): User {
    const found = this.#users.get(name);
    if (found !== undefined) return found;
    const user = {
      name,
      logins: new Map<string, Entry>(),
      asked: new Set<Asked>(),
      refusals: 0,
    };
    this.#users.set(name, user);
    return user;
  }

  #forget(user: User, login: string): void {
    user.logins.delete(login);
    this.#logins.delete(login);
  }

  #remember(login: string, entry: Entry): void {
    const { user } = entry;
    user.logins.delete(login);
    user.logins.set(login, entry);
    this.#logins.set(login, entry);
    for (const oldest of user.logins.keys()) {
      if (user.logins.size <= MAX_LOGINS_PER_USER) return;
      this.#forget(user, oldest);
    }
  }

  #refuse(user: User, credentials: string): void {
    user.refusals++;
    for (const [login, entry] of user.logins) {
      if (entry.credentials === credentials) this.#forget(user, login);
    }
    for (const asked of user.asked) {
      if (asked.credentials === credentials) asked.overtaken = true;
    }
  }
}

function weightOf({ result }: RememberedYes): number {
  return result === bareResult("authOk") ? 0 : JSON.stringify(result).length;
}
