/**
 * Flags: what the operator is told.
 *
 * @module
 */

import { hostName, oneOf, portOrOff } from "../values.ts";
import type { Rows } from "./flag.ts";

/** What they set. */
export interface TellSettings {
  /** Absent: `text` on a terminal, else `json`. */
  readonly log: "text" | "json" | undefined;
  /** Absent: no figures and no probes. */
  readonly metricsPort: number | undefined;
  readonly metricsHost: string;
}

/** Their rows, in the order of the help. */
export const TELL_FLAGS: Rows<TellSettings> = {
  log: {
    placeholder: "FORMAT",
    help: "text or json",
    read: oneOf("text", "json"),
    byDefault: undefined,
    defaultText: "text on a terminal, else json",
  },
  metricsPort: {
    placeholder: "PORT",
    help: "/metrics, /livez and /readyz; 0: any free one",
    read: portOrOff,
    byDefault: undefined,
    defaultText: "off",
  },
  metricsHost: {
    placeholder: "ADDRESS",
    help: "address for these",
    read: hostName,
    byDefault: "127.0.0.1",
  },
};
