/**
 * Flags: what the operator is told.
 *
 * @module
 */

import { oneOf } from "../values.ts";
import type { Rows } from "./flag.ts";

/** What they set. */
export interface TellSettings {
  /** Absent: `text` on a terminal, else `json`. */
  readonly log: "text" | "json" | undefined;
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
};
