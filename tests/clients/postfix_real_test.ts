// Postfix, which passes mail on to a smarthost. It keeps a message when a login
// is refused, for good or for now (smtp_sasl_auth_soft_bounce).

import { assertEquals, assertMatch } from "../support/assert.ts";
import { testCertificate } from "../support/certificate.ts";
import { daemonTest, type Program } from "../support/daemons.ts";
import { eventually } from "../support/eventually.ts";
import { serveHttp } from "../support/http_end.ts";
import { startListener, temporaryFolder } from "../support/listener.ts";
import {
  newPostfix,
  POSTFIX,
  type Postfix,
  QUEUE_SERVICES,
} from "../support/postfix.ts";
import { serveHop } from "../support/scripted_hop.ts";
import { checkEverywhere, type Job } from "./checks.ts";
import { MESSAGE, storedMessages } from "./messages.ts";
import {
  findProgram,
  LOGIN,
  newAskingBench,
  newBench,
  RECIPIENTS,
  run,
  SENDER,
} from "./support.ts";

/** It sorts recipients by their domains. */
const ORDER = RECIPIENTS.toReversed();

/** A smarthost, and how to log in there. */
type Smarthost = Pick<Job, "target" | "mechanism" | "trusted" | "login">;

interface RelayClient extends AsyncDisposable {
  /** Gives it a message, and waits until it has tried to deliver that. */
  readonly send: (mail?: Mail) => Promise<readonly Delivery[]>;
  readonly log: () => string;
}

interface Mail {
  readonly sender?: string;
  readonly recipients?: readonly string[];
  readonly message?: Uint8Array<ArrayBuffer>;
}

/** What has become of a message for one recipient. */
interface Delivery {
  readonly to: string;
  /** `sent`, `deferred` or `bounced`. */
  readonly status: string;
  readonly dsn: string;
  /** Why. */
  readonly text: string;
}

const DELIVERY = / to=<(.*?)>,.* dsn=(.*?), status=(\S+) \((.*)\)$/gm;

function deliveriesIn(log: string): Delivery[] {
  return [...log.matchAll(DELIVERY)].map((
    [, to = "", dsn = "", status = "", text = ""],
  ) => ({ to, status, dsn, text }));
}

/** What a smarthost is told in `main.cf`, and in `master.cf`. */
function configuration(
  { target, mechanism, trusted = "" }: Smarthost,
): { readonly main: string; readonly master: string } {
  const level = target.mode === "plain text" ? "none" : "verify";
  return {
    main: [
      "mynetworks = 127.0.0.0/8",
      `relayhost = [localhost]:${target.port}`,
      "default_transport = smtp",
      "smtp_host_lookup = native",
      "smtp_sasl_auth_enable = yes",
      "smtp_sasl_security_options = noanonymous",
      `smtp_sasl_mechanism_filter = ${mechanism.toLowerCase()}`,
      "smtp_sasl_password_maps = texthash:/etc/postfix/passwords",
      `smtp_tls_security_level = ${level}`,
      "smtp_tls_verify_cert_match = hostname",
      `smtp_tls_CAfile = ${trusted}`,
      `smtp_tls_wrappermode = ${target.mode === "implicit TLS" ? "yes" : "no"}`,
      // What is deferred is tried again at once.
      "minimal_backoff_time = 1s",
      "maximal_backoff_time = 1s",
      "queue_run_delay = 1s",
      "",
    ].join("\n"),
    master: `${QUEUE_SERVICES}smtp unix - - n - - smtp
`,
  };
}

/** Starts a Postfix with a smarthost. */
async function startRelayClient(
  program: Program,
  smarthost: Smarthost,
): Promise<RelayClient> {
  await using cleanUp = new AsyncDisposableStack();
  const { username, password } = smarthost.login ?? LOGIN;
  const folder = temporaryFolder(cleanUp);
  const postfix: Postfix = cleanUp.use(newPostfix(program, {
    services: {
      local: {
        smtpd_tls_security_level: "none",
        smtpd_relay_restrictions: "permit_mynetworks,reject",
      },
    },
    ...configuration(smarthost),
    files: {
      passwords:
        `[localhost]:${smarthost.target.port} ${username}:${password}\n`,
    },
  }));
  await postfix.start();
  const ending = cleanUp.move();
  return {
    log: postfix.log,
    send: async (mail) => {
      const before = postfix.log().length;
      const { recipients = RECIPIENTS } = mail ?? {};
      await submit(postfix.ports.local ?? 0, `${folder}/message`, mail);
      return await eventually("a delivery to each", () => {
        // Reports of failures go out too.
        const deliveries = deliveriesIn(postfix.log().slice(before))
          .filter(({ to }) => recipients.includes(to));
        return deliveries.length >= recipients.length &&
          deliveries.slice(0, recipients.length);
      });
    },
    [Symbol.asyncDispose]: () => ending.disposeAsync(),
  };
}

async function submit(
  port: number,
  file: string,
  { sender = SENDER, recipients = RECIPIENTS, message = MESSAGE }: Mail = {},
): Promise<void> {
  Deno.writeFileSync(file, message);
  const { code, stderr } = await run(findProgram("curl") ?? "curl", {
    args: [
      ...["--silent", "--show-error", "--url", `smtp://127.0.0.1:${port}`],
      ...["--mail-from", sender, "--upload-file", file],
      ...recipients.flatMap((each) => ["--mail-rcpt", each]),
    ],
  });
  assertEquals(code, 0, stderr);
}

/** What became of a message, in short: one line a recipient, sorted. */
function inShort(deliveries: readonly Delivery[]): string[] {
  return deliveries.map(({ to, status, dsn }) => `${to} ${status} ${dsn}`)
    .sort();
}

daemonTest(
  POSTFIX,
  "delivers to a smarthost by PLAIN and LOGIN in plain text, over STARTTLS and over TLS",
  (program) =>
    checkEverywhere({ bodyOnly: true, order: ORDER }, async (job) => {
      await using client = await startRelayClient(program, job);
      assertEquals(
        inShort(await client.send()),
        RECIPIENTS.map((each) => `${each} sent 2.0.0`),
      );
    }),
);

daemonTest(
  POSTFIX,
  "keeps a message while its password is wrong",
  async (program) => {
    await using bench = await newBench();
    const { targets: [target] } = bench;
    await using client = await startRelayClient(program, {
      target,
      mechanism: "PLAIN",
      login: { ...LOGIN, password: "wrong" },
    });
    for (const { status, dsn, text } of await client.send()) {
      assertEquals({ status, dsn }, { status: "deferred", dsn: "4.7.8" });
      assertMatch(text, / said: 535 5\.7\.8 /);
    }
    assertEquals(storedMessages(target.listener), []);
  },
);

daemonTest(
  POSTFIX,
  "keeps a message while the endpoint answers 500, and delivers it then",
  async (program) => {
    let broken = true;
    await using bench = await newAskingBench(() =>
      broken
        ? new Response("out of order", { status: 500 })
        : Response.json({ ok: true })
    );
    const { target } = bench;
    const smarthost = { target, mechanism: "PLAIN" } as const;
    await using client = await startRelayClient(program, smarthost);
    for (const { status, dsn, text } of await client.send()) {
      assertEquals({ status, dsn }, { status: "deferred", dsn: "4.7.0" });
      assertMatch(text, / said: 454 4\.7\.0 /);
    }
    broken = false;
    const sent = await eventually("a delivery to each", () => {
      const good = deliveriesIn(client.log()).filter(({ status }) =>
        status === "sent"
      );
      return good.length === RECIPIENTS.length && good;
    });
    assertEquals(
      inShort(sent),
      RECIPIENTS.map((each) => `${each} sent 2.0.0`),
    );
    assertEquals(
      storedMessages(target.listener).map(({ recipients }) => recipients),
      [ORDER],
    );
  },
);

daemonTest(
  POSTFIX,
  "tells a refused recipient from one for later, and a sender who is not the user's",
  async (program) => {
    await using endpoint = serveHttp(() =>
      Response.json({ ok: true, senders: [SENDER] })
    );
    await using hop = serveHop({
      extensions: ["PIPELINING", "8BITMIME"],
      script: {
        RCPT: (line) =>
          line.includes("nobody")
            ? "550 5.1.1 No such user\r\n"
            : line.includes("later")
            ? "450 4.2.1 Busy\r\n"
            : "250 2.1.5 Ok\r\n",
      },
    });
    await using listener = await startListener({
      authUrl: endpoint.url,
      certificate: await testCertificate(),
      args: ["--relay", `smtp://127.0.0.1:${hop.port}`],
      maildir: null,
    });
    using cleanUp = new DisposableStack();
    const trusted = `${temporaryFolder(cleanUp)}/trusted.pem`;
    Deno.writeTextFileSync(trusted, (await testCertificate()).cert);
    await using client = await startRelayClient(program, {
      target: { mode: "STARTTLS", port: listener.port, listener },
      mechanism: "LOGIN",
      trusted,
    });
    const [delivery, ...others] = await client.send({
      sender: "eve@example.com",
      recipients: ["bob@example.net"],
    });
    assertEquals([delivery?.status, others], ["bounced", []]);
    assertMatch(
      delivery?.text ?? "",
      / said: 550 5\.7\.1 <eve@example\.com> is not one of your addresses /,
    );
    const names = ["bob", "later", "nobody", "zoe"];
    const recipients = names.map((name) => `${name}@example.net`);
    assertEquals(inShort(await client.send({ recipients })), [
      "bob@example.net sent 2.0.0",
      "later@example.net deferred 4.2.1",
      "nobody@example.net bounced 5.1.1",
      "zoe@example.net sent 2.0.0",
    ]);
  },
);
