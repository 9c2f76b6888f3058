/**
 * A message sent as a certain mail program would.
 *
 * @module
 */

import type { Reply, SmtpClient } from "./client.ts";
import {
  type ClientName,
  type Habit,
  HABITS,
  type TestMail,
} from "./habits.ts";

/** A message where a test has none. */
const TEXT = "Subject: Hello\r\n\r\nHow are you?\r\n..stuffed\r\n";

/**
 * Sends a message as a certain mail program would: from the greeting to the
 * end of the connection.
 *
 * @param client A connection whose greeting has not been read.
 * @param name Whose habits to have.
 * @param mail Login, addresses and message.
 * @returns The reply to the message, or the one that refused the login or the
 * envelope; the connection is open then.
 * @throws {Error} If the server does what that program would not bear, such as
 * another prompt than Outlook knows.
 *
 * @example A server that bears them all
 * ```ts
 * import { CLIENT_NAMES, newTestServer, sendAs } from "@meowmail/smtpauth/testing";
 *
 * await using server = newTestServer({ inMemory: true });
 * for (const name of CLIENT_NAMES) {
 *   using client = await server.open();
 *   const { status } = await sendAs(client, name, { username: "ann", password: "secret" });
 *   console.assert(status === "250 2.0.0", name);
 * }
 * console.assert(server.messages.length === CLIENT_NAMES.length);
 * ```
 * @category Testing
 */
export async function sendAs(
  client: SmtpClient,
  name: ClientName,
  mail: TestMail,
): Promise<Reply> {
  return await new Sending(client, HABITS[name]).run(mail);
}

/**
 * All programs that {@linkcode sendAs} knows.
 *
 * @category Testing
 */
export const CLIENT_NAMES: readonly ClientName[] = namesOf(HABITS);

function namesOf<Name extends string>(
  table: Readonly<Record<Name, unknown>>,
): readonly Name[] {
  const isName = (key: string): key is Name => Object.hasOwn(table, key);
  return Object.keys(table).filter(isName);
}

/** A command, and the challenge that must be its reply. */
interface Line {
  readonly text: string;
  readonly prompt?: string | undefined;
}

/** One message under way. */
class Sending {
  readonly #client: SmtpClient;
  readonly #habit: Habit;

  constructor(client: SmtpClient, habit: Habit) {
    this.#client = client;
    this.#habit = habit;
  }

  async run(mail: TestMail): Promise<Reply> {
    const { hello, pipelines } = this.#habit;
    await this.#client.expect("220");
    const [login, envelope] = [this.#login(mail), this.#envelope(mail)];
    const packets = pipelines === "all" ? [[...login, ...envelope]] : [
      ...singly(login),
      ...(pipelines === "envelope" ? [envelope] : singly(envelope)),
    ];
    for (const packet of [[{ text: hello }], ...packets]) {
      const refusal = await this.#ask(packet);
      if (refusal !== undefined) return refusal;
    }
    return await this.#content(mail);
  }

  #login(mail: TestMail): Line[] {
    const { auth, afterLogin } = this.#habit;
    const { lines, prompts = [] } = auth(mail);
    const said = lines.map((text, i) => ({ text, prompt: prompts[i] }));
    return afterLogin === undefined ? said : [...said, { text: afterLogin }];
  }

  #envelope(mail: TestMail): Line[] {
    const { sender = "ann@example.org", recipients = ["bob@example.net"] } =
      mail;
    const { mail: verb = "MAIL FROM", parameters } = this.#habit;
    const octets = new TextEncoder().encode(mail.text ?? TEXT).length;
    return [
      `${verb}:<${sender}>${parameters(octets)}`,
      ...recipients.map((recipient) => `RCPT TO:<${recipient}>`),
      "DATA",
    ].map((text) => ({ text }));
  }

  /** Sends some lines at once; returns the reply that refuses one of them. */
  async #ask(lines: readonly Line[]): Promise<Reply | undefined> {
    await this.#say(lines.map(({ text }) => `${text}\r\n`).join(""));
    const refusals: Reply[] = [];
    for (const { prompt } of lines) {
      const reply = await this.#client.reply();
      if (/^[45]/.test(reply.status)) refusals.push(reply);
      else if (prompt !== undefined && reply.lines[0] !== prompt) {
        throw new Error(`The prompt must be ${prompt}: got ${reply.lines[0]}`);
      }
    }
    return refusals[0];
  }

  /** Sends the message, and takes leave. */
  async #content({ text = TEXT }: TestMail): Promise<Reply> {
    const { extra = "", halfCloses = false } = this.#habit;
    const stuffed = text.replaceAll(/(^|\r\n)\./g, "$1..");
    const message = `${stuffed}${extra}.\r\n`;
    if (halfCloses) {
      await this.#say(`${message}QUIT\r\n`);
      await this.#client.closeWrite();
    } else await this.#say(message);
    const reply = await this.#client.reply();
    if (!halfCloses) await this.#say("QUIT\r\n");
    await this.#client.expect("221");
    await this.#client.expectEnd();
    return reply;
  }

  async #say(text: string): Promise<void> {
    const { octetWise = false } = this.#habit;
    const octets = new TextEncoder().encode(text);
    if (!octetWise) return await this.#client.sendRaw(octets);
    for (let i = 0; i < octets.length; i++) {
      await this.#client.sendRaw(octets.subarray(i, i + 1));
    }
  }
}

function singly(lines: readonly Line[]): Line[][] {
  return lines.map((line) => [line]);
}
