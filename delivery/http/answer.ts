/**
 * What an endpoint's answer to a message means.
 *
 * @module
 */

import type { SmtpReply } from "../../smtp/protocol/replies.ts";

/** What became of a message: a union on `kind`. */
export type Verdict =
  /** The endpoint has it, and may call it by a name. */
  | { readonly kind: "accepted"; readonly id?: string }
  /** It refuses it, and says how. */
  | { readonly kind: "refused"; readonly reply: SmtpReply }
  /** Nobody can tell: the words are for the log. */
  | { readonly kind: "failed"; readonly words: string };

/** The most characters of a text or a name that a client may read. */
const MAX_TEXT_LENGTH = 200;

/** What a status means where the answer has no reply of its own. */
const REFUSALS: Readonly<Record<number, SmtpReply>> = {
  400: reply(554, "5.6.0", "Message not acceptable"),
  403: reply(550, "5.7.1", "Message not allowed"),
  404: reply(550, "5.1.1", "No such recipient"),
  410: reply(550, "5.1.6", "Recipient has moved"),
  413: reply(552, "5.3.4", "Message too large"),
  422: reply(554, "5.6.0", "Message not acceptable"),
};

function reply(code: number, enhanced: string, text: string): SmtpReply {
  return Object.freeze({ code, enhanced, text });
}

/**
 * Reads an answer.
 *
 * @param status The HTTP status.
 * @param text Its body: whatever the endpoint likes, or a JSON object with `id`
 * or `reply`.
 */
export function readAnswer(status: number, text: string): Verdict {
  if (status >= 300 && status < 400) return failed(`it redirects (${status})`);
  if (status === 401) return failed("it refuses our token (401)");
  const answer = jsonObject(text);
  const isYes = isSuccess(status);
  const given = answer?.reply;
  // Who says yes twice must not be sent the message again and again.
  if (given !== undefined && given !== null && !(isYes && isYesToo(given))) {
    const own = readReply(given);
    return own === undefined
      ? failed(`it answers ${status} with a reply that is none`)
      : { kind: "refused", reply: own };
  }
  if (isYes) return accepted(answer?.id);
  const refusal = REFUSALS[status];
  return refusal === undefined
    ? failed(`it answers ${status}`)
    : { kind: "refused", reply: refusal };
}

function isSuccess(code: number): boolean {
  return code >= 200 && code < 300;
}

function isYesToo(reply: unknown): boolean {
  return isObject(reply) && typeof reply.code === "number" &&
    isSuccess(reply.code);
}

function failed(words: string): Verdict {
  return { kind: "failed", words };
}

function accepted(id: unknown): Verdict {
  return isText(id) ? { kind: "accepted", id } : { kind: "accepted" };
}

/**
 * A refusal in the endpoint's words: for now or for good, but not 421, behind
 * which we would have to hang up (RFC 5321 section 3.8).
 */
function readReply(value: unknown): SmtpReply | undefined {
  if (!isObject(value)) return undefined;
  const { code, enhanced } = value;
  const text = readText(value.text);
  if (
    typeof code !== "number" || !Number.isInteger(code) || code < 400 ||
    code > 599 || code === 421 || text === undefined
  ) {
    return undefined;
  }
  if (enhanced === undefined || enhanced === null) return { code, text };
  const isEnhanced = typeof enhanced === "string" &&
    /^[45]\.[0-9]{1,3}\.[0-9]{1,3}$/.test(enhanced) &&
    enhanced.startsWith(String(code)[0] ?? "");
  return isEnhanced ? { code, enhanced, text } : undefined;
}

/**
 * A text as a client can read it. One in another language, or a long one, is no
 * reason to have the client send the message again and again.
 */
function readText(value: unknown): string | undefined {
  if (typeof value !== "string" || value.trim() === "") return undefined;
  return value.replaceAll(/[^\x20-\x7e]+/g, "?").slice(0, MAX_TEXT_LENGTH);
}

/** What may stand in a reply: printable ASCII in one line. */
function isText(value: unknown): value is string {
  return typeof value === "string" && value.length <= MAX_TEXT_LENGTH &&
    /^[\x20-\x7e]+$/.test(value) && value.trim() !== "";
}

function jsonObject(
  text: string,
): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
