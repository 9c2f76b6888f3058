/**
 * AUTH for a server that has everything else: the steps of a SASL exchange as
 * plain values, the types they are made of, and the replies (RFC 4954).
 *
 * It is what the entry point `.` has for a server of one's own, and loads
 * nothing but that: no provider, no listener.
 *
 * @example One login, line by line, whatever the mechanism
 * ```ts
 * import {
 *   askProvider,
 *   type AuthProvider,
 *   continueSasl,
 *   finishSasl,
 *   type SaslStep,
 *   startSasl,
 * } from "@meowmail/smtpauth/sasl";
 *
 * const provider: AuthProvider = ({ password }) =>
 *   password === "secret" ? "authOk" : "authInvalid";
 * const where = { remoteIp: "192.0.2.7", heloName: "laptop" };
 *
 * const lines = [btoa("ann"), btoa("secret")]; // what the client answers
 * let step: SaslStep = startSasl("LOGIN", undefined, { mechanisms: ["PLAIN", "LOGIN"] });
 * let reply;
 * while (reply === undefined) {
 *   if (step.kind === "challenge") {
 *     console.log(`334 ${step.challenge}`);
 *     step = continueSasl(step, lines.shift() ?? "*");
 *   } else if (step.kind === "credentials") {
 *     const { username, password, mechanism } = step;
 *     const request = { username, password, mechanism, ...where };
 *     // Whatever the provider does, it becomes a result, and that a reply; where
 *     // a token is refused, the client hears why in one more challenge.
 *     const last = finishSasl(step, await askProvider(provider, request));
 *     if (last.kind === "done") reply = last.reply;
 *     else step = last;
 *   } else reply = step; // an error is a reply
 * }
 * console.assert(reply.code === 235);
 * ```
 *
 * @module
 */

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
  ProviderReason,
  SaslErrorReason,
  TokenReason,
} from "./auth/reasons.ts";
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
