/**
 * Tokens for XOAUTH2 by the client credentials grant (RFC 6749 section 4.4):
 * fetched when one is needed, and again shortly before it expires.
 *
 * @module
 */

import { readBounded } from "../../lib/bounded_body.ts";
import { faultOf } from "../../lib/network_fault.ts";
import { race } from "../../lib/race.ts";
import { RelayError } from "./failures.ts";

/** How long the endpoint may take, in milliseconds. */
const LIMIT_MS = 30_000;

/** The most octets of its answer: tokens with many groups are some 10 KB. */
const MAX_ANSWER_OCTETS = 65_536;

/** How long before its end a token is replaced, in milliseconds. */
const EARLY_MS = 300_000;

/** How long a token holds that does not say so, in seconds. */
const DEFAULT_SECONDS = 600;

/**
 * How old a token must be for a refusal to be its fault, in milliseconds. A
 * fresh one that is refused would only be fetched again and again.
 */
const FRESH_MS = 60_000;

/** What an access token consists of (RFC 6750 section 2.1). */
const TOKEN = /^[A-Za-z0-9._~+/-]+=*$/;

/** Who asks for tokens, and where. */
export interface TokenRules {
  /** The token endpoint. */
  readonly tokenUrl: URL;
  /** The application's id. */
  readonly clientId: string;
  /** Its secret. */
  readonly clientSecret: () => string;
  /** What the token is for; absent if the endpoint knows. */
  readonly scope: string | undefined;
  /** Fetches. */
  readonly fetch: typeof fetch;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** A token and its times, in milliseconds since 1970. */
interface Token {
  readonly text: string;
  readonly fetchedAt: number;
  readonly renewAt: number;
  readonly expiresAt: number;
}

/** Tokens of one application. */
export class TokenSource {
  readonly #rules: TokenRules;
  #token: Token | undefined;
  /** The request that is under way, for all who wait for it. */
  #fetching: Promise<Token> | undefined;

  /** @param rules Who asks for tokens, and where. */
  constructor(rules: TokenRules) {
    this.#rules = rules;
  }

  /**
   * A token that holds now.
   *
   * @throws {RelayError} If the endpoint gives none.
   */
  async get(): Promise<string> {
    const known = this.#token;
    const now = this.#rules.now();
    if (known !== undefined && now < known.renewAt) return known.text;
    this.#fetching ??= this.#fetch().finally(() => this.#fetching = undefined);
    try {
      this.#token = await this.#fetching;
      return this.#token.text;
    } catch (error) {
      // The one that we have is good for some minutes more.
      if (known !== undefined && now < known.expiresAt) return known.text;
      throw error;
    }
  }

  /** The next hop does not take the token: the next login gets another one. */
  refused(): void {
    const age = this.#rules.now() - (this.#token?.fetchedAt ?? 0);
    if (age >= FRESH_MS) this.#token = undefined;
  }

  async #fetch(): Promise<Token> {
    const abort = new AbortController();
    const answer = await race(() => this.#ask(abort.signal), {
      limit: LIMIT_MS,
    });
    switch (answer.kind) {
      case "done":
        return readToken(answer.value, this.#rules.now());
      case "broken":
        if (answer.error instanceof RelayError) throw answer.error;
        throw failed(`the token endpoint: ${faultOf(answer.error)}`);
      default:
        abort.abort();
        throw failed("no answer from the token endpoint in time");
    }
  }

  async #ask(signal: AbortSignal): Promise<unknown> {
    const { tokenUrl, clientId, clientSecret, scope } = this.#rules;
    const response = await this.#rules.fetch(tokenUrl, {
      method: "POST",
      // Not to be followed: it would carry the secret elsewhere.
      redirect: "manual",
      headers: { accept: "application/json" },
      body: new URLSearchParams({
        grant_type: "client_credentials",
        client_id: clientId,
        client_secret: clientSecret(),
        ...(scope === undefined ? {} : { scope }),
      }),
      signal,
    });
    const octets = await readBounded(response.body, MAX_ANSWER_OCTETS, signal);
    const answer = octets === undefined ? undefined : parseJSON(octets);
    if (response.status === 200) return answer;
    throw failed(`status ${response.status}${oauthError(answer)}`);
  }
}

function readToken(answer: unknown, now: number): Token {
  const { access_token: text, expires_in: seconds, token_type: kind } =
    membersOf(answer);
  const isBearer = kind === undefined ||
    typeof kind === "string" && kind.toLowerCase() === "bearer";
  if (typeof text !== "string" || !TOKEN.test(text) || !isBearer) {
    throw failed("the answer of the token endpoint holds no bearer token");
  }
  const lifeMs = 1000 * (Number(seconds ?? DEFAULT_SECONDS) || 0);
  return {
    text,
    fetchedAt: now,
    // A short one is renewed at half its life, not at every login.
    renewAt: now + Math.max(lifeMs - EARLY_MS, lifeMs / 2),
    expiresAt: now + lifeMs,
  };
}

/**
 * What an endpoint says about its refusal (RFC 6749 section 5.2), as far as it
 * is a word: `invalid_client`, and Microsoft's number for it.
 */
function oauthError(answer: unknown): string {
  const { error, error_description: description } = membersOf(answer);
  const word = /^[a-z_]{1,40}$/.exec(textOf(error))?.[0];
  const number = /^AADSTS[0-9]{1,10}(?=:)/.exec(textOf(description))?.[0];
  return [word, number].map((part) => part === undefined ? "" : ` ${part}`)
    .join("");
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function membersOf(answer: unknown): Readonly<Record<string, unknown>> {
  return typeof answer === "object" && answer !== null ? { ...answer } : {};
}

function parseJSON(octets: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(octets));
  } catch {
    return undefined;
  }
}

function failed(detail: string): RelayError {
  return new RelayError({ reason: "relay-token", detail });
}
