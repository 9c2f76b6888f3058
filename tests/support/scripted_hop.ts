/**
 * A next hop on loopback that says what a test wants, and breaks when it wants.
 *
 * @module
 */

import { type Conn, writeAll } from "../../net/conn.ts";
import { newEncrypt } from "../../net/tls.ts";
import type { TestCertificate } from "./certificate.ts";
import { mustHappen } from "../../testing/deadline.ts";

/** The commands of SMTP, and what a next hop says without one. */
export type HopStep =
  | "greeting"
  | "EHLO"
  | "HELO"
  | "STARTTLS"
  | "AUTH"
  /** A line in an AUTH exchange. */
  | "response"
  | "MAIL"
  | "RCPT"
  | "DATA"
  /** The beginning of a message; by default nothing is said there. */
  | "body"
  /** The end of a message. */
  | "."
  | "RSET"
  | "QUIT";

/** What a next hop does: it says something, and goes on or not. */
export type HopAnswer =
  | string
  | {
    /** Default: nothing. */
    readonly say?: string;
    /** `hang` reads on, and answers nothing; `deaf` does not even read. */
    readonly then: "close" | "reset" | "hang" | "deaf";
  };

/** What a next hop answers; by default it takes everything. */
export type HopScript = Partial<
  Readonly<Record<HopStep, HopAnswer | ((line: string) => HopAnswer)>>
>;

/** How to run it. */
export interface HopOptions {
  readonly script?: HopScript;
  /** The extensions that EHLO tells of. Default: `PIPELINING`. */
  readonly extensions?: readonly string[];
  /** For STARTTLS, or for TLS from the start. Default: none. */
  readonly certificate?: TestCertificate;
  /** TLS from the start. Default: false. */
  readonly implicitTls?: boolean;
  /** Default: 127.0.0.1. */
  readonly hostname?: string;
}

/** A running next hop. */
export interface ScriptedHop extends AsyncDisposable {
  readonly port: number;
  /** How many connections have come. */
  readonly connections: () => number;
  /** How many connections are open. */
  readonly open: () => number;
  /** Each packet of commands that has come, over all connections. */
  readonly packets: () => readonly string[];
  /** Each line that has come, over all connections; `.` for a whole message. */
  readonly lines: () => readonly string[];
  /** What has come behind each DATA, whole or not, dots stuffed. */
  readonly bodies: () => readonly string[];
  /** Those that came whole and that it has taken, whoever knows of that. */
  readonly messages: () => readonly string[];
  /** Resolves when something was said, or was not, at a step. */
  readonly reached: (step: HopStep) => Promise<void>;
  /** Resolves when all its connections have ended. */
  readonly idle: () => Promise<void>;
  /** Closes all its connections, as a restart does. */
  readonly drop: () => void;
}

const encoder = new TextEncoder();

const DEFAULTS: Readonly<Record<HopStep, string>> = {
  greeting: "220 hop.example.net ESMTP\r\n",
  EHLO: "",
  HELO: "250 hop.example.net\r\n",
  STARTTLS: "220 2.0.0 go\r\n",
  AUTH: "235 2.7.0 in\r\n",
  response: "235 2.7.0 in\r\n",
  MAIL: "250 2.1.0 sender ok\r\n",
  RCPT: "250 2.1.5 recipient ok\r\n",
  DATA: "354 go\r\n",
  body: "",
  ".": "250 2.0.0 taken\r\n",
  RSET: "250 2.0.0 reset\r\n",
  QUIT: "221 2.0.0 bye\r\n",
};

/** What all connections of a next hop share. */
interface Shared {
  readonly options: HopOptions;
  readonly packets: string[];
  readonly lines: string[];
  readonly bodies: string[];
  readonly messages: string[];
  readonly reach: (step: HopStep) => void;
}

/** Starts a next hop. */
export function serveHop(options: HopOptions = {}): ScriptedHop {
  const { hostname = "127.0.0.1" } = options;
  const listener = Deno.listen({ hostname, port: 0 });
  const open = new Map<HopTalk, Promise<void>>();
  const watchers = new Map<HopStep, (() => void)[]>();
  let count = 0;
  const shared: Shared = {
    options,
    packets: [],
    lines: [],
    bodies: [],
    messages: [],
    reach: (step) => watchers.get(step)?.splice(0).forEach((look) => look()),
  };
  const accepting = (async () => {
    for await (const conn of listener) {
      count++;
      conn.setNoDelay();
      const talk = new HopTalk(conn, shared);
      open.set(talk, talk.run().finally(() => open.delete(talk)));
    }
  })();
  const idle = async () => {
    while (open.size > 0) {
      await mustHappen(Promise.all(open.values()), "its connections end");
    }
  };
  const drop = () => {
    for (const talk of open.keys()) talk.close();
  };
  return {
    port: listener.addr.port,
    connections: () => count,
    open: () => open.size,
    packets: () => shared.packets,
    lines: () => shared.lines,
    bodies: () => shared.bodies,
    messages: () => shared.messages,
    reached: (step) =>
      new Promise((resolve) => {
        watchers.set(step, [...watchers.get(step) ?? [], resolve]);
      }),
    idle,
    drop,
    [Symbol.asyncDispose]: async () => {
      listener.close();
      await accepting;
      drop();
      await idle();
    },
  };
}

/** One connection of a next hop. */
class HopTalk {
  readonly #plain: Deno.TcpConn;
  readonly #shared: Shared;
  #conn: Conn;
  #received = "";
  #inAuth = false;
  #inBody = false;
  #begun = false;
  #isHanging = false;
  /** Which of the bodies is its own. */
  #body = 0;
  #tls = false;
  readonly #closed = Promise.withResolvers<void>();

  constructor(conn: Deno.TcpConn, shared: Shared) {
    this.#plain = conn;
    this.#conn = conn;
    this.#shared = shared;
  }

  /** Closes it as it is. */
  close(): void {
    this.#closed.resolve();
    for (const conn of [this.#conn, this.#plain]) {
      try {
        conn.close();
      } catch {
        // It was closed.
      }
    }
  }

  async run(): Promise<void> {
    try {
      if (this.#shared.options.implicitTls) await this.#encrypt();
      let goOn = await this.#answer("greeting", "");
      while (goOn && await this.#readMore()) {
        goOn = goOn && await this.#atBody();
        while (goOn) {
          const line = this.#takeLine();
          if (line === undefined) break;
          goOn = await this.#hear(line);
        }
      }
    } catch {
      // It was closed or reset from the other side.
    } finally {
      this.close();
    }
  }

  async #readMore(): Promise<boolean> {
    const space = new Uint8Array(65_536);
    const count = await this.#conn.read(space);
    if (count === null) return false;
    const text = String.fromCharCode(...space.subarray(0, count));
    // A message without end would be looked through again with each piece.
    if (this.#inBody && this.#isHanging) return true;
    if (!this.#inBody) this.#shared.packets.push(text);
    this.#received += text;
    if (this.#inBody) this.#takeBody();
    return true;
  }

  /** Says what is to be said at the beginning of a message. */
  async #atBody(): Promise<boolean> {
    if (!this.#inBody || this.#begun) return true;
    this.#begun = true;
    return await this.#answer("body", "");
  }

  /** What has come of a message is noted, whether it becomes whole or not. */
  #takeBody(): void {
    const { bodies } = this.#shared;
    const end = /(?:^|\r\n)\.\r\n/.exec(this.#received);
    bodies[this.#body] = end === null
      ? this.#received
      : this.#received.slice(0, end.index + end[0].length - 3);
  }

  #takeLine(): string | undefined {
    if (this.#inBody) {
      const end = /(?:^|\r\n)\.\r\n/.exec(this.#received);
      if (end === null) return undefined;
      this.#received = this.#received.slice(end.index + end[0].length);
      this.#inBody = false;
      this.#shared.lines.push(".");
      return ".";
    }
    const end = this.#received.indexOf("\r\n");
    if (end < 0) return undefined;
    const line = this.#received.slice(0, end);
    this.#received = this.#received.slice(end + 2);
    this.#shared.lines.push(line);
    return line;
  }

  /** Answers a line; false if that was the last. */
  async #hear(line: string): Promise<boolean> {
    const step = this.#inAuth ? "response" : stepOf(line);
    if (step === undefined) throw new Error(`What is ${line}?`);
    const goOn = await this.#answer(step, line);
    if (step === "STARTTLS" && goOn) await this.#encrypt();
    return goOn && step !== "QUIT";
  }

  async #answer(step: HopStep, line: string): Promise<boolean> {
    const { script = {} } = this.#shared.options;
    const scripted = script[step] ?? this.#default(step);
    const answer = typeof scripted === "function" ? scripted(line) : scripted;
    const { say = "", then = "go on" } = typeof answer === "string"
      ? { say: answer }
      : answer;
    this.#inAuth = say.startsWith("334");
    if (step === "DATA" && say.startsWith("354")) {
      this.#inBody = true;
      this.#begun = false;
      this.#body = this.#shared.bodies.push("") - 1;
    }
    const { bodies, messages } = this.#shared;
    if (step === "." && say.startsWith("250")) {
      messages.push(bodies[this.#body] ?? "");
    }
    if (say !== "") await writeAll(this.#conn, encoder.encode(say));
    this.#shared.reach(step);
    switch (then) {
      case "go on":
        return true;
      case "close":
        return false;
      case "reset":
        // Closing a socket with unread octets makes the system send a reset.
        await this.#plain.read(new Uint8Array(1));
        return false;
      case "hang":
        // What still comes is read, and never answered.
        this.#isHanging = true;
        while (await this.#readMore());
        return false;
      case "deaf":
        await this.#closed.promise;
        return false;
      default:
        return then satisfies never;
    }
  }

  #default(step: HopStep): string {
    if (step !== "EHLO") return DEFAULTS[step];
    const { extensions = ["PIPELINING"], certificate } = this.#shared.options;
    const startTls = certificate !== undefined && !this.#tls;
    const lines = ["hop", ...extensions, ...(startTls ? ["STARTTLS"] : [])];
    const last = lines.length - 1;
    return lines.map((line, i) => `250${i < last ? "-" : " "}${line}\r\n`)
      .join("");
  }

  async #encrypt(): Promise<void> {
    const { certificate } = this.#shared.options;
    if (certificate === undefined) throw new Error("There is no certificate");
    this.#conn = await newEncrypt(certificate)(this.#conn);
    this.#received = "";
    this.#tls = true;
  }
}

function stepOf(line: string): HopStep | undefined {
  const verb = line.split(" ")[0]?.toUpperCase() ?? "";
  const steps = Object.keys(DEFAULTS).filter(isStep);
  return steps.find((step) => step === verb);
}

function isStep(name: string): name is HopStep {
  return name in DEFAULTS;
}
