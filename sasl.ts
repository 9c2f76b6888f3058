/**
 * AUTH for a server that has everything else: the steps of a SASL exchange as
 * plain values, the types they are made of, and the replies (RFC 4954).
 *
 * It is what the entry point `.` has for a server of one's own, and loads
 * nothing but that: no provider, no listener.
 *
 * @example One login, line by line
 * ```ts
 * import { continueSasl, decisionReply, startSasl } from "@meowmail/smtpauth/sasl";
 *
 * const lines = [btoa("ann"), btoa("secret")]; // what the client answers
 * let step = startSasl("LOGIN"); // AUTH LOGIN
 * while (step.kind === "challenge") {
 *   console.log(`334 ${step.challenge}`);
 *   step = continueSasl(step, lines.shift() ?? "*");
 * }
 * // An error is a reply; credentials are for whoever knows the users.
 * const reply = step.kind === "error"
 *   ? step
 *   : decisionReply(step.password === "secret" ? "authOk" : "authInvalid");
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
