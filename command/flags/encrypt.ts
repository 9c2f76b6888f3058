/**
 * Flags: the certificate and the port with TLS.
 *
 * @module
 */

import { portOrOff, text } from "../values.ts";
import type { Rows } from "./flag.ts";

/** What they set. */
export interface EncryptSettings {
  /** The path of a PEM file. */
  readonly tlsCert: string | undefined;
  /** The path of a PEM file. */
  readonly tlsKey: string | undefined;
  readonly tlsPort: number | undefined;
}

/** Their rows, in the order of the help. */
export const ENCRYPT_FLAGS: Rows<EncryptSettings> = {
  tlsCert: {
    placeholder: "FILE",
    help: "certificate chain in PEM; switches STARTTLS on",
    read: text,
    byDefault: undefined,
  },
  tlsKey: {
    placeholder: "FILE",
    help: "its private key in PEM",
    read: text,
    byDefault: undefined,
  },
  tlsPort: {
    placeholder: "PORT",
    help: "second port, with TLS from the start",
    read: portOrOff,
    byDefault: undefined,
    defaultText: "off",
  },
};
