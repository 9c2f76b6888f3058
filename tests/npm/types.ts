/**
 * What the types promise to a program in TypeScript, line by line: each line
 * behind a `@ts-expect-error` must not compile, and all others must. Nothing
 * here is run.
 *
 * @module
 */

import {
  AuthDecision,
  type AuthProvider,
  type AuthRequest,
  byMechanism,
  continueSasl,
  type Deliver,
  type Destination,
  finishSasl,
  firstProvider,
  listenSmtp,
  LOGIN,
  type Mail,
  maxConcurrent,
  type Mechanism,
  newRedisStore,
  type OnSender,
  PLAIN,
  type ReadyProvider,
  type SaslStep,
  serveSmtp,
  type ServeSmtpOptions,
  type SmtpEvent,
  type SmtpReply,
  startSasl,
  type Store,
  type Transfer,
  withCache,
  withThrottle,
} from "@meowmail/smtpauth";
import { askProvider, type SaslCredentials } from "@meowmail/smtpauth/sasl";

/** A result is told from a decision, and nobody may change it. */
export async function results(
  ready: ReadyProvider,
  request: AuthRequest,
): Promise<readonly unknown[]> {
  const result = await ready(request);
  // @ts-expect-error: a provider of ours answers with a result, not a word.
  const isWord = result === "authOk";
  // @ts-expect-error: it is a promise.
  const isAwaited = ready(request).decision === "authOk";
  // @ts-expect-error: only a yes has senders.
  const senders = result.senders;
  // @ts-expect-error: nobody may change it.
  request.username = "eve";
  if (result.decision !== "authOk") return [result.text, result.tokenError];
  // @ts-expect-error: likewise.
  result.senders?.push("eve@example.org");
  return [isWord, isAwaited, senders, result.user, result.context];
}

/** What is a provider. */
export const providers: readonly AuthProvider[] = [
  () => "authOk",
  // `async () => "authOk"` is none: TypeScript makes any string of it.
  async () => await AuthDecision.authOk,
  async ({ password }) => await password === "x" ? "authOk" : "authInvalid",
  ({ username }) => ({
    decision: "authOk",
    senders: [`${username}@a.example`],
  }),
  async () => await { decision: "authInvalid", text: "no" },
];

/** What is none. */
export const noProviders: readonly AuthProvider[] = [
  // @ts-expect-error: yes and no are words.
  () => true,
  // @ts-expect-error: there must be an answer.
  () => undefined,
  // @ts-expect-error: this is how an endpoint answers.
  () => ({ ok: true }),
  // @ts-expect-error: no decision is called so.
  () => "authOK",
  // @ts-expect-error: no limit is called so.
  () => ({ decision: "authOk", limits: { perDay: 1 } }),
];

/** Guards go around any provider, and around each other. */
export function guarded(provider: AuthProvider): ReadyProvider {
  const chosen = firstProvider(provider, byMechanism({ PLAIN: provider }));
  return withThrottle(withCache(maxConcurrent(chosen), { ttlMs: 60_000 }));
}

/** All kinds of a step are counted. */
export function drive(step: SaslStep): SmtpReply {
  switch (step.kind) {
    case "challenge":
      return { code: 334, text: step.challenge };
    case "credentials":
      return ended(step);
    case "error":
      return step;
    default:
      return step satisfies never;
  }
}

function ended(step: SaslCredentials): SmtpReply {
  const last = finishSasl(step, "authOk");
  return last.kind === "done" ? last.reply : drive(last);
}

/** A step that does not fit. */
export function misled(step: SaslCredentials, ready: ReadyProvider): unknown {
  return [
    // @ts-expect-error: only a challenge is answered.
    continueSasl(step, ""),
    // @ts-expect-error: the answer is still to come.
    finishSasl(step, ready({ ...step, remoteIp: "", heloName: "" })),
    // @ts-expect-error: no mechanism is called so.
    startSasl("PLAIN", undefined, { mechanisms: ["CRAM-MD5"] }),
    startSasl("PLAIN", undefined, { mechanisms: ["PLAIN", LOGIN, mine] }),
    askProvider(ready, { ...step, remoteIp: "", heloName: "" }),
  ];
}

const mine: Mechanism = {
  name: "X-MINE",
  first: { ...PLAIN.first, mechanism: "X-MINE" },
  respond: () => ({
    kind: "credentials",
    mechanism: "X-MINE",
    username: "ann",
    password: "secret",
  }),
};

/** A destination as a class. */
export class Mine implements Destination {
  async begin(mail: Mail): Promise<Transfer | SmtpReply> {
    if (mail.sender === "") return { code: 550, text: "no bounces" };
    const recipients: string[] = [];
    return await {
      recipient(mailbox) {
        if (mail.user === undefined) return { code: 550, text: "no" };
        recipients.push(mailbox);
      },
      message: async ({ body }) => await body.cancel(),
      abandon() {},
    };
  }
}

const deliver: Deliver = async ({ envelope, body }) => {
  const text = await new Response(body).text();
  console.log(envelope.user?.length, text.length);
};

const onSender: OnSender = async ({ user }) => {
  if (await user === undefined) return { code: 550, text: "no" };
};

/** How a listener is told what to do, and how not. */
export function listeners(provider: AuthProvider, port?: number): unknown {
  const options: ServeSmtpOptions = {
    provider,
    ...(port === undefined ? {} : { port }),
    mechanisms: ["PLAIN", LOGIN],
    onSender,
    onEvent,
  };
  return [
    () => serveSmtp(options, deliver),
    () => listenSmtp(options, new Mine()),
    // @ts-expect-error: somebody must take the mail.
    () => serveSmtp({ provider }),
    // @ts-expect-error: somebody must decide.
    () => serveSmtp({ port: 25 }, deliver),
    // @ts-expect-error: no option is called so.
    () => serveSmtp({ provider, prot: 25 }, deliver),
    // @ts-expect-error: a port is a number.
    () => serveSmtp({ provider, port: "25" }, deliver),
    // @ts-expect-error: a reply has a code.
    () => serveSmtp({ provider, onSender: () => "no" }, deliver),
    // @ts-expect-error: likewise.
    () => serveSmtp({ provider }, () => 550),
  ];
}

function onEvent(event: SmtpEvent): void {
  if (event.kind === "auth") console.log(event.outcome, event.reason);
  else if (event.kind === "message") console.log(event.code);
  else console.log(event.kind);
}

/** Stores of one's own. */
export const stores: readonly Store[] = [
  {
    read: async (keys) => await keys.map(() => undefined),
    update: async (keys, change) => {
      await change(keys.map(() => undefined));
    },
  },
  newRedisStore({ command: async (...args) => await args.length }),
];
