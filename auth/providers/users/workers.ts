/**
 * Workers that compute hashes, so that the event loop does not have to.
 *
 * @module
 */

import type { SlowHash } from "./hash.ts";

/** What a Worker is asked: whether a password has this hash. */
export interface HashQuestion {
  readonly hash: SlowHash;
  readonly password: string;
}

/** What it answers. */
export type HashAnswer =
  | { readonly kind: "checked"; readonly matches: boolean }
  | { readonly kind: "failed"; readonly words: string };

/** What is used of the `Worker` of `node:worker_threads`. */
interface Worker {
  on(event: "message", listener: (answer: HashAnswer) => void): void;
  on(event: "error", listener: (error: unknown) => void): void;
  on(event: "online" | "exit", listener: () => void): void;
  postMessage(question: HashQuestion): void;
  ref(): void;
  unref(): void;
  terminate(): unknown;
}

interface WorkerThreads {
  readonly Worker: new (program: URL) => Worker;
}

// The Worker of the web's standards keeps a program from ending, in Deno, and
// Node has none. Not named in the import itself: with the module's types, the
// checker would bring all of Node's global names into auth/.
const WORKER_THREADS: string = "node:worker_threads";

/** A Worker that is asked one thing at a time. */
class HashWorker {
  readonly #worker: Worker;
  #open: PromiseWithResolvers<HashAnswer> | undefined;

  constructor(worker: Worker, onEnd: (self: HashWorker) => void) {
    this.#worker = worker;
    worker.unref();
    // Node forgets it until then.
    worker.on("online", () => {
      if (this.#open === undefined) worker.unref();
    });
    const lost = (error: unknown) => {
      onEnd(this);
      this.#open?.reject(error);
    };
    worker.on("message", (answer) => this.#open?.resolve(answer));
    worker.on("error", lost);
    worker.on("exit", () => lost(new Error("the Worker has ended")));
  }

  async ask(question: HashQuestion): Promise<HashAnswer> {
    this.#open = Promise.withResolvers();
    this.#worker.ref();
    this.#worker.postMessage(question);
    try {
      return await this.#open.promise;
    } finally {
      this.#open = undefined;
      this.#worker.unref();
    }
  }

  end(): void {
    this.#worker.terminate();
  }
}

/**
 * Workers that stay: starting one holds up the event loop for a moment.
 *
 * They don't keep a program from ending while none of them is asked anything.
 * How many are asked at once is the caller's to bound.
 */
export class HashWorkers implements Disposable {
  readonly #all = new Set<HashWorker>();
  readonly #idle: HashWorker[] = [];
  #starting: Promise<void> = Promise.resolve();
  #disposed = false;

  /** Starts so many that there are `count`. What fails is told when asked. */
  start(count: number): void {
    this.#starting = this.#starting.then(async () => {
      while (this.#all.size < count) this.#idle.push(await this.#add());
    }).catch(() => {});
  }

  /**
   * Whether a password has this hash.
   *
   * @throws {Error} If that cannot be computed here.
   */
  async ask(question: HashQuestion): Promise<boolean> {
    await this.#starting;
    const worker = this.#idle.pop() ?? await this.#add();
    const answer = await worker.ask(question);
    if (this.#all.has(worker)) this.#idle.push(worker);
    if (answer.kind === "failed") throw new Error(answer.words);
    return answer.matches;
  }

  /** Ends them all; what they are being asked fails. */
  [Symbol.dispose](): void {
    this.#disposed = true;
    for (const worker of this.#all) worker.end();
  }

  async #add(): Promise<HashWorker> {
    const { Worker }: WorkerThreads = await import(WORKER_THREADS);
    if (this.#disposed) throw new Error("the Workers have been ended");
    const worker = new HashWorker(new Worker(program()), (self) => {
      this.#all.delete(self);
      const at = this.#idle.indexOf(self);
      if (at >= 0) this.#idle.splice(at, 1);
    });
    this.#all.add(worker);
    return worker;
  }
}

/** Where the Worker's program is: beside this module, whatever that became. */
function program(): URL {
  const suffix = new URL(import.meta.url).pathname.endsWith(".js")
    ? "js"
    : "ts";
  const url = new URL(`./worker.${suffix}`, import.meta.url);
  // Neither Deno nor Node starts one from the net, where `jsr:` modules are, but
  // either does from a text, which may import what is there.
  return url.protocol === "file:"
    ? url
    : new URL(`data:text/javascript,import ${JSON.stringify(url.href)}`);
}
