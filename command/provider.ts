/**
 * Who decides about the logins of the command: local users, an endpoint, a
 * Dovecot server, with what protects them.
 *
 * @module
 */

import { withThrottle } from "../auth/guards/throttle/throttle.ts";
import { byMechanism } from "../auth/providers/by_mechanism.ts";
import { firstProvider } from "../auth/providers/first.ts";
import { newStaticAuthProvider } from "../auth/providers/static.ts";
import type { Store } from "../auth/state/store.ts";
import type { ReadyProvider } from "../auth/types.ts";
import type { AroundBackends, Backends } from "./backends.ts";
import type { Login } from "./first_start.ts";
import type { LogEntry } from "./log.ts";
import { TOKEN_MECHANISMS } from "./mechanisms.ts";
import { present } from "./present.ts";
import { Renewable } from "./renewable.ts";
import type { Settings } from "./settings.ts";
import { statePlaceOf } from "./state_place.ts";
import { UNWATCHED, type Watch } from "./telemetry.ts";

/** Who decides, and what it holds open. */
export interface OpenProvider extends Disposable {
  readonly provider: ReadyProvider;
  /** Takes passwords and tokens from other settings, and reads files again. */
  readonly reload: (settings: Settings) => void;
}

/** Who is told, and where things are remembered. */
export interface AroundProvider {
  readonly log: (entry: LogEntry) => void;
  readonly store: Store;
  /**
   * Milliseconds that a guess is held up at most; the throttle's own default if
   * absent.
   */
  readonly throttleDelayMs?: number;
  /** What measures the way to a back end. Default: nobody. */
  readonly watch?: Watch;
}

/**
 * Makes the provider that the settings ask for: who is at hand is asked first.
 *
 * @param settings What the command is to do.
 * @param madeUp The login for a start without any auth source.
 * @param around Who is told, and where things are remembered.
 * @throws {Error} If the users file can't be used.
 */
export async function openProvider(
  settings: Settings,
  madeUp: Login | undefined,
  around: AroundProvider,
): Promise<OpenProvider> {
  const { users, user } = settings;
  const { log, watch = UNWATCHED } = around;
  using opened = new DisposableStack();
  const renewable = new Renewable(settings);
  const locals: ReadyProvider[] = [];
  if (madeUp !== undefined) locals.push(newLocal(madeUp));
  if (user !== undefined) locals.push(renewable.add(newLocalUser));
  if (users !== undefined) {
    const { openUsers } = await import("./users.ts");
    const file = opened.use(await openUsers(users, log));
    renewable.onReload(file.reload);
    locals.push(file.provider);
  }
  const { passwords, tokens } = await backendsOf(settings, {
    ...{ log, watch, renewable, opened },
  });
  const provider = byKind([...locals, ...passwords], tokens);
  const open = opened.move();
  return {
    provider: await remembered(
      settings,
      guarded(settings, provider, around),
      around,
    ),
    reload: (settings) => renewable.reload(settings),
    [Symbol.dispose]: () => open.dispose(),
  };
}

/** Who is asked over a connection: nobody, where the settings name none. */
async function backendsOf(
  settings: Settings,
  around: AroundBackends,
): Promise<Backends> {
  const { authUrl, authDovecot, oauthIssuer } = settings;
  if ((authUrl ?? authDovecot ?? oauthIssuer) === undefined) {
    return { passwords: [], tokens: [] };
  }
  const { openBackends } = await import("./backends.ts");
  return await openBackends(settings, around);
}

/** Tokens are for who knows what to make of them: no local user has one. */
function byKind(
  passwords: readonly ReadyProvider[],
  tokens: readonly ReadyProvider[],
): ReadyProvider {
  if (tokens.length === 0) return oneOf(passwords);
  const table = TOKEN_MECHANISMS.map((name) => [name, oneOf(tokens)] as const);
  const others = passwords.length === 0 ? undefined : oneOf(passwords);
  return byMechanism(Object.fromEntries(table), others);
}

function oneOf(providers: readonly ReadyProvider[]): ReadyProvider {
  const [only, ...more] = providers;
  return only !== undefined && more.length === 0
    ? only
    : firstProvider(...providers);
}

function newLocal({ username, password }: Login): ReadyProvider {
  return newStaticAuthProvider(new Map([[username, password]]));
}

function newLocalUser({ user = "", pass = "" }: Settings): ReadyProvider {
  return newLocal({ username: user, password: pass });
}

/**
 * Programs on the machine itself, such as a webmail, speak for many users, and
 * all from one address: their network has no limit, their users have.
 */
function guarded(
  { throttle }: Settings,
  provider: ReadyProvider,
  { store, throttleDelayMs: delayMs }: AroundProvider,
): ReadyProvider {
  if (!throttle) return provider;
  return withThrottle(provider, {
    sharedNetworks: ["127.0.0.0/8", "::1"],
    store,
    ...present({ delayMs }),
  });
}

/**
 * Only who is asked about users later needs to know what logins have said: this
 * process, or another one that shares its state.
 */
async function remembered(
  settings: Settings,
  provider: ReadyProvider,
  { store }: AroundProvider,
): Promise<ReadyProvider> {
  const isAsked = settings.policySocket !== undefined ||
    statePlaceOf(settings).kind !== "memory";
  if (!isAsked) return provider;
  const { rememberRights } = await import(
    "../auth/rights/remember_rights.ts"
  );
  return rememberRights(provider, { store });
}
