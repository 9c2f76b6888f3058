/**
 * Listeners in a process of Node or Bun, which a test tells what to do and
 * which tell it what happens there (tests/npm/listeners.ts).
 *
 * @module
 */

import type { SmtpReply } from "../../auth/replies.ts";
import { mustHappen } from "../../testing/deadline.ts";
import type { Certificate } from "../../net/tls_engine.ts";
import type { SmtpEvent } from "../../smtp/events.ts";
import type { ServeSmtpOptions, SmtpAddress } from "../../smtp/options.ts";
import type { Envelope } from "../../smtp/protocol/envelope.ts";
import { run } from "./npm_package.ts";

/** What a project must have for it. */
export const LISTENERS_FILES: readonly string[] = [
  "tests/npm/listeners.ts",
  "tests/support/decide.ts",
];

/** How a listener serves there. */
export interface NodeListenerOptions {
  readonly options: Omit<ServeSmtpOptions, "provider">;
  /** Who decides. Default: `decide`, as in the transcripts. */
  readonly provider?: "decides" | "takes too long" | "takes everybody";
  /** What is answered to messages. Default: 250. */
  readonly reply?: SmtpReply;
  /** Messages are read in pieces with pauses, and not kept. Default: false. */
  readonly slowly?: boolean;
}

/** A message that a listener has got there. */
export interface NodeMessage {
  readonly envelope: Envelope;
  readonly octets: Uint8Array;
}

/** A listener there. */
export interface NodeListener extends AsyncDisposable {
  readonly addrs: readonly SmtpAddress[];
  /** The port for plain text and STARTTLS. */
  readonly port: number;
  /** The port for implicit TLS; 0 if there is none. */
  readonly tlsPort: number;
  readonly events: readonly SmtpEvent[];
  readonly messages: readonly NodeMessage[];
  /** Begins to stop. */
  shutdown(): Promise<void>;
  /** Changes the certificate; rejects with what is thrown there. */
  useCertificate(certificate: Certificate): Promise<void>;
}

/** A line that comes from there. */
interface News {
  readonly id: number;
  readonly what: "done" | "failed" | "event" | "message" | "finished";
  // deno-lint-ignore no-explicit-any -- what it is depends on what it tells
  readonly value?: any;
}

/** One listener, as its process tells of it. */
class Remote {
  readonly events: SmtpEvent[] = [];
  readonly messages: NodeMessage[] = [];
  readonly finished = Promise.withResolvers<void>();
  answer = Promise.withResolvers<News["value"]>();

  hear({ what, value }: News): void {
    switch (what) {
      case "done":
        return this.answer.resolve(value);
      case "failed":
        return this.answer.reject(new Error(value));
      case "event":
        return void this.events.push(value);
      case "message": {
        const octets = Uint8Array.fromBase64(value.content);
        return void this.messages.push({ envelope: value.envelope, octets });
      }
      case "finished":
        return this.finished.resolve();
      default:
        what satisfies never;
    }
  }
}

/** A process with listeners. */
export class NodeListeners implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #orders: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #remotes: Remote[] = [];
  readonly #over: Promise<void>;

  /**
   * @param project A project with the package and {@linkcode LISTENERS_FILES}.
   * @param program The runtime's own program.
   */
  constructor(project: string, program: string) {
    this.#child = new Deno.Command(program, {
      args: ["tests/npm/listeners.ts"],
      cwd: project,
      env: { NO_COLOR: "1", NODE_NO_WARNINGS: "1" },
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#orders = this.#child.stdin.getWriter();
    this.#over = this.#listen();
  }

  /** The number of the process. */
  get pid(): number {
    return this.#child.pid;
  }

  /** Sends a signal. */
  signal(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** Starts a listener; rejects with what is thrown there. */
  async listen(how: NodeListenerOptions): Promise<NodeListener> {
    const id = this.#remotes.length;
    const remote = new Remote();
    this.#remotes.push(remote);
    const tell = (what: string, more?: object) =>
      this.#tell(remote, { id, what, ...more });
    const addrs: readonly SmtpAddress[] = await tell("listen", how);
    const portOf = (isTls: boolean) =>
      addrs.find(({ tls }) => tls === isTls)?.port ?? 0;
    return {
      addrs,
      port: portOf(false),
      tlsPort: portOf(true),
      events: remote.events,
      messages: remote.messages,
      shutdown: async () => void await tell("shutdown"),
      useCertificate: async (certificate) =>
        void await tell("useCertificate", { certificate }),
      async [Symbol.asyncDispose](): Promise<void> {
        await tell("shutdown");
        await mustHappen(remote.finished.promise, "it ends", 20_000);
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#orders.close();
    try {
      await mustHappen(this.#over, "the process ends", 20_000);
    } catch (error) {
      this.#child.kill("SIGKILL");
      throw error;
    }
  }

  async #tell(remote: Remote, order: object): Promise<News["value"]> {
    remote.answer = Promise.withResolvers();
    const line = `${JSON.stringify(order)}\n`;
    await this.#orders.write(new TextEncoder().encode(line));
    return await mustHappen(remote.answer.promise, line, 20_000);
  }

  async #listen(): Promise<void> {
    let rest = "";
    const texts = this.#child.stdout.pipeThrough(new TextDecoderStream());
    for await (const text of texts) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const news: News = JSON.parse(line);
        this.#remotes[news.id]?.hear(news);
      }
    }
    await this.#child.status;
  }
}

/** The program of a runtime that npm has, without npm around it. */
export async function programOf(
  project: string,
  specifier: string,
): Promise<string> {
  const print = "console.log(process.execPath)";
  return (await run(project, "npx", "-y", specifier, "-e", print)).trim();
}
