/**
 * What an operator sees of a running server: its log, and if wanted its figures
 * and whether it is well.
 *
 * @module
 */

import type { ReadyProvider } from "../auth/types.ts";
import type { CountedEvent } from "../metrics/observer.ts";
import type { Deliver } from "../smtp/delivery.ts";
import type { Destination } from "../smtp/destination.ts";
import { type LogEntry, logEvents } from "./log.ts";
import { mayHaveOpenTelemetry } from "./may_have_open_telemetry.ts";
import type { Settings } from "./settings.ts";

/** What measures the way to a back end; where nobody looks, it is the way. */
export interface Watch {
  /** Around the back end itself. */
  readonly measured: (provider: ReadyProvider) => ReadyProvider;
  /** Around what lets so many calls through at a time. */
  readonly queued: (provider: ReadyProvider) => ReadyProvider;
  /** Around all that decides about a login. */
  readonly traced: (provider: ReadyProvider) => ReadyProvider;
  /** Around who takes mail. */
  readonly tracedMail: (to: Deliver | Destination) => Deliver | Destination;
}

/** The way as it is. */
export const UNWATCHED: Watch = {
  measured: (provider) => provider,
  queued: (provider) => provider,
  traced: (provider) => provider,
  tracedMail: (to) => to,
};

/** What an operator sees. */
export interface Telemetry extends AsyncDisposable {
  /** Where the figures are to be had, in the words of the log. */
  readonly where: string | undefined;
  /** Takes the events of listener, adapters and destination. */
  readonly onEvent: (event: CountedEvent) => void;
  readonly watch: Watch;
  /** Learns of the certificate that is in use, as PEM. */
  readonly certificate: (pem: string) => void;
  /** All is bound. */
  readonly serving: () => void;
  /** The end begins. */
  readonly stopping: () => void;
}

/**
 * Opens what the settings and the environment ask for.
 *
 * @param settings Whether there are figures, and where.
 * @param log The log.
 * @throws {Error} If the port can't be had.
 */
export async function openTelemetry(
  settings: Settings,
  log: (entry: LogEntry) => void,
): Promise<Telemetry> {
  const logged = logEvents(log);
  if (settings.metricsPort === undefined && !mayHaveOpenTelemetry()) {
    return unseen(logged);
  }
  const { openFigures } = await import("./figures.ts");
  return await openFigures(settings, log) ?? unseen(logged);
}

function unseen(onEvent: Telemetry["onEvent"]): Telemetry {
  return {
    where: undefined,
    onEvent,
    watch: UNWATCHED,
    certificate: () => {},
    serving: () => {},
    stopping: () => {},
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
