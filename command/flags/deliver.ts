/**
 * Flags: where messages go, and how large they may be.
 *
 * @module
 */

import {
  credential,
  milliseconds,
  nextHop,
  onOff,
  text,
  token,
  tokenEndpoint,
  url,
  whole,
  wholeOrOff,
} from "../values.ts";
import type { Rows } from "./flag.ts";

/** What they set. */
export interface DeliverSettings {
  /** The path of the folder. */
  readonly maildir: string;
  readonly deliverUrl: string | undefined;
  readonly deliverToken: string | undefined;
  /** Milliseconds. */
  readonly deliverTimeout: number;
  readonly relay: string | undefined;
  readonly relayUser: string | undefined;
  readonly relayPass: string | undefined;
  readonly relayOauthTokenUrl: string | undefined;
  readonly relayOauthScope: string | undefined;
  readonly relayOauthClientId: string | undefined;
  readonly relayOauthClientSecret: string | undefined;
  /** The path of a file. */
  readonly relayCa: string | undefined;
  readonly relayMaxConnections: number;
  readonly maxRecipientsPerDay: number | undefined;
  readonly maxMessagesPerMinute: number | undefined;
  readonly maxRecipients: number;
  /** Octets. */
  readonly maxSize: number;
  readonly normalizeNewlines: boolean;
}

/** Their rows, in the order of the help. */
export const DELIVER_FLAGS: Rows<DeliverSettings> = {
  maildir: {
    placeholder: "FOLDER",
    help: "where messages are kept",
    read: text,
    byDefault: "./maildir",
  },
  deliverUrl: {
    placeholder: "URL",
    help: "or an endpoint that is handed each message",
    read: url("DELIVER_TOKEN"),
    byDefault: undefined,
  },
  deliverToken: {
    secret: true,
    help: "bearer token for that endpoint",
    read: token,
    byDefault: undefined,
  },
  deliverTimeout: {
    placeholder: "MS",
    help: "how long that endpoint may do nothing",
    read: milliseconds(1),
    byDefault: 30_000,
  },
  relay: {
    placeholder: "URL",
    help: "or a next hop: smtps, starttls or smtp://host",
    read: nextHop,
    byDefault: undefined,
  },
  relayUser: {
    secret: true,
    help: "who we are there",
    read: credential,
    byDefault: undefined,
  },
  relayPass: {
    secret: true,
    help: "the password there",
    read: credential,
    byDefault: undefined,
  },
  relayOauthTokenUrl: {
    placeholder: "URL",
    help: "or a token from URL or microsoft:TENANT",
    read: tokenEndpoint,
    byDefault: undefined,
  },
  relayOauthScope: {
    placeholder: "SCOPE",
    help: "what that token is for",
    read: text,
    byDefault: undefined,
  },
  relayOauthClientId: {
    secret: true,
    help: "the application that asks for it",
    read: credential,
    byDefault: undefined,
  },
  relayOauthClientSecret: {
    secret: true,
    help: "that application's secret",
    read: credential,
    byDefault: undefined,
  },
  relayCa: {
    placeholder: "FILE",
    help: "the next hop's private authority in PEM",
    read: text,
    byDefault: undefined,
  },
  relayMaxConnections: {
    placeholder: "N",
    help: "connections to the next hop at a time",
    read: whole(1),
    byDefault: 20,
  },
  maxRecipientsPerDay: {
    placeholder: "N",
    help: "recipients of a user in a day",
    read: wholeOrOff(1),
    byDefault: undefined,
    defaultText: "off",
  },
  maxMessagesPerMinute: {
    placeholder: "N",
    help: "messages of a user in a minute",
    read: wholeOrOff(1),
    byDefault: undefined,
    defaultText: "off",
  },
  maxRecipients: {
    placeholder: "N",
    help: "recipients of a message; refuse the next",
    read: whole(1),
    byDefault: 100,
  },
  maxSize: {
    placeholder: "BYTES",
    help: "largest message",
    read: whole(1),
    byDefault: 26_214_400,
  },
  normalizeNewlines: {
    help: "make bare CRs and LFs of a message CRLFs",
    read: onOff,
    byDefault: false,
  },
};
