/**
 * `@std/yaml`, with a type: its npm build has no declarations.
 *
 * @module
 */

import { parse } from "@std/yaml";

/** Reads a YAML document. */
export const parseYAML: (text: string) => unknown = parse;
