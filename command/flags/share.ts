/**
 * Flags: what several processes share.
 *
 * @module
 */

import { statePlace, text } from "../values.ts";
import type { Rows } from "./flag.ts";

/** What they set. */
export interface ShareSettings {
  /** Where counts, limits and rights are; there may be a password in it. */
  readonly sharedState: string;
  /** The path of a PEM file. */
  readonly sharedStateCa: string | undefined;
}

/** Their rows, in the order of the help. */
export const SHARE_FLAGS: Rows<ShareSettings> = {
  sharedState: {
    placeholder: "PLACE",
    help: "memory, kv:PATH or redis(s)://HOST",
    read: statePlace,
    byDefault: "memory",
  },
  sharedStateCa: {
    placeholder: "FILE",
    help: "its private authority's certificate in PEM",
    read: text,
    byDefault: undefined,
  },
};
