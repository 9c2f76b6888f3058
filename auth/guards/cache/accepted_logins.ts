/**
 * Which logins a back end has accepted, by user.
 *
 * @module
 */

import { newLru } from "../../../lib/lru.ts";

/**
 * The most logins remembered per user: a few passwords, each with two
 * mechanisms. A user whose back end takes ANN for ann could otherwise fill the
 * memory with spellings, and push others out.
 */
const MAX_LOGINS_PER_USER = 16;

/** Remembers accepted logins until the user is refused. */
export interface AcceptedLogins {
  /** When a login was accepted, in milliseconds, if it is remembered. */
  acceptedAt(login: string): number | undefined;
  /**
   * Says that the back end is being asked about a user.
   *
   * @returns What to call, once, with its answer.
   */
  begin(user: string): AskedLogin;
  /** How many users and logins are in memory. */
  readonly size: () => { readonly users: number; readonly logins: number };
}

/** The ends that an asking can have. */
export interface AskedLogin {
  /**
   * It was accepted: remembers the login, unless the user was refused since
   * the asking began. The password may have been changed in between.
   */
  accepted(login: string, at: number): void;
  /** It was refused: forgets all of the user's logins. */
  refused(): void;
  /** Nobody can tell. */
  failed(): void;
}

interface User {
  readonly name: string;
  readonly logins: Set<string>;
  asked: number;
  refusals: number;
}

/** Makes a memory of so many logins. */
export function newAcceptedLogins(maxEntries: number): AcceptedLogins {
  const users = new Map<string, User>();
  const logins = newLru<{ readonly user: User; readonly at: number }>({
    maxEntries,
    onEvict: (login, { user }) => {
      user.logins.delete(login);
      tidy(user);
    },
  });

  function tidy(user: User): void {
    if (user.asked === 0 && user.logins.size === 0) users.delete(user.name);
  }

  function userOf(name: string): User {
    const found = users.get(name);
    if (found !== undefined) return found;
    const user = { name, logins: new Set<string>(), asked: 0, refusals: 0 };
    users.set(name, user);
    return user;
  }

  /** Forgets the oldest, until so many are left. */
  function forget(user: User, left: number): void {
    for (const login of user.logins) {
      if (user.logins.size <= left) return;
      user.logins.delete(login);
      logins.delete(login);
    }
  }

  function remember(user: User, login: string, at: number): void {
    user.logins.delete(login);
    user.logins.add(login);
    forget(user, MAX_LOGINS_PER_USER);
    logins.set(login, { user, at });
  }

  return {
    acceptedAt: (login) => logins.get(login)?.at,
    begin: (name) => {
      const user = userOf(name);
      const { refusals } = user;
      user.asked++;
      const end = () => {
        user.asked--;
        tidy(user);
      };
      return {
        accepted: (login, at) => {
          if (user.refusals === refusals) remember(user, login, at);
          end();
        },
        refused: () => {
          user.refusals++;
          forget(user, 0);
          end();
        },
        failed: end,
      };
    },
    size: () => ({ users: users.size, logins: logins.size() }),
  };
}
