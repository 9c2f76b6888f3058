/**
 * For the tests of whoever embeds the library or writes a mail program: a
 * listener that keeps its mail, a client that says exactly what it is told or
 * sends as real programs do, an endpoint and an issuer of tokens that break on
 * demand, and a provider that lets everybody in.
 *
 * It stands apart from the entry point `.`, because no server needs it.
 *
 * @example A hook of your own, without a network
 * ```ts
 * import { newTestServer } from "@meowmail/smtpauth/testing";
 *
 * await using server = newTestServer({
 *   inMemory: true,
 *   onRecipient: (_mail, mailbox) =>
 *     mailbox.endsWith("@example.net")
 *       ? undefined
 *       : { code: 550, enhanced: "5.7.1", text: "Not to there" },
 * });
 * using client = await server.greeted();
 * await client.login("ann", "secret");
 * await client.command("MAIL FROM:<ann@example.org>", "250");
 * await client.command("RCPT TO:<bob@example.net>", "250");
 * await client.command("RCPT TO:<eve@example.com>", "550 5.7.1");
 * ```
 *
 * @module
 */

// A listener that keeps its mail.
export {
  newTestServer,
  openTestServer,
  type TestConnectOptions,
  type TestMessage,
  type TestServer,
  type TestServerOptions,
} from "./testing/server.ts";
export { acceptAny } from "./testing/accept_any.ts";

// A client, word by word or as real ones do.
export {
  type ClientConn,
  type ConnectOptions,
  plain,
  type Reply,
  SmtpClient,
} from "./testing/client.ts";
export { CLIENT_NAMES, sendAs } from "./testing/send_as.ts";
export type { ClientName, Login, TestMail } from "./testing/habits.ts";

// What a provider asks, with faults on demand.
export {
  type EndpointQuestion,
  LOGINS,
  newTestEndpoint,
  type TestEndpoint,
  type TestEndpointOptions,
} from "./testing/endpoint.ts";
export {
  BrokenConnection,
  type Fault,
  type FaultFunction,
  type FaultName,
  flapping,
} from "./testing/faults.ts";
export {
  type Claims,
  type IssuerPart,
  type Signing,
  TestIssuer,
  type TestIssuerOptions,
} from "./testing/issuer.ts";
export type { SigningAlgorithm, SigningKey } from "./testing/signer.ts";
export {
  type ServedIssuer,
  type ServedIssuerOptions,
  serveTestIssuer,
} from "./testing/served_issuer.ts";
