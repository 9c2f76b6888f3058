/**
 * An OAuth issuer in memory: discovery, keys and their rotation, tokens,
 * introspection, and faults on demand.
 *
 * @module
 */

import { type Fault, faultFunction } from "./faults.ts";
import { memoryFetch } from "./memory_fetch.ts";
import {
  newSigningKey,
  type SigningAlgorithm,
  type SigningKey,
  writeJws,
} from "./signer.ts";

/**
 * What an issuer can be asked for.
 *
 * @category Testing
 */
export type IssuerPart = "discovery" | "keys" | "introspection";

/**
 * How an issuer signs a token, where not as usual.
 *
 * @category Testing
 */
export interface Signing {
  /** Default: ES256. */
  readonly alg?: SigningAlgorithm;
  /** Members of the header in place of `alg`, `kid` and `typ`. */
  readonly header?: Readonly<Record<string, unknown>>;
}

/**
 * What an issuer is like.
 *
 * @category Testing
 */
export interface TestIssuerOptions {
  /** Where it is. Default: nowhere that could be reached. */
  readonly url?: string;
  /** Milliseconds since 1970. Default: `Date.now`. */
  readonly now?: () => number;
}

/**
 * Claims of a token: those that a test has other than usual, or all of them.
 *
 * @category Testing
 */
export type Claims = Readonly<Record<string, unknown>>;

/**
 * An issuer for tests: it is in memory, and reached by its own `fetch`, or by
 * {@linkcode serveTestIssuer} at a port.
 *
 * @example A token, and an outage of the issuer
 * ```ts
 * import { newOAuthProvider } from "@meowmail/smtpauth/oauth";
 * import { TestIssuer } from "@meowmail/smtpauth/testing";
 *
 * const issuer = new TestIssuer();
 * const { url, fetch } = issuer;
 * const provider = newOAuthProvider({ issuer: url, audience: "smtp", claim: "email", fetch });
 * const request = {
 *   username: "ann@example.com",
 *   password: await issuer.token(),
 *   mechanism: "XOAUTH2",
 *   remoteIp: "192.0.2.7",
 *   heloName: "laptop",
 * };
 * issuer.break("500");
 * console.assert((await provider(request)).decision === "authFailure");
 * ```
 * @category Testing
 */
export class TestIssuer {
  /** Letter by letter what stands in `iss`. */
  readonly url: string;
  /** Who may introspect. */
  readonly clientId = "mail server";
  /** With which secret. */
  readonly clientSecret = "s3cret: ä";
  /** What has been asked for, in order. */
  readonly asked: IssuerPart[] = [];
  /** What is broken, and how. */
  readonly faults: Map<IssuerPart, Fault> = new Map();
  /** What is known about tokens that are asked about. */
  readonly opaque: Map<string, Claims> = new Map();
  /** Members of the metadata, in place of the usual ones. */
  metadata: Readonly<Record<string, unknown>> = {};
  readonly #now: () => number;
  readonly #keys = new Map<SigningAlgorithm, Promise<SigningKey>>();
  #published = 0;

  /**
   * Makes one without keys: the first token makes the first key.
   *
   * @param options Where it is, and when.
   */
  constructor(options: TestIssuerOptions = {}) {
    this.url = options.url ?? "https://issuer.test/realms/staff";
    this.#now = options.now ?? Date.now;
  }

  /** How often something has been asked for. */
  count(part: IssuerPart): number {
    return this.asked.filter((each) => each === part).length;
  }

  /** Breaks all of it, or mends it with `none`. */
  break(fault: Fault): void {
    for (const part of ["discovery", "keys", "introspection"] as const) {
      this.faults.set(part, fault);
    }
  }

  /** The key that signs; the first token that needs one makes it. */
  key(alg: SigningAlgorithm = "ES256"): Promise<SigningKey> {
    const known = this.#keys.get(alg);
    if (known !== undefined) return known;
    const key = newSigningKey(alg, `${alg}-${++this.#published}`);
    this.#keys.set(alg, key);
    return key;
  }

  /** Signs with new keys from now on, and publishes the old ones no more. */
  rotate(): void {
    this.#keys.clear();
  }

  /** Claims that let ann@example.com in for an hour. */
  claims(changes: Claims = {}): Claims {
    const seconds = Math.floor(this.#now() / 1000);
    return {
      iss: this.url,
      aud: "smtp",
      iat: seconds,
      exp: seconds + 3600,
      sub: "5f3c1a",
      azp: "thunderbird",
      scope: "openid mail",
      email: "ann@example.com",
      email_verified: true,
      ...changes,
    };
  }

  /** Signs a token. A claim that is `undefined` is not there. */
  async token(changes: Claims = {}, signing: Signing = {}): Promise<string> {
    const { alg, kid, sign } = await this.key(signing.alg);
    const header = { alg, kid, typ: "JWT", ...signing.header };
    return await writeJws(header, this.claims(changes), sign);
  }

  /** Answers without a network, as the global `fetch` would. */
  readonly fetch: typeof globalThis.fetch = memoryFetch((request) =>
    this.handle(request)
  );

  /** Answers a request, as a server would. */
  readonly handle = async (request: Request): Promise<Response> => {
    const part = this.#partOf(new URL(request.url));
    if (part === undefined) return new Response("nothing", { status: 404 });
    this.asked.push(part);
    const fault = faultFunction(this.faults.get(part) ?? "none");
    return await fault(request) ?? await this.#answer(part, request);
  };

  async #answer(part: IssuerPart, request: Request): Promise<Response> {
    switch (part) {
      case "discovery":
        return Response.json(this.#metadata());
      case "keys":
        return Response.json({ keys: await this.#keySet() });
      case "introspection":
        return await this.#introspect(request);
    }
  }

  #partOf({ href }: URL): IssuerPart | undefined {
    const parts: readonly (readonly [string, IssuerPart])[] = [
      ["/.well-known/openid-configuration", "discovery"],
      ["/keys", "keys"],
      ["/introspect", "introspection"],
    ];
    const base = this.url.replace(/\/$/, "");
    return parts.find(([path]) => href === base + path)?.[1];
  }

  #metadata(): object {
    const base = this.url.replace(/\/$/, "");
    return {
      issuer: this.url,
      jwks_uri: `${base}/keys`,
      introspection_endpoint: `${base}/introspect`,
      ...this.metadata,
    };
  }

  async #keySet(): Promise<readonly object[]> {
    if (this.#keys.size === 0) await this.key();
    const keys = await Promise.all(this.#keys.values());
    return keys.map(({ jwk }) => jwk);
  }

  async #introspect(request: Request): Promise<Response> {
    const pair = [this.clientId, this.clientSecret].map((text) =>
      new URLSearchParams([["", text]]).toString().slice(1)
    ).join(":");
    if (request.headers.get("authorization") !== `Basic ${btoa(pair)}`) {
      return Response.json({ error: "invalid_client" }, { status: 401 });
    }
    const form = new URLSearchParams(await request.text());
    const claims = this.opaque.get(form.get("token") ?? "");
    const good = request.method === "POST" && claims !== undefined;
    return Response.json(
      good ? { active: true, ...claims } : { active: false },
    );
  }
}
