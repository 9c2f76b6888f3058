// nginx asks the endpoint that nginxAuthHandler() makes.

import type { ServerEvent } from "../../../auth/events.ts";
import { nginxAuthHandler } from "../../../adapters/nginx/handler.ts";
import { serveSmtp } from "../../../smtp/listener.ts";
import { assertEquals } from "../../support/assert.ts";
import { daemonTest, freePort } from "../../support/daemons.ts";
import {
  type AdapterCheck,
  checkDecisions,
  checkOutages,
  tryLogin,
} from "../../support/adapter_check.ts";
import { LOGINS, newTestEndpoint } from "../../../testing/endpoint.ts";
import { base64 } from "../../support/octets.ts";
import { NGINX, startNginx } from "../../support/nginx.ts";
import { mustHappen } from "../../../testing/deadline.ts";
import { SmtpClient } from "../../../testing/client.ts";

const SECRET = "known-to-both";

const [LOGIN] = LOGINS;

daemonTest(NGINX, "asks the nginx server", async ({ path }, t) => {
  await using endpoint = await newTestEndpoint();
  await using upstream = serveSmtp({
    port: 0,
    provider: () => "authFailure",
    requireAuth: false,
  }, () => {});
  const events: ServerEvent[] = [];
  const handler = nginxAuthHandler(endpoint.provider, {
    upstream: { hostname: "127.0.0.1", port: upstream.addrs[0]?.port ?? 0 },
    secret: SECRET,
    waitSeconds: 1,
    onEvent: (event) => events.push(event),
  });
  const options = { hostname: "127.0.0.1", onListen: () => {} };
  let auth = Deno.serve({ ...options, port: 0 }, handler);
  const authPort = auth.addr.port;
  const port = freePort();
  await using _nginx = await startNginx(path, {
    port,
    mail: mail(port, authPort, SECRET),
  });
  const check: AdapterCheck = {
    port,
    endpoint,
    ok: "235 2.0.0",
    invalid: "535 5.7.8",
    failure: "454 4.7.0",
  };

  await t.step("right and wrong passwords", () => checkDecisions(check));
  await t.step("no outage is a wrong password", () => checkOutages(check));
  await t.step("without the server it is temporary, then works", async () => {
    await auth.shutdown();
    const status = await tryLogin(port, LOGIN);
    assertEquals(status, "451 4.3.2");
    auth = Deno.serve({ ...options, port: authPort }, handler);
    assertEquals(await tryLogin(port, LOGIN), "235 2.0.0");
  });
  await t.step("what the client reads, and how often it may try", async () => {
    using client = await SmtpClient.greeted(port);
    const reply = await client.login(LOGIN.username, "x", "535 5.7.8");
    assertEquals(reply.lines, ["Authentication credentials invalid"]);
    await client.login(LOGIN.username, "y", "535 5.7.8");
    await client.login(LOGIN.username, "z", "535 5.7.8");
    await client.expectEnd();
  });
  await t.step("another secret is an outage", async () => {
    const port = freePort();
    await using _other = await startNginx(path, {
      port,
      mail: mail(port, authPort, "another"),
    });
    assertEquals(await tryLogin(port, LOGIN), "454 4.7.0");
    const last = events.at(-1);
    assertEquals(last?.kind === "auth" && last.reason, "bad-token");
  });
  await t.step("once through, the client talks to the upstream", async () => {
    using client = await SmtpClient.greeted(port);
    await client.login(LOGIN.username, LOGIN.password, "235");
    await client.envelope();
    await client.command("hello\r\n.", "250");
  });
  await auth.shutdown();
});

daemonTest(NGINX, "tells the upstream the canonical name", async ({ path }) => {
  const upstream = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const handler = nginxAuthHandler(
    () => ({ decision: "authOk", user: "jörg@example.com" }),
    { upstream: { hostname: "127.0.0.1", port: upstream.addr.port } },
  );
  const options = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
  await using auth = Deno.serve(options, handler);
  const port = freePort();
  await using _nginx = await startNginx(path, {
    port,
    mail: mail(port, auth.addr.port, SECRET)
      .replace("xclient off", "xclient on"),
  });
  const told = conversation(upstream);
  {
    using client = await SmtpClient.greeted(port);
    await client.login("JORG", "x", "235");
  }
  const [, login] = / LOGIN=(\S+)/.exec(await told) ?? [];
  assertEquals(login, "jörg@example.com");
});

daemonTest(
  NGINX,
  "tells IMAP and POP3 clients a wrong password from an outage",
  async ({ path }) => {
    const handler = nginxAuthHandler(
      ({ username }) => username === "ann" ? "authInvalid" : "authFailure",
      { upstream: { hostname: "127.0.0.1", port: 1 }, maxAuthFailures: 1 },
    );
    const options = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
    await using auth = Deno.serve(options, handler);
    const invalid = "Authentication credentials invalid";
    const failure = "Temporary authentication failure";
    for (
      const [protocol, login, no, down] of [
        [
          "imap",
          (user: string) => `a LOGIN ${user} x`,
          `a NO [AUTHENTICATIONFAILED] ${invalid}`,
          `a NO [UNAVAILABLE] ${failure}`,
        ],
        [
          "pop3",
          (user: string) => `AUTH PLAIN ${base64(`\0${user}\0x`)}`,
          `-ERR [AUTH] ${invalid}`,
          `-ERR [SYS/TEMP] ${failure}`,
        ],
      ] as const
    ) {
      const port = freePort();
      await using _nginx = await startNginx(path, {
        port,
        mail: mail(port, auth.addr.port, SECRET)
          .replace(/(?:proxy_smtp|smtp)_auth .*/g, "")
          .replace("protocol smtp", `protocol ${protocol}`),
      });
      assertEquals(await lastLine(port, login("ann")), no);
      assertEquals(await lastLine(port, login("eve")), down);
    }
  },
);

/** What a server says last, before it closes. */
async function lastLine(port: number, line: string): Promise<string> {
  using conn = await Deno.connect({ port });
  await conn.write(new TextEncoder().encode(`${line}\r\n`));
  const said = await mustHappen(readText(conn), "nginx closes");
  return said.trimEnd().split("\r\n").at(-1) ?? "";
}

async function readText({ readable }: Deno.Conn): Promise<string> {
  let text = "";
  for await (const piece of readable.pipeThrough(new TextDecoderStream())) {
    text += piece;
  }
  return text;
}

/** Says yes to all that one client says, and tells what it was. */
async function conversation(listener: Deno.TcpListener): Promise<string> {
  const conn = await listener.accept();
  listener.close();
  const say = (reply: string) =>
    conn.write(new TextEncoder().encode(`${reply}\r\n`));
  let said = "";
  await say("220 upstream ESMTP");
  for await (
    const text of conn.readable.pipeThrough(new TextDecoderStream())
  ) {
    said += text;
    await say(text.startsWith("XCLIENT") ? "220 again" : "250 ok");
  }
  return said;
}

/** What docs/nginx.md prints, without TLS. */
function mail(port: number, authPort: number, secret: string): string {
  return `mail {
    server_name mail.example.com;
    auth_http 127.0.0.1:${authPort}/;
    auth_http_header X-Auth-Key ${secret};
    proxy_smtp_auth off;
    xclient off;
    server {
        listen 127.0.0.1:${port};
        protocol smtp;
        smtp_auth plain login;
    }
}`;
}
