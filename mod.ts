/**
 * SMTP authentication for any server: types, a SASL step decoder for PLAIN,
 * LOGIN, XOAUTH2 and OAUTHBEARER, ready providers, and a whole submission
 * listener.
 *
 * An {@linkcode AuthProvider} is a function that answers one question: may
 * this user send? Everything else here asks it or answers it.
 *
 * @example A provider of your own
 * ```ts
 * import { type AuthProvider, newHTTPAuthProvider } from "@meowmail/smtpauth";
 *
 * // Asks an endpoint of yours: POST with JSON, answered by {"ok":true} or not.
 * const intranet = newHTTPAuthProvider("https://intranet.example/may-send");
 *
 * // Any function of this shape is a provider. One that throws is a temporary
 * // failure (454), not a wrong password.
 * const provider: AuthProvider = (request, signal) => {
 *   if (!request.username.endsWith("@example.com")) return "authInvalid";
 *   return intranet(request, signal);
 * };
 * ```
 *
 * @example AUTH in a server of your own
 * ```ts
 * import {
 *   askProvider, type AuthProvider, continueSasl, finishSasl, type SaslStep, type SmtpReply,
 *   startSasl,
 * } from "@meowmail/smtpauth";
 *
 * // `words` is what follows AUTH; `send` sends a reply and reads the next line.
 * async function auth(
 *   words: string[], provider: AuthProvider, send: (reply: SmtpReply) => Promise<string>,
 * ): Promise<SmtpReply> {
 *   const where = { remoteIp: "192.0.2.7", heloName: "laptop" };
 *   let step: SaslStep = startSasl(words[0] ?? "", words[1]);
 *   while (step.kind !== "error") {
 *     if (step.kind === "credentials") {
 *       const { username, password, mechanism } = step;
 *       const request = { username, password, mechanism, ...where };
 *       const last = finishSasl(step, await askProvider(provider, request));
 *       if (last.kind === "done") return last.reply;
 *       step = last;
 *     }
 *     step = continueSasl(step, await send({ code: 334, text: step.challenge }));
 *   }
 *   return step; // an error is a reply
 * }
 *
 * const lines = [btoa("ann"), btoa("secret")];
 * const reply = await auth(["LOGIN"], () => "authOk", () => Promise.resolve(lines.shift() ?? "*"));
 * console.assert(reply.code === 235);
 * ```
 *
 * @example A whole listener
 * ```ts
 * import { newStaticAuthProvider, serveSmtp } from "@meowmail/smtpauth";
 *
 * const provider = newStaticAuthProvider({ ann: "correct horse battery staple" });
 * const server = serveSmtp({ port: 0, provider }, async ({ envelope, body }) => {
 *   const text = await new Response(body).text();
 *   console.log(`${envelope.sender} to ${envelope.recipients}: ${text.length} characters`);
 * });
 * console.log("listening on port", server.addrs[0]?.port);
 * await server.shutdown();
 * ```
 *
 * @module
 */

// The words: what is asked, who answers, and what the answers are.
export {
  type Accepted,
  AuthDecision,
  AuthProgress,
  type AuthProvider,
  type AuthRequest,
  type AuthResult,
  type LoginRights,
  type ReadyProvider,
  type Refused,
  type ResultCause,
  type SendingLimits,
  type TokenError,
} from "./auth/types.ts";
export type {
  AuthReason,
  ProviderReason,
  SaslErrorReason,
  TokenReason,
} from "./auth/reasons.ts";
export type {
  AcceptFailedEvent,
  AuthEvent,
  AuthVia,
  ClosedEvent,
  ClosedReason,
  ConnectionEvent,
  LimitReachedEvent,
  OpenedEvent,
  SecuredEvent,
  ServerEvent,
} from "./auth/events.ts";

// For a server of your own: AUTH line by line, and the replies.
export { askProvider } from "./auth/ask_provider.ts";
export { decisionReply, type SmtpReply } from "./auth/replies.ts";
export {
  continueSasl,
  finishSasl,
  type SaslOptions,
  startSasl,
} from "./auth/sasl/sasl.ts";
export type { Mechanism } from "./auth/sasl/mechanism.ts";
export { LOGIN } from "./auth/sasl/login.ts";
export { OAUTHBEARER } from "./auth/sasl/oauthbearer.ts";
export type { MechanismName, MechanismOffer } from "./auth/sasl/offer.ts";
export { PLAIN } from "./auth/sasl/plain.ts";
export { XOAUTH2 } from "./auth/sasl/xoauth2.ts";
export type {
  SaslChallenge,
  SaslCredentials,
  SaslDone,
  SaslError,
  SaslStep,
} from "./auth/sasl/steps.ts";

// Who knows the users: an endpoint, a table, a file, a Dovecot, or several.
export type { HTTPAuthProviderOptions } from "./auth/providers/http.ts";
export {
  type HTTPAuthProvider,
  newHTTPAuthProvider,
} from "./adapters/http/provider.ts";
export { newStaticAuthProvider } from "./auth/providers/static.ts";
export {
  newUsersAuthProvider,
  type UsersAuthProvider,
  type UsersAuthProviderOptions,
} from "./auth/providers/users/users.ts";
export {
  type DovecotAuthProvider,
  type DovecotAuthProviderOptions,
  newDovecotAuthProvider,
} from "./adapters/dovecot/provider.ts";
export { firstProvider } from "./auth/providers/first.ts";
export { byMechanism } from "./auth/providers/by_mechanism.ts";

// Around a provider: against guessing, outages and overload.
export { type CacheOptions, withCache } from "./auth/guards/cache/cache.ts";
export {
  maxConcurrent,
  type MaxConcurrentOptions,
} from "./auth/guards/max_concurrent.ts";
export { unthrottle } from "./auth/guards/throttle/unthrottle.ts";
export { withThrottle } from "./auth/guards/throttle/throttle.ts";
export type { ThrottleOptions } from "./auth/guards/throttle/options.ts";

// Where things are remembered: in memory, or where several processes share them.
export {
  type MemoryStore,
  type MemoryStoreOptions,
  newMemoryStore,
} from "./auth/state/memory_store.ts";
export {
  type KvAtomic,
  type KvDatabase,
  type KvEntry,
  type KvStoreOptions,
  newKvStore,
} from "./auth/state/kv_store.ts";
export {
  newRedisStore,
  type RedisStoreOptions,
} from "./auth/state/redis_store.ts";
export { type FallbackOptions, withFallback } from "./auth/state/fallback.ts";
export type {
  StateAwayEvent,
  StateBackEvent,
  StateEvent,
} from "./auth/events.ts";
export type {
  Store,
  StoreShare,
  StoreValues,
  StoreWrite,
} from "./auth/state/store.ts";

// After the login: what is remembered of it, for those who ask later.
export {
  rememberRights,
  type RememberRightsOptions,
} from "./auth/rights/remember_rights.ts";

// For other mail servers: they ask, a provider answers.
export {
  type DovecotAuthOptions,
  serveDovecotAuth,
} from "./adapters/dovecot/server.ts";
export {
  type PostfixPolicyOptions,
  servePostfixPolicy,
} from "./adapters/policy/server.ts";
export { serveSaslauthd } from "./adapters/saslauthd/server.ts";
export type { AuthServerOptions } from "./adapters/auth_server.ts";
export type {
  AuthServer,
  AuthServerAddress,
  AuthServerTcpAddress,
  AuthServerUnixAddress,
  SocketServerOptions,
} from "./adapters/socket_server.ts";
export {
  authHandler,
  type AuthHandlerOptions,
} from "./adapters/http/handler.ts";
export {
  nginxAuthHandler,
  type NginxAuthOptions,
} from "./adapters/nginx/handler.ts";
export type { NginxUpstream } from "./adapters/nginx/protocol.ts";
export {
  smtpServerAuth,
  type SmtpServerAuthOptions,
  type SmtpServerConnection,
  type SmtpServerLogin,
  type SmtpServerOnAuth,
} from "./adapters/smtp_server/on_auth.ts";

// A whole listener, and who takes its mail.
export { listenSmtp, serveSmtp, type SmtpServer } from "./smtp/listener.ts";
export type { ServeSmtpOptions, SmtpAddress } from "./smtp/options.ts";
export type { Certificate } from "./net/tls.ts";
export {
  type HTTPDelivery,
  type HTTPDeliveryOptions,
  newHTTPDelivery,
} from "./delivery/http/delivery.ts";
export type { Deliver } from "./smtp/delivery.ts";
export type {
  Destination,
  Mail,
  MailAnswer,
  OnRecipient,
  OnSender,
  Transfer,
} from "./smtp/destination.ts";
export {
  type SendingLimitsOptions,
  withSendingLimits,
} from "./smtp/sending_limits.ts";
export { openMaildir } from "./delivery/maildir.ts";
export { newRelay, type Relay } from "./delivery/relay/relay.ts";
export type { RelayReason } from "./delivery/relay/failures.ts";
export type {
  RelayEvent,
  RelayOAuthOptions,
  RelayOptions,
} from "./delivery/relay/options.ts";
export type { Envelope, SmtpMessage } from "./smtp/protocol/envelope.ts";
export type { MailParameters } from "./smtp/protocol/params.ts";
export type {
  SmtpClientEvent,
  SmtpEvent,
  SmtpMessageEvent,
  SmtpRefusedEvent,
  SmtpStepEvent,
} from "./smtp/events.ts";
export type { DataFault } from "./smtp/protocol/data.ts";
export type { RefusalReason } from "./smtp/protocol/refusals.ts";
