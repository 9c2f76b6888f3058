import type { Verb } from "../../../smtp/protocol/commands.ts";
import * as authRefusals from "../../../smtp/protocol/auth_refusals.ts";
import * as refusals from "../../../smtp/protocol/refusals.ts";
import {
  authOutOfPlace,
  outOfPlace,
  type SessionStanding,
} from "../../../smtp/protocol/sequence.ts";
import { assertStrictEquals } from "../../support/assert.ts";
import { VERBS } from "../../support/verbs.ts";

/** A client that has not said anything, where AUTH is required and possible. */
const FRESH: SessionStanding = {
  greeted: false,
  tls: false,
  authAllowed: true,
  authRequired: true,
  authenticated: false,
  inTransaction: false,
  recipients: 0,
};

const GREETED = { ...FRESH, greeted: true };
const LOGGED_IN = { ...GREETED, authenticated: true };
const OPEN = { ...FRESH, authRequired: false };
const OPEN_GREETED = { ...OPEN, greeted: true };

type Refusals =
  & Readonly<Partial<Record<OtherVerb, keyof typeof refusals>>>
  & { readonly AUTH?: keyof typeof authRefusals };

type OtherVerb = Exclude<Verb, "AUTH">;

const isOther = (verb: Verb): verb is OtherVerb => verb !== "AUTH";

/** 530 for all that needs AUTH first. */
const NEED_AUTH = needing("authRequired");

/** The same, in the words for a client that must encrypt before that. */
const NEED_TLS = needing("authBehindTls");

function needing(refusal: "authRequired" | "authBehindTls"): Refusals {
  return {
    DATA: refusal,
    EXPN: refusal,
    HELP: refusal,
    MAIL: refusal,
    RCPT: refusal,
    VRFY: refusal,
  };
}

const NO_MAIL: Refusals = { RCPT: "mailFirst", DATA: "mailFirst" };

/** What is refused in a transaction. */
const BUSY: Refusals = {
  MAIL: "inTransaction",
  AUTH: "inTransaction",
  STARTTLS: "inTransaction",
};

/** Each standing, and the verbs that are refused in it; all others may come. */
const TABLE: readonly (readonly [string, SessionStanding, Refusals])[] = [
  ["nothing said", FRESH, { ...NEED_AUTH, AUTH: "helloFirst" }],
  ["nothing said on TLS", { ...FRESH, tls: true }, {
    ...NEED_AUTH,
    AUTH: "helloFirst",
    STARTTLS: "alreadyTls",
  }],
  ["nothing said, AUTH needs TLS", { ...FRESH, authAllowed: false }, {
    ...NEED_TLS,
    AUTH: "tlsRequired",
  }],
  ["greeted", GREETED, NEED_AUTH],
  ["greeted on TLS", { ...GREETED, tls: true }, {
    ...NEED_AUTH,
    STARTTLS: "alreadyTls",
  }],
  ["greeted, AUTH needs TLS", { ...GREETED, authAllowed: false }, {
    ...NEED_TLS,
    AUTH: "tlsRequired",
  }],
  ["logged in", LOGGED_IN, { ...NO_MAIL, AUTH: "alreadyAuthenticated" }],
  ["logged in on TLS", { ...LOGGED_IN, tls: true }, {
    ...NO_MAIL,
    AUTH: "alreadyAuthenticated",
    STARTTLS: "alreadyTls",
  }],
  ["logged in, after MAIL", { ...LOGGED_IN, inTransaction: true }, {
    ...BUSY,
    AUTH: "alreadyAuthenticated",
    DATA: "rcptFirst",
  }],
  ["logged in, after RCPT", {
    ...LOGGED_IN,
    inTransaction: true,
    recipients: 1,
  }, { ...BUSY, AUTH: "alreadyAuthenticated" }],
  ["open, nothing said", OPEN, {
    ...NO_MAIL,
    AUTH: "helloFirst",
    MAIL: "helloFirst",
  }],
  ["open, greeted", OPEN_GREETED, NO_MAIL],
  ["open, after MAIL", { ...OPEN_GREETED, inTransaction: true }, {
    ...BUSY,
    DATA: "rcptFirst",
  }],
  ["open, after RCPT", {
    ...OPEN_GREETED,
    inTransaction: true,
    recipients: 2,
  }, BUSY],
  ["open, after MAIL on TLS", {
    ...OPEN_GREETED,
    tls: true,
    inTransaction: true,
  }, { ...BUSY, STARTTLS: "alreadyTls", DATA: "rcptFirst" }],
  ["open, after MAIL, AUTH needs TLS", {
    ...OPEN_GREETED,
    authAllowed: false,
    inTransaction: true,
  }, { ...BUSY, AUTH: "tlsRequired", DATA: "rcptFirst" }],
];

for (const [what, standing, refused] of TABLE) {
  Deno.test(`outOfPlace() says what may come: ${what}`, () => {
    for (const verb of VERBS.filter(isOther)) {
      const name = refused[verb];
      const expected = name && refusals[name];
      assertStrictEquals(outOfPlace(verb, standing), expected, verb);
    }
    const expected = refused.AUTH && authRefusals[refused.AUTH];
    assertStrictEquals(authOutOfPlace(standing), expected);
  });
}
