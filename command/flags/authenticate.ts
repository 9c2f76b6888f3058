/**
 * Flags: who may send, and who is asked.
 *
 * @module
 */

import type { MechanismName } from "../../auth/sasl/offer.ts";
import type { SocketAddress } from "../../net/address.ts";
import { MECHANISM_NAMES } from "../mechanisms.ts";
import {
  credential,
  listOf,
  milliseconds,
  networks,
  onOff,
  serverAddress,
  text,
  token,
  url,
  whole,
} from "../values.ts";
import type { Rows } from "./flag.ts";

/** What they set. */
export interface AuthenticateSettings {
  readonly authUrl: string | undefined;
  readonly authToken: string | undefined;
  /** The path of a PEM file. */
  readonly authCa: string | undefined;
  readonly authDovecot: SocketAddress | undefined;
  /** Milliseconds. */
  readonly authTimeout: number;
  readonly authConcurrency: number;
  /** Milliseconds for which an accepted login passes unasked; 0: not at all. */
  readonly authCache: number;
  /** Milliseconds more while the endpoint fails; 0: not at all. */
  readonly authGrace: number;
  /** The path of a users file. */
  readonly users: string | undefined;
  readonly user: string | undefined;
  readonly pass: string | undefined;
  /** Absent where nothing is said: then `offerOf` knows. */
  readonly mechanisms: readonly MechanismName[] | undefined;
  readonly requireAuth: boolean;
  readonly trustedNetworks: readonly string[] | undefined;
  readonly allowInsecureAuth: boolean;
  readonly maxAuthFailures: number;
  readonly throttle: boolean;
}

/** Their rows, in the order of the help. */
export const AUTHENTICATE_FLAGS: Rows<AuthenticateSettings> = {
  authUrl: {
    placeholder: "URL",
    help: "endpoint that is asked about each login",
    read: url("AUTH_TOKEN"),
    byDefault: undefined,
  },
  authToken: {
    secret: true,
    help: "bearer token for the endpoint",
    read: token,
    byDefault: undefined,
  },
  authCa: {
    placeholder: "FILE",
    help: "its private authority's certificate in PEM",
    read: text,
    byDefault: undefined,
  },
  authDovecot: {
    placeholder: "PLACE",
    help: "or a Dovecot server: path or host:port",
    read: serverAddress,
    byDefault: undefined,
  },
  authTimeout: {
    placeholder: "MS",
    help: "how long the endpoint may take",
    read: milliseconds(1),
    byDefault: 1200,
  },
  authConcurrency: {
    placeholder: "N",
    help: "requests to either at once",
    read: whole(1),
    byDefault: 1000,
  },
  authCache: {
    placeholder: "MS",
    help: "accepted logins pass unasked for so long",
    read: milliseconds(0),
    byDefault: 0,
  },
  authGrace: {
    placeholder: "MS",
    help: "and so much longer if it fails",
    read: milliseconds(0),
    byDefault: 0,
  },
  users: {
    placeholder: "FILE",
    help: "users with hashed passwords, as htpasswd has",
    read: text,
    byDefault: undefined,
  },
  user: {
    secret: true,
    help: "one local user; others are asked about",
    read: credential,
    byDefault: undefined,
  },
  pass: {
    secret: true,
    help: "that user's password",
    read: credential,
    byDefault: undefined,
  },
  mechanisms: {
    placeholder: "NAMES",
    help: "what AUTH offers: passwords, tokens",
    read: listOf(MECHANISM_NAMES),
    byDefault: undefined,
    defaultText: "PLAIN,LOGIN",
  },
  requireAuth: {
    help: "refuse mail without a login",
    read: onOff,
    byDefault: true,
  },
  trustedNetworks: {
    placeholder: "NETWORKS",
    help: "clients that may send without a login",
    read: networks,
    byDefault: undefined,
  },
  allowInsecureAuth: {
    help: "passwords may travel in plain text",
    read: onOff,
    byDefault: false,
  },
  maxAuthFailures: {
    placeholder: "N",
    help: "wrong logins until a connection is closed",
    read: whole(1),
    byDefault: 3,
  },
  throttle: {
    help: "slow password guessing down",
    read: onOff,
    byDefault: true,
  },
};
