/**
 * The figures: their names, what they say, and how they are divided. Whatever
 * shows them shows these.
 *
 * @module
 */

/** What divides a figure: few values, and none that a client makes up. */
export type Labels = Readonly<Record<string, string>>;

/** What is to be known about a figure. */
export interface Figure {
  /** What it is, in a sentence. */
  readonly help: string;
  /** What divides it. */
  readonly labels: readonly string[];
}

/** What only grows. */
export type CounterName =
  | "smtpauth_auth_total"
  | "smtpauth_connections_total"
  | "smtpauth_closed_total"
  | "smtpauth_messages_total"
  | "smtpauth_message_octets_total"
  | "smtpauth_throttled_total"
  | "smtpauth_limit_reached_total"
  | "smtpauth_refused_total"
  | "smtpauth_relay_failures_total"
  | "smtpauth_accept_failures_total";

/** What takes time. */
export type HistogramName =
  | "smtpauth_auth_duration_seconds"
  | "smtpauth_backend_duration_seconds";

/** What goes up and down. */
export type GaugeName =
  | "smtpauth_connections"
  | "smtpauth_backend_in_flight"
  | "smtpauth_backend_waiting"
  | "smtpauth_certificate_expiry_seconds"
  | "smtpauth_build_info";

/** The counters. */
export const COUNTERS: Readonly<Record<CounterName, Figure>> = {
  smtpauth_auth_total: {
    help: "AUTH exchanges that ended, of listener and adapters",
    labels: ["via", "mechanism", "outcome", "reason"],
  },
  smtpauth_connections_total: {
    help:
      "Connections of the listener in plain text (false) and encrypted (true); one that STARTTLS encrypts is both in turn",
    labels: ["tls"],
  },
  smtpauth_closed_total: {
    help: "Connections that ended, of listener and adapters",
    labels: ["reason"],
  },
  smtpauth_messages_total: {
    help: "Messages by the reply to them; lost: the client left before its end",
    labels: ["code"],
  },
  smtpauth_message_octets_total: {
    help: "Octets of messages that arrived, whatever became of them",
    labels: [],
  },
  smtpauth_throttled_total: {
    help: "AUTH exchanges that the throttle decided, and no back end",
    labels: ["by"],
  },
  smtpauth_limit_reached_total: {
    help: "Users who reached a limit of theirs, once each and window",
    labels: ["limit"],
  },
  smtpauth_refused_total: {
    help: "Commands that were refused, outside of AUTH and message texts",
    labels: ["reason"],
  },
  smtpauth_relay_failures_total: {
    help: "What went wrong between us and the next hop",
    labels: ["reason"],
  },
  smtpauth_accept_failures_total: {
    help: "Times that connections could not be accepted, at most one a minute",
    labels: ["via"],
  },
};

/** The histograms. */
export const HISTOGRAMS: Readonly<Record<HistogramName, Figure>> = {
  smtpauth_auth_duration_seconds: {
    help: "Time to decide about a login, with all that protects the back end",
    labels: [],
  },
  smtpauth_backend_duration_seconds: {
    help: "Time that the back end itself took for an answer, or for none",
    labels: ["reason"],
  },
};

/** The gauges. */
export const GAUGES: Readonly<Record<GaugeName, Figure>> = {
  smtpauth_connections: {
    help: "Connections of the listener that are open",
    labels: ["tls"],
  },
  smtpauth_backend_in_flight: {
    help: "Calls of the back end that are under way",
    labels: [],
  },
  smtpauth_backend_waiting: {
    help: "Logins that wait for a call of the back end",
    labels: [],
  },
  smtpauth_certificate_expiry_seconds: {
    help: "When the certificate ends, in seconds since 1970",
    labels: [],
  },
  smtpauth_build_info: {
    help: "1, with the version",
    labels: ["version"],
  },
};

/**
 * Limits of the buckets, in seconds: a local user takes 0.1 ms, a hash of a
 * password tens of them, an endpoint up to its time limit, a guess that is held
 * up some seconds.
 */
export const BUCKETS: readonly number[] = [
  0.0001,
  0.00025,
  0.0005,
  0.001,
  0.0025,
  0.005,
  0.01,
  0.025,
  0.05,
  0.1,
  0.25,
  0.5,
  1,
  2.5,
  5,
];

/** Shows figures somewhere. */
export interface FigureSink {
  /** Adds to a counter. */
  add(name: CounterName, labels: Labels, by?: number): void;
  /** Notes a time, in seconds. */
  observe(name: HistogramName, labels: Labels, seconds: number): void;
  /**
   * Takes the value of a gauge whenever it changes. Absent where gauges are
   * asked about when somebody looks.
   */
  set?(name: GaugeName, labels: Labels, value: number): void;
}

/** The value of a gauge now, for one set of labels. */
export interface Reading {
  /** What it is the value for. */
  readonly labels: Labels;
  /** The value. */
  readonly value: number;
}

/** What tells the values of all gauges when they are asked for. */
export type GaugeReader = (name: GaugeName) => readonly Reading[];
