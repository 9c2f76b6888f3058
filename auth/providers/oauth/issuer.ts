/**
 * An issuer, and what it says about tokens: by what it signs, or when asked.
 *
 * @module
 */

import { type BadToken, badToken } from "./claims.ts";
import { discover, type IssuerMetadata } from "./discovery.ts";
import { IssuerDocument } from "./document.ts";
import {
  introspect,
  type Introspected,
  type IntrospectionClient,
} from "./introspection.ts";
import { type Fetched, type Outage, outage } from "./issuer_http.ts";
import { headerOf, type KeySet, newKeys, type Signed, verify } from "./keys.ts";
import type { OAuthSettings } from "./options.ts";

/** The longest token, as long as the longest line that may bring one. */
const MAX_TOKEN_LENGTH = 12_288;

/** What a token consists of (RFC 6750 section 2.1). */
const TOKEN = /^[A-Za-z0-9._~+/-]+=*$/;

/** What comes of a token: who says what about it, or why nobody can tell. */
export type KnownToken = Signed | Introspected | BadToken | Outage;

/** What an issuer has for us. */
export interface ProbedIssuer {
  /** How many keys it publishes; absent if none is ever needed. */
  readonly keys: number | undefined;
  /** Whether it answers us about tokens. */
  readonly introspects: boolean;
}

/** One issuer, whose metadata and keys are fetched when they are needed. */
export class Issuer {
  readonly #settings: OAuthSettings;
  readonly #metadata: IssuerDocument<IssuerMetadata>;
  readonly #keys: IssuerDocument<KeySet>;

  /** @param settings Where it is, and how to ask. */
  constructor(settings: OAuthSettings) {
    const { http, rules: { issuer }, now } = settings;
    const fetch = () => discover(http, issuer);
    this.#settings = settings;
    this.#metadata = new IssuerDocument({ fetch, now });
    this.#keys = newKeys(http, this.#metadata, now);
  }

  /** What the issuer says about a token. */
  async claimsOf(
    token: string,
    signal: AbortSignal | undefined,
  ): Promise<KnownToken> {
    const { always, client } = this.#settings;
    if (token.length > MAX_TOKEN_LENGTH || !TOKEN.test(token)) {
      return badToken("token-malformed");
    }
    const header = always ? undefined : headerOf(token);
    if (header !== undefined) {
      return await verify(token, header, this.#keys, signal);
    }
    return client === undefined
      ? badToken("token-malformed", "no JWT")
      : await this.#ask(client, token, signal);
  }

  /** Does what a first token of each kind would have to be done. */
  async probe(): Promise<Fetched<ProbedIssuer>> {
    const { always, client } = this.#settings;
    let keys: number | undefined;
    if (!always) {
      const known = await this.#keys.get();
      if (known.kind === "outage") return known;
      keys = known.value.jwks().keys.length;
    }
    if (client !== undefined) {
      const asked = await this.#ask(client, crypto.randomUUID());
      if (asked.kind === "outage") return asked;
    }
    const introspects = client !== undefined;
    return { kind: "fetched", value: { keys, introspects } };
  }

  async #ask(
    client: IntrospectionClient,
    token: string,
    signal?: AbortSignal,
  ): Promise<Introspected | BadToken | Outage> {
    const { http, introspectionUrl } = this.#settings;
    let url = introspectionUrl;
    if (url === undefined) {
      const known = await this.#metadata.member(
        ({ introspectionEndpoint }) => introspectionEndpoint,
        signal,
      );
      if (known.kind === "outage") return known;
      url = known.value;
    }
    return url === undefined
      ? outage("backend-answer", "discovery: introspection_endpoint")
      : await introspect(http, url, client, token, signal);
  }
}
