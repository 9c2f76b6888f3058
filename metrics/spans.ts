/**
 * Logins and messages as spans of a trace: what they wait for is part of them.
 * No user name, address of mail or text stands in one.
 *
 * @module
 */

import { askProvider } from "../auth/ask_provider.ts";
import { type AuthEvent, OUTCOMES } from "../auth/events.ts";
import { isProviderReason, reasonOf } from "../auth/reasons.ts";
import type { AuthProvider, ReadyProvider } from "../auth/types.ts";
import { type Deliver, isReply } from "../smtp/delivery.ts";
import type { Destination, Transfer } from "../smtp/destination.ts";
import type { Span, Tracer } from "./open_telemetry.ts";

/** The span kinds of OpenTelemetry: we serve somebody. */
const SERVER = 1;

/** A status of OpenTelemetry: it has failed. */
const ERROR = 2;

/**
 * Makes each question a span, so that the call of the endpoint is part of it.
 *
 * @param provider Who decides, with all that is around it.
 * @param tracer Begins spans.
 */
export function tracedProvider(
  provider: AuthProvider,
  tracer: Tracer,
): ReadyProvider {
  return (request, signal) => {
    const { mechanism, remoteIp } = request;
    const attributes = { mechanism, "client.address": remoteIp };
    return tracer.startActiveSpan(
      "AUTH",
      { kind: SERVER, attributes },
      async (span) => {
        const result = await askProvider(provider, request, signal);
        const outcome = OUTCOMES[result.decision];
        endAuth(span, outcome, reasonOf(result));
        return result;
      },
    );
  };
}

/** Makes a span of an AUTH that came to nothing before anybody was asked. */
export function traceUnasked(event: AuthEvent, tracer: Tracer): void {
  const { mechanism, remoteIp, outcome, reason } = event;
  if (isProviderReason(reason)) return;
  const attributes = { mechanism, "client.address": remoteIp };
  tracer.startActiveSpan("AUTH", { kind: SERVER, attributes }, (span) => {
    endAuth(span, outcome, reason);
  });
}

function endAuth(
  span: Span,
  outcome: AuthEvent["outcome"],
  reason: AuthEvent["reason"],
): void {
  span.setAttributes({ outcome, reason });
  if (outcome === "failure") span.setStatus({ code: ERROR, message: reason });
  span.end();
}

/**
 * Makes each message a span, from DATA to the reply behind its end.
 *
 * @param to Who takes mail.
 * @param tracer Begins spans.
 */
export function tracedDestination(
  to: Deliver | Destination,
  tracer: Tracer,
): Deliver | Destination {
  if (typeof to === "function") return tracedDeliver(to, tracer);
  return {
    begin: async (mail, signal) => {
      const begun = await to.begin(mail, signal);
      return "message" in begun ? tracedTransfer(begun, tracer) : begun;
    },
  };
}

/** Whoever wraps one hands all of its members on: the compiler sees to that. */
function tracedTransfer(
  transfer: Transfer,
  tracer: Tracer,
): Required<Transfer> {
  return {
    reply: transfer.reply,
    recipient: (mailbox) => transfer.recipient?.(mailbox),
    message: tracedDeliver((message) => transfer.message(message), tracer),
    abandon: () => transfer.abandon?.(),
  };
}

function tracedDeliver(deliver: Deliver, tracer: Tracer): Deliver {
  return (message) => {
    const { recipients, tls, remoteIp } = message.envelope;
    const attributes = {
      recipients: recipients.length,
      tls,
      "client.address": remoteIp,
    };
    return tracer.startActiveSpan(
      "message",
      { kind: SERVER, attributes },
      async (span) => {
        try {
          const reply = await deliver(message);
          const code = isReply(reply) ? reply.code : 250;
          span.setAttributes({ code });
          if (code >= 400) {
            span.setStatus({ code: ERROR, message: String(code) });
          }
          return reply;
        } catch (error) {
          span.setStatus({ code: ERROR, message: "not delivered" });
          throw error;
        } finally {
          span.end();
        }
      },
    );
  };
}
