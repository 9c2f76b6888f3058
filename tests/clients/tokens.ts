/**
 * Logins with tokens: what every client that speaks XOAUTH2 or OAUTHBEARER must
 * be able to do, and what it must be told.
 *
 * @module
 */

import { assert, assertEquals } from "../support/assert.ts";
import { longToken } from "../support/bearer_steps.ts";
import { testCertificate } from "../support/certificate.ts";
import { type SeenRequest, serveHttp } from "../support/http_end.ts";
import { startListener, temporaryFolder } from "../support/listener.ts";
import { assertSameOctets, MESSAGE, storedMessages } from "./messages.ts";
import { HELO, type Login, type Target } from "./support.ts";

/** The mechanisms for tokens. */
export type TokenMechanism = "XOAUTH2" | "OAUTHBEARER";

/** A name with what OAUTHBEARER has escapes for. */
const AWKWARD_USER = "ann=mail,2@example.org";

/** Tokens as large as those that name a user's groups are. */
const OCTETS = 6144;

const REFUSED = "535 5.7.8 Not for mail";

const OUTAGE = "454 4.7.0 Temporary authentication failure";

/** One login with a token. */
export interface TokenJob {
  readonly target: Target;
  readonly mechanism: TokenMechanism;
  readonly login: Login;
  /** For the client's files. */
  readonly folder: string;
  /** A file with the listener's certificate. */
  readonly trusted: string;
}

/** What the endpoint says about a token. */
function answer({ body }: SeenRequest): Response {
  const { password } = JSON.parse(body);
  switch (password.split(".")[0]) {
    case "good":
      return Response.json({ ok: true });
    case "refused": {
      const tokenError = {
        status: "insufficient_scope",
        scope: "mail",
        "openid-configuration":
          "https://sso.example/.well-known/openid-configuration",
      };
      return Response.json({ ok: false, text: "Not for mail", tokenError });
    }
    default:
      return new Response("out of order", { status: 500 });
  }
}

/** What a client can do. */
export interface TokenOptions {
  /** Default: a name with a comma and an equals sign. */
  readonly username?: string;
  /** How long a token the client can send. Default: 6 KB. */
  readonly octets?: number;
  /** What it is told about a refused token. Default: the reply. */
  readonly refused?: string;
}

/**
 * Has a message sent over STARTTLS and TLS with a token that is accepted, one
 * that is refused and one about which nobody can tell, and compares what the
 * client says, what the endpoint was asked and what was logged.
 */
export async function checkTokens(
  mechanisms: readonly TokenMechanism[],
  attempt: (job: TokenJob) => Promise<string>,
  { username = AWKWARD_USER, octets = OCTETS, refused = REFUSED }:
    TokenOptions = {},
): Promise<void> {
  /** What a token begins with says what becomes of it. */
  const outcomes = { good: "sent", refused, outage: OUTAGE };
  await using cleanUp = new AsyncDisposableStack();
  const endpoint = cleanUp.use(serveHttp(answer));
  const certificate = await testCertificate();
  const listener = cleanUp.use(
    await startListener({
      authUrl: endpoint.url,
      certificate,
      args: [
        ...["--mechanisms", ["PLAIN", "LOGIN", ...mechanisms].join()],
        "--no-throttle",
      ],
    }),
  );
  const folder = temporaryFolder(cleanUp);
  const trusted = `${folder}/trusted.pem`;
  Deno.writeTextFileSync(trusted, certificate.cert);
  const targets: readonly Target[] = [
    { mode: "STARTTLS", port: listener.port, listener },
    { mode: "implicit TLS", port: listener.tlsPort, listener },
  ];
  for (const target of targets) {
    for (const mechanism of mechanisms) {
      for (const [word, outcome] of Object.entries(outcomes)) {
        const asked = endpoint.requests.length;
        const password = `${word}.${longToken(octets - word.length - 1)}`;
        const login = { username, password };
        const job = { target, mechanism, login, folder, trusted };
        const what = `${mechanism} over ${target.mode}`;
        assertEquals(await attempt(job), outcome, what);
        const { body = "{}" } = endpoint.requests[asked] ?? {};
        assertEquals<unknown>(JSON.parse(body), {
          ...login,
          mechanism,
          remoteIp: "127.0.0.1",
          heloName: HELO,
        }, what);
      }
    }
  }
  const stored = storedMessages(listener);
  assertEquals(stored.length, targets.length * mechanisms.length);
  for (const { octets } of stored) assertSameOctets(octets, MESSAGE, "message");
  const log = listener.stderr();
  assert(!log.includes("eyJhbGci"), "a token is in the log");
  assert(log.includes(username), "the log names the user");
}

/** The last reply to a login in what a client shows of a session. */
export function refusalIn(shown: string): string {
  const replies = shown.match(/(?:535|454) [45]\.7\.[0-9] [^\r\n]*/g);
  return replies?.at(-1) ?? shown;
}
