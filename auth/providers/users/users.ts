/**
 * A provider for users in a file, with hashed passwords.
 *
 * @module
 */

import { maxConcurrent } from "../../guards/max_concurrent.ts";
import {
  aFunction,
  aString,
  checkOptions,
  checkValue,
  type Rules,
} from "../../../lib/options.ts";
import { oneAtATime } from "../../../lib/one_at_a_time.ts";
import { bareResult } from "../../results.ts";
import type { AuthProvider, AuthResult, ReadyProvider } from "../../types.ts";
import { hasArgon2 } from "./argon2.ts";
import {
  type FileUser,
  readUsers,
  readUsersInTurns,
  type Users,
} from "./file.ts";
import { isSlow } from "./hash.ts";
import { verify } from "./verify.ts";
import { HashWorkers } from "./workers.ts";

/**
 * The longest password that is hashed, in octets. Some kinds hash it thousands
 * of times over, and a client may send 9,000; nobody types that many.
 */
export const MAX_PASSWORD_OCTETS = 1_024;

/** Node before version 21 does not tell. */
const PROCESSORS = "navigator" in globalThis
  ? navigator.hardwareConcurrency
  : 2;

/**
 * How many hashes are computed at once: as many as there are processors, but
 * never one alone, and no more memory and Workers than four logins need.
 */
const HASHES_AT_ONCE = Math.min(Math.max(PROCESSORS, 2), 4);

/** How many logins may wait: all users of a small company after a power cut. */
const QUEUE_LENGTH = 512;

/**
 * How long one may wait, in milliseconds. Programs that ask through an adapter
 * give up after ten seconds, and the hash itself takes its time.
 */
const QUEUE_MS = 5_000;

/**
 * What {@linkcode newUsersAuthProvider} tells besides.
 *
 * @category Who knows the users
 */
export interface UsersAuthProviderOptions {
  /**
   * Told, in a line without any secret, what is better changed in the file.
   * Default: nobody.
   */
  readonly onWarning?: (warning: string) => void;
}

const ACTION = "read users";

const RULES: Rules<UsersAuthProviderOptions> = { onWarning: aFunction };

/**
 * A provider whose users can be others later, and that holds Workers.
 *
 * @category Who knows the users
 */
export interface UsersAuthProvider extends ReadyProvider, Disposable {
  /**
   * Takes the users of another text; logins go on, with the old ones until it
   * is read. Of two texts that are read at once, the later one counts.
   *
   * @param text The text of a users file.
   * @returns When it has been read.
   * @throws {TypeError} If it is not good; then the old ones stay.
   */
  readonly use: (text: string) => Promise<void>;
  /**
   * Tries one hash of each kind and cost that the file holds, one at a time
   * however often it is called.
   *
   * @returns When all could be computed.
   * @throws {Error} If one cannot be computed here, as without the package
   * `bcryptjs`, or without the permission to read the Worker's program.
   */
  readonly ready: () => Promise<void>;
}

/**
 * Makes a provider for the users of a file as `htpasswd` and Dovecot write it.
 *
 * A line is `name:hash` or `name:hash:senders`; what begins with `#`, and empty
 * lines, are no users. Hashes are `$argon2id$`, bcrypt (`$2y$`, `$2b$`,
 * `$2a$`), `$6$`, `$5$`, `$scrypt$`, `{SSHA}`, `{SSHA256}`, `{SSHA512}`,
 * `{SHA}`, `$apr1$` and `{PLAIN}`, each also behind Dovecot's name for it.
 * Senders are addresses and `@domain`, with commas between them, and end up in
 * the result of a login. Names are compared in NFC, or without letter case if
 * the first line is `#fold-case`.
 *
 * The event loop goes on while hashes are computed, a few at a time; logins
 * beyond that wait up to five seconds, and then nobody can tell. A login of a
 * user who does not exist costs what one of most users costs. A password of
 * more than 1,024 octets is wrong.
 *
 * @param text The text of the file, not its name.
 * @param options Who is told of what is not good but works.
 * @returns A provider that never throws. Disposing ends its Workers.
 * @throws {TypeError} If a line is not good (the text names it by its number,
 * and repeats nothing of it), if there is no user, or if there are hashes that
 * this runtime cannot compute.
 *
 * @example One user, who may be two senders
 * ```ts
 * import { newUsersAuthProvider } from "@meowmail/smtpauth";
 *
 * using provider = newUsersAuthProvider(
 *   "ann:$2y$05$2O4KTUN/Q3cA/sXhg4dKv.yGyubWbv1.qLiSkhnVI5Td6VTvwi9RO:ann@example.com,@team.example\n",
 * ); // htpasswd -nB ann, and who she may be
 * const result = await provider({
 *   username: "ann",
 *   password: "correct horse",
 *   mechanism: "PLAIN",
 *   remoteIp: "192.0.2.7",
 *   heloName: "laptop",
 * });
 * console.assert(result.decision === "authOk" && result.senders?.length === 2);
 * ```
 * @category Who knows the users
 */
export function newUsersAuthProvider(
  text: string,
  options: UsersAuthProviderOptions = {},
): UsersAuthProvider {
  checkValue(ACTION, "text", aString, text);
  checkOptions(ACTION, options, RULES);
  const workers = new HashWorkers();
  let users = usable(readUsers(text));
  let [lastAsked, lastUsed] = [0, 0];

  function usable(users: Users): Users {
    mustHaveArgon2(users);
    if (users.kinds.some(isSlow)) workers.start(HASHES_AT_ONCE);
    warn(users, options.onWarning);
    return users;
  }

  async function use(text: string): Promise<void> {
    checkValue(ACTION, "text", aString, text);
    const asked = ++lastAsked;
    const next = await readUsersInTurns(text);
    if (asked < lastUsed) return;
    users = usable(next);
    lastUsed = asked;
  }

  const provider: AuthProvider = async ({ username, password }) => {
    if (octetsOf(password) > MAX_PASSWORD_OCTETS) return WRONG;
    const { find, usual } = users;
    const user = find(username);
    const hash = user?.hash ?? usual;
    const right = await verify(hash, password.normalize("NFC"), workers);
    return user !== undefined && right ? accepted(user) : WRONG;
  };

  const bounded = maxConcurrent(provider, {
    limit: HASHES_AT_ONCE,
    queueLength: QUEUE_LENGTH,
    queueMs: QUEUE_MS,
  });
  return Object.assign(bounded, {
    use,
    ready: oneAtATime(() => tryHashes(users, workers)),
    [Symbol.dispose]: () => workers[Symbol.dispose](),
  });
}

const WRONG: AuthResult = bareResult("authInvalid");

function accepted({ name, senders }: FileUser): AuthResult {
  return {
    decision: "authOk",
    user: name,
    ...(senders === undefined ? {} : { senders }),
  };
}

function mustHaveArgon2({ kinds }: Users): void {
  if (kinds.some(({ kind }) => kind === "argon2") && !hasArgon2()) {
    throw new TypeError(
      "Cannot read users: WebCrypto has no Argon2 here: other hashes are needed",
    );
  }
}

function warn(
  { weakLines }: Users,
  onWarning: UsersAuthProviderOptions["onWarning"],
): void {
  const [first] = weakLines;
  if (first === undefined) return;
  const others = weakLines.length === 1
    ? ""
    : `, and ${weakLines.length - 1} more`;
  try {
    onWarning?.(
      `whoever reads the users file soon has the password of line ${first}${others}: make new hashes with --hash-password`,
    );
  } catch {
    // Who is told must not decide whether anybody can log in.
  }
}

async function tryHashes(
  { kinds }: Users,
  workers: HashWorkers,
): Promise<void> {
  for (const hash of kinds) {
    try {
      await verify(hash, "none", workers);
    } catch (cause) {
      throw new Error(
        `Cannot check ${hash.kind} hashes: ${String(cause)}`,
        { cause },
      );
    }
  }
}

function octetsOf(text: string): number {
  return new TextEncoder().encode(text).length;
}
