/**
 * SMTP authentication for any server: types, a SASL step decoder for PLAIN and
 * LOGIN, ready providers, and a whole submission listener.
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
 *   askProvider, type AuthProvider, continueSasl, decisionReply, type SmtpReply, startSasl,
 * } from "@meowmail/smtpauth";
 *
 * // `words` is what follows AUTH; `send` sends a reply and reads the next line.
 * async function auth(
 *   words: string[], provider: AuthProvider, send: (reply: SmtpReply) => Promise<string>,
 * ): Promise<SmtpReply> {
 *   let step = startSasl(words[0] ?? "", words[1]);
 *   while (step.kind === "challenge") {
 *     step = continueSasl(step, await send({ code: 334, text: step.challenge }));
 *   }
 *   if (step.kind === "error") return step; // an error is a reply
 *   const { username, password, mechanism } = step;
 *   const where = { remoteIp: "192.0.2.7", heloName: "laptop" };
 *   return decisionReply(
 *     await askProvider(provider, { username, password, mechanism, ...where }),
 *   );
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

export { askProvider } from "./auth/ask_provider.ts";
export {
  type HTTPAuthProviderOptions,
  newHTTPAuthProvider,
} from "./auth/http_provider.ts";
export type {
  AuthReason,
  ProviderReason,
  SaslErrorReason,
} from "./auth/reasons.ts";
export { decisionReply, type SmtpReply } from "./auth/replies.ts";
export { continueSasl, startSasl } from "./auth/sasl.ts";
export { newStaticAuthProvider } from "./auth/static_provider.ts";
export type {
  SaslChallenge,
  SaslCredentials,
  SaslError,
  SaslStep,
} from "./auth/steps.ts";
export {
  AuthDecision,
  AuthProgress,
  type AuthProvider,
  type AuthRequest,
} from "./auth/types.ts";
export type { Deliver } from "./smtp/delivery.ts";
export type { Envelope, SmtpMessage } from "./smtp/envelope.ts";
export type {
  SmtpAcceptEvent,
  SmtpAuthEvent,
  SmtpClientEvent,
  SmtpClosedEvent,
  SmtpEvent,
  SmtpMessageEvent,
} from "./smtp/events.ts";
export { serveSmtp, type SmtpServer } from "./smtp/listener.ts";
export type { ServeSmtpOptions, SmtpAddress } from "./smtp/options.ts";
export type { MailParameters } from "./smtp/params.ts";
