/**
 * The life of a server, from its first client to its last.
 *
 * @module
 */

/**
 * How long what is under way may take once a server stops, in milliseconds.
 * Whoever has stopped it may end it by force after ten seconds, as Docker does.
 */
const GRACE_MS = 9_000;

/** How long those who were cut off then may take to read so, in milliseconds. */
const LAST_WORDS_MS = 500;

/** A server that runs. */
export interface Server extends AsyncDisposable {
  /** Resolves when it and all its connections are closed. */
  readonly finished: Promise<void>;
  /**
   * Stops in good order: nothing new is begun, and what is under way may take
   * nine seconds.
   *
   * @returns A promise for the end, the same as `finished`.
   */
  shutdown(): Promise<void>;
}

/** What a server is made of. */
export interface ServerParts {
  /** Resolves once no more clients are taken in. */
  readonly accepted: Promise<void>;
  /** Takes in no more clients. Called once. */
  readonly close: () => void;
  /** Lets those who are there begin nothing new. */
  readonly stop: () => void;
  /**
   * Closes all connections, with some last words where there is time for them:
   * called once more when there is not.
   */
  readonly cut: () => void;
  /** Resolves once nobody is there. */
  readonly ended: () => Promise<void>;
  /** Ends everything at once when aborted. */
  readonly signal: AbortSignal | undefined;
}

/** Makes one server of its parts; it runs already. */
export function newServer(
  { accepted, close, stop, cut, ended, signal }: ServerParts,
): Server {
  let closed = false;
  const finished = accepted.then(ended);
  const closeOnce = () => {
    if (!closed) close();
    closed = true;
  };
  const abort = () => {
    closeOnce();
    cut();
  };
  const shutdown = () => {
    if (closed) return finished;
    closeOnce();
    stop();
    let timer = setTimeout(() => {
      cut();
      timer = setTimeout(cut, LAST_WORDS_MS);
    }, GRACE_MS);
    return finished.finally(() => clearTimeout(timer));
  };
  signal?.addEventListener("abort", abort, { once: true });
  finished.then(() => signal?.removeEventListener("abort", abort));
  if (signal?.aborted) abort();
  return { finished, shutdown, [Symbol.asyncDispose]: shutdown };
}
