/**
 * What a row of the table of flags is.
 *
 * @module
 */

import type { Given } from "../values.ts";

/** One row: a setting that is read into a `T`. */
export interface Flag<T> {
  /** What stands for the value in the help; a switch has none. */
  readonly placeholder?: string;
  /** What is meant where the flag comes without a value. */
  readonly bare?: string;
  /**
   * Only a variable, no flag: what stands on the command line shows in `ps`.
   * What it holds is repeated nowhere.
   */
  readonly secret?: true;
  /** What it is, in a few words. */
  readonly help: string;
  /** Reads a value, or throws a `UsageError` that says what is accepted. */
  readonly read: (given: Given) => T;
  /** What holds where nothing is given; `true` or `false` makes it a switch. */
  readonly byDefault: T;
  /** How the default is written, where it is not the value itself. */
  readonly defaultText?: string;
}

/** The rows of some settings: one each. */
export type Rows<S> = { readonly [N in keyof S]: Flag<S[N]> };
