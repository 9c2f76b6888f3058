/**
 * The table of flags: what reads them, what explains them and what they become
 * agree, because all of it is in one row.
 *
 * @module
 */

import type { Settings } from "../settings.ts";
import { ADAPTERS_FLAGS } from "./adapters.ts";
import { AUTHENTICATE_FLAGS } from "./authenticate.ts";
import { DELIVER_FLAGS } from "./deliver.ts";
import { ENCRYPT_FLAGS } from "./encrypt.ts";
import { LISTEN_FLAGS } from "./listen.ts";
import { OAUTH_FLAGS } from "./oauth.ts";
import { SHARE_FLAGS } from "./share.ts";
import { TELL_FLAGS } from "./tell.ts";
import type { Rows } from "./flag.ts";

/** The name of a setting. */
export type FlagName = keyof Settings;

/** The headings of the help, and the rows under each. */
export const GROUPS: ReadonlyMap<string, object> = new Map<string, object>([
  ["Listen", LISTEN_FLAGS],
  ["Encrypt", ENCRYPT_FLAGS],
  ["Authenticate", AUTHENTICATE_FLAGS],
  ["Take tokens", OAUTH_FLAGS],
  ["Let other servers ask", ADAPTERS_FLAGS],
  ["Deliver", DELIVER_FLAGS],
  ["Share", SHARE_FLAGS],
  ["Tell", TELL_FLAGS],
]);

/** All settings, in the order of the help. */
export const FLAGS: Rows<Settings> = {
  ...LISTEN_FLAGS,
  ...ENCRYPT_FLAGS,
  ...AUTHENTICATE_FLAGS,
  ...OAUTH_FLAGS,
  ...ADAPTERS_FLAGS,
  ...DELIVER_FLAGS,
  ...SHARE_FLAGS,
  ...TELL_FLAGS,
};

/** All names, in the order of the table. */
export const FLAG_NAMES: readonly FlagName[] = Object.keys(FLAGS)
  .filter((name): name is FlagName => Object.hasOwn(FLAGS, name));

/** The flag of a setting: `--max-size`. A secret has none. */
export function flagOf(name: FlagName): string | undefined {
  if (FLAGS[name].secret) return undefined;
  return `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter}`)}`
    .toLowerCase();
}

/** What the names of all variables begin with. */
export const PREFIX = "MEOWMAIL_SMTP_";

/** The variable of a setting: `MEOWMAIL_SMTP_MAX_SIZE`. */
export function variableOf(name: FlagName): string {
  return PREFIX +
    name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}

/** Whether a setting is a switch: on or off, `--name` or `--no-name`. */
export function isSwitch(name: FlagName): boolean {
  return typeof FLAGS[name].byDefault === "boolean";
}

/** The default in words; absent where there is none. */
export function defaultOf(name: FlagName): string | undefined {
  const { byDefault, defaultText } = FLAGS[name];
  if (defaultText !== undefined || byDefault === undefined) return defaultText;
  if (typeof byDefault === "boolean") return byDefault ? "on" : "off";
  return String(byDefault);
}
