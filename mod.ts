/**
 * SMTP authentication for any server.
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
