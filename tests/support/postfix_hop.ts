/**
 * Postfix as a next hop: it takes mail for example.net, with or without a
 * login, and keeps it in a Maildir.
 *
 * @module
 */

import { serveDovecotAuth } from "../../adapters/dovecot/server.ts";
import { newStaticAuthProvider } from "../../auth/providers/static.ts";
import type { TestCertificate } from "./certificate.ts";
import { messagesIn, type Program, userIds } from "./daemons.ts";
import { eventually } from "./eventually.ts";
import { newPostfix, POSTFIX_USER, QUEUE_SERVICES } from "./postfix.ts";

/** The one user of the service that wants a login. */
export const HOP_USER = "relay@example.org";
export const HOP_PASSWORD = "s3cret/\u00e4";

/** A running Postfix. */
export interface PostfixHop extends AsyncDisposable {
  /** Takes mail without a login; STARTTLS is offered. */
  readonly open: number;
  /** Wants STARTTLS and a login. */
  readonly submission: number;
  /** Wants TLS from the start and a login. */
  readonly submissions: number;
  /** Its log so far. */
  readonly log: () => string;
  /** Waits until so many messages have arrived; their texts, LF line ends. */
  readonly arrived: (count: number) => Promise<string[]>;
  /** Stops it and starts it again. */
  readonly restart: () => Promise<void>;
}

/** What all services have to do with TLS and mailboxes. */
function mainCf(): string {
  const { uid, gid } = userIds(POSTFIX_USER);
  return [
    "smtpd_tls_cert_file = /etc/postfix/cert.pem",
    "smtpd_tls_key_file = /etc/postfix/key.pem",
    "virtual_mailbox_domains = example.net",
    "virtual_mailbox_base = /etc/postfix/../queue/mail",
    "virtual_mailbox_maps = static:all/",
    "virtual_minimum_uid = 1",
    `virtual_uid_maps = static:${uid}`,
    `virtual_gid_maps = static:${gid}`,
    "message_size_limit = 30000000",
    "virtual_mailbox_limit = 0",
    "smtpd_client_connection_count_limit = 0",
    "smtpd_recipient_restrictions = check_recipient_access inline:{{nobody@example.net=550 5.1.1 no such user}}, permit_mynetworks, reject_unauth_destination",
    "mynetworks =",
    "smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination",
    "",
  ].join("\n");
}

const VIRTUAL = "virtual unix - n n - - virtual\n";

/**
 * Starts one.
 *
 * @param users Who may log in, and their passwords.
 */
export async function startPostfixHop(
  program: Program,
  { cert, key }: TestCertificate,
  users: Readonly<Record<string, string>> = { [HOP_USER]: HOP_PASSWORD },
): Promise<PostfixHop> {
  await using cleanUp = new AsyncDisposableStack();
  const auth = {
    smtpd_tls_security_level: "encrypt",
    smtpd_sasl_auth_enable: "yes",
    smtpd_sasl_type: "dovecot",
    smtpd_sasl_path: "private/auth",
    smtpd_client_restrictions: "permit_sasl_authenticated,reject",
  };
  const postfix = cleanUp.use(newPostfix(program, {
    services: {
      open: { smtpd_tls_security_level: "may" },
      submission: auth,
      submissions: { ...auth, smtpd_tls_wrappermode: "yes" },
    },
    main: mainCf(),
    master: QUEUE_SERVICES + VIRTUAL,
    files: { "cert.pem": cert, "key.pem": key },
  }));
  const mail = `${postfix.queue}/mail`;
  const { uid, gid } = userIds(POSTFIX_USER);
  Deno.mkdirSync(mail);
  Deno.chownSync(mail, uid, gid);
  const provider = newStaticAuthProvider(users);
  const server = await serveDovecotAuth({
    path: `${postfix.queue}/private/auth`,
    group: POSTFIX_USER,
    provider,
  });
  cleanUp.defer(() => server.shutdown());
  await postfix.start();
  const { open = 0, submission = 0, submissions = 0 } = postfix.ports;
  const ending = cleanUp.move();
  return {
    open,
    submission,
    submissions,
    log: postfix.log,
    arrived: (count) =>
      eventually(`${count} messages`, () => {
        const texts = messagesIn(`${mail}/all/new`);
        return texts.length >= count && texts;
      }),
    restart: async () => {
      await postfix.stop();
      await postfix.start();
    },
    [Symbol.asyncDispose]: () => ending.disposeAsync(),
  };
}
