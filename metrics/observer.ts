/**
 * From events and calls to figures.
 *
 * @module
 */

import { askProvider } from "../auth/ask_provider.ts";
import type { AuthEvent } from "../auth/events.ts";
import { reasonOf } from "../auth/reasons.ts";
import type { AuthProvider, AuthResult, ReadyProvider } from "../auth/types.ts";
import { FAILURE_REPLIES } from "../delivery/relay/failures.ts";
import type { RelayEvent } from "../delivery/relay/options.ts";
import type { SmtpEvent } from "../smtp/events.ts";
import type {
  CounterName,
  FigureSink,
  GaugeName,
  Labels,
  Reading,
} from "./figures.ts";

/**
 * What is counted: the events of listener, adapters and relay.
 *
 * @category Metrics
 */
export type CountedEvent = SmtpEvent | RelayEvent;

/** Told of each answer of the back end, for whoever watches its health. */
export type OnAnswer = (result: AuthResult) => void;

/** Counts, and remembers what gauges are asked about. */
export class Observer {
  readonly #sinks: readonly FigureSink[];
  readonly #version: string;
  readonly #onAnswer: OnAnswer;
  /** The listener's connections that are open, and whether they are TLS. */
  readonly #open = new Map<string, boolean>();
  #encrypted = 0;
  #admitted = 0;
  #inFlight = 0;
  #certificateUntil: number | undefined;

  /**
   * @param sinks Who shows the figures.
   * @param version What runs here.
   * @param onAnswer Told of each answer of the back end.
   */
  constructor(
    sinks: readonly FigureSink[],
    version: string,
    onAnswer: OnAnswer = () => {},
  ) {
    this.#sinks = sinks;
    this.#version = version;
    this.#onAnswer = onAnswer;
    // What has not happened yet is 0, and not unknown.
    for (const [name, labels] of AT_FIRST) this.#add(name, labels, 0);
    this.#changed("smtpauth_build_info", "smtpauth_connections", ...CALLS);
  }

  /** Counts an event. */
  readonly onEvent = (event: CountedEvent): void => {
    switch (event.kind) {
      case "auth":
        return this.#auth(event);
      case "opened":
        if (event.via === "smtp") this.#opened(event.id, event.tls === true);
        return;
      case "secured":
        return this.#opened(event.id, true);
      case "closed":
        this.#left(event.id);
        return this.#add("smtpauth_closed_total", { reason: event.reason });
      case "message":
        this.#add("smtpauth_messages_total", {
          code: event.code === undefined ? "lost" : String(event.code),
        });
        return this.#add("smtpauth_message_octets_total", {}, event.octets);
      case "refused": {
        const { reason, count } = event;
        return this.#add("smtpauth_refused_total", { reason }, count);
      }
      case "relay":
        return this.#add("smtpauth_relay_failures_total", {
          reason: event.reason,
        });
      case "limitReached":
        return this.#add("smtpauth_limit_reached_total", {
          limit: event.limit,
        });
      case "acceptFailed":
        return this.#add("smtpauth_accept_failures_total", { via: event.via });
      // The message that it belongs to is counted.
      case "stepFailed":
        return;
      default:
        event satisfies never;
    }
  };

  /** Counts the calls of a back end, and how long they take. */
  measured(provider: AuthProvider): ReadyProvider {
    return async (request, signal) => {
      const began = performance.now();
      this.#inFlight++;
      this.#changed(...CALLS);
      const result = await askProvider(provider, request, signal);
      this.#inFlight--;
      this.#changed(...CALLS);
      const seconds = (performance.now() - began) / 1000;
      const reason = reasonOf(result);
      for (const sink of this.#sinks) {
        sink.observe("smtpauth_backend_duration_seconds", { reason }, seconds);
      }
      this.#onAnswer(result);
      return result;
    };
  }

  /** Counts who waits in front of a back end that is `measured` itself. */
  queued(provider: AuthProvider): ReadyProvider {
    return async (request, signal) => {
      this.#admitted++;
      this.#changed(...CALLS);
      const result = await askProvider(provider, request, signal);
      this.#admitted--;
      this.#changed(...CALLS);
      return result;
    };
  }

  /** Remembers when the certificate ends, in milliseconds since 1970. */
  certificateUntil(milliseconds: number): void {
    this.#certificateUntil = milliseconds;
    this.#changed("smtpauth_certificate_expiry_seconds");
  }

  /** What a gauge says now. */
  readonly read = (name: GaugeName): readonly Reading[] => {
    switch (name) {
      case "smtpauth_connections":
        return [
          reading(this.#open.size - this.#encrypted, { tls: "false" }),
          reading(this.#encrypted, { tls: "true" }),
        ];
      case "smtpauth_backend_in_flight":
        return [reading(this.#inFlight)];
      case "smtpauth_backend_waiting":
        return [reading(Math.max(0, this.#admitted - this.#inFlight))];
      case "smtpauth_certificate_expiry_seconds":
        return this.#certificateUntil === undefined
          ? []
          : [reading(this.#certificateUntil / 1000)];
      case "smtpauth_build_info":
        return [reading(1, { version: this.#version })];
      default:
        return name satisfies never;
    }
  };

  #auth(event: AuthEvent): void {
    const { via, outcome, reason, milliseconds } = event;
    const mechanism = mechanismOf(event);
    this.#add("smtpauth_auth_total", { via, mechanism, outcome, reason });
    if (reason.startsWith(THROTTLED)) {
      const by = reason.slice(THROTTLED.length);
      this.#add("smtpauth_throttled_total", { by });
    }
    if (outcome === "error") return;
    for (const sink of this.#sinks) {
      sink.observe("smtpauth_auth_duration_seconds", {}, milliseconds / 1000);
    }
  }

  #opened(id: string, tls: boolean): void {
    this.#left(id);
    this.#open.set(id, tls);
    if (tls) this.#encrypted++;
    this.#changed("smtpauth_connections");
    this.#add("smtpauth_connections_total", { tls: String(tls) });
  }

  #left(id: string): void {
    if (this.#open.get(id)) this.#encrypted--;
    if (this.#open.delete(id)) this.#changed("smtpauth_connections");
  }

  /** Tells those who want to know at once. */
  #changed(...names: readonly GaugeName[]): void {
    for (const sink of this.#sinks) {
      if (sink.set === undefined) continue;
      for (const name of names) {
        for (const { labels, value } of this.read(name)) {
          sink.set(name, labels, value);
        }
      }
    }
  }

  #add(...args: Parameters<FigureSink["add"]>): void {
    for (const sink of this.#sinks) sink.add(...args);
  }
}

const AT_FIRST: readonly (readonly [CounterName, Labels])[] = [
  ["smtpauth_connections_total", { tls: "false" }],
  ["smtpauth_connections_total", { tls: "true" }],
  ["smtpauth_throttled_total", { by: "user" }],
  ["smtpauth_throttled_total", { by: "pair" }],
  ["smtpauth_throttled_total", { by: "network" }],
  ["smtpauth_limit_reached_total", { limit: "recipientsPerDay" }],
  ["smtpauth_limit_reached_total", { limit: "messagesPerMinute" }],
  ...Object.keys(FAILURE_REPLIES).map((reason) =>
    ["smtpauth_relay_failures_total", { reason }] as const
  ),
];

const CALLS: readonly GaugeName[] = [
  "smtpauth_backend_in_flight",
  "smtpauth_backend_waiting",
];

const THROTTLED = "throttled-";

/** Names that an adapter may be told by whoever asks it. */
const MECHANISMS: ReadonlySet<string> = new Set([
  "PLAIN",
  "LOGIN",
  "XOAUTH2",
  "OAUTHBEARER",
]);

/**
 * The mechanism, from a closed set. The listener and Dovecot's clients can only
 * use what is on offer; at the HTTP adapter anything may be written.
 */
function mechanismOf({ via, mechanism }: AuthEvent): string {
  if (mechanism === "") return "none";
  const isOffered = via === "smtp" || via === "dovecot";
  return isOffered || MECHANISMS.has(mechanism) ? mechanism : "other";
}

function reading(
  value: number,
  labels: Labels = {},
): Reading {
  return { labels, value };
}
