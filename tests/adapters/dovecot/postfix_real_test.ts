// Postfix asks the Dovecot server, over a unix socket and over TCP, and the
// saslauthd server through Cyrus SASL.

import type { AuthServer } from "../../../adapters/socket_server.ts";
import { serveDovecotAuth } from "../../../adapters/dovecot/server.ts";
import { newsOf } from "../../support/events.ts";
import type { ServerEvent } from "../../../auth/events.ts";
import { serveSaslauthd } from "../../../adapters/saslauthd/server.ts";
import { assert, assertEquals, assertMatch } from "../../support/assert.ts";
import { daemonTest, freePort } from "../../support/daemons.ts";
import {
  type AdapterCheck,
  checkDecisions,
  checkOutages,
  tryLogin,
} from "../../support/adapter_check.ts";
import { LOGINS, newTestEndpoint } from "../../../testing/endpoint.ts";
import { newPostfix, POSTFIX, POSTFIX_USER } from "../../support/postfix.ts";
import { codeBlocks, placed } from "../../support/pages.ts";
import { plain, SmtpClient } from "../../../testing/client.ts";

const AUTH = { smtpd_sasl_auth_enable: "yes" };

const [LOGIN] = LOGINS;

daemonTest(POSTFIX, "asks every server", async (program, t) => {
  await using endpoint = await newTestEndpoint();
  const { provider } = endpoint;
  const tcpPort = freePort();
  await using postfix = newPostfix(program, {
    services: {
      unix: {
        ...AUTH,
        smtpd_sasl_type: "dovecot",
        smtpd_sasl_path: "private/smtpauth",
      },
      tcp: {
        ...AUTH,
        smtpd_sasl_type: "dovecot",
        smtpd_sasl_path: `inet:127.0.0.1:${tcpPort}`,
      },
      cyrus: { ...AUTH, smtpd_sasl_type: "cyrus", smtpd_sasl_path: "smtpd" },
    },
    cyrus: placed(codeBlocks("docs/postfix.md", "ini")[3], {}),
  });
  const { queue, ports } = postfix;
  const events: ServerEvent[] = [];
  const onEvent = (event: ServerEvent) => events.push(event);
  const openUnix = () =>
    serveDovecotAuth({
      path: `${queue}/private/smtpauth`,
      group: POSTFIX_USER,
      provider,
      onEvent,
    });
  const openTcp = () => serveDovecotAuth({ port: tcpPort, provider, onEvent });
  const openCyrus = () =>
    serveSaslauthd({
      path: `${queue}/run/smtpauth/mux`,
      group: POSTFIX_USER,
      provider,
      onEvent,
    });
  Deno.mkdirSync(`${queue}/run/smtpauth`, { recursive: true });
  const servers: AuthServer[] = [
    await openUnix(),
    await openTcp(),
    await openCyrus(),
  ];
  await using _open = {
    [Symbol.asyncDispose]: async () => {
      for (const server of servers) await server.shutdown();
    },
  };
  await postfix.start();

  const check = (name: string): AdapterCheck => ({
    port: ports[name] ?? 0,
    endpoint,
    invalid: "535 5.7.8",
    failure: "454 4.7.0",
  });

  for (const name of ["unix", "tcp", "cyrus"]) {
    await t.step(`${name}: right and wrong passwords`, async () => {
      await checkDecisions(check(name));
    });
    await t.step(
      `${name}: no outage is a wrong password`,
      () => checkOutages(check(name)),
    );
  }
  await t.step("the log has every login and no password", () => {
    const seen = new Set(
      newsOf(events).map((event) =>
        event.kind === "auth"
          ? `${event.via} ${event.outcome} ${event.reason}`
          : event.kind
      ),
    );
    assertEquals([...seen].sort(), [
      "dovecot failure backend-status",
      "dovecot failure backend-timeout",
      "dovecot failure backend-unreachable",
      "dovecot invalid wrong-credentials",
      "dovecot ok ok",
      "saslauthd failure backend-status",
      "saslauthd failure backend-timeout",
      "saslauthd failure backend-unreachable",
      "saslauthd invalid wrong-credentials",
      "saslauthd ok ok",
    ]);
    const text = JSON.stringify(events);
    for (const { password } of LOGINS) assert(!text.includes(password));
  });

  await t.step("unix: a restart of the server costs no login", async () => {
    using client = await SmtpClient.greeted(ports.unix ?? 0);
    await servers[0]?.shutdown();
    servers[0] = await openUnix();
    await client.login(LOGIN.username, LOGIN.password);
  });
  await t.step("tcp: a restart of the server costs no login", async () => {
    using client = await SmtpClient.greeted(ports.tcp ?? 0);
    await servers[1]?.shutdown();
    servers[1] = await openTcp();
    await client.login(LOGIN.username, LOGIN.password);
  });
  await t.step("cyrus: without the server it is 454, then works", async () => {
    await servers[2]?.shutdown();
    assertEquals(await tryLogin(ports.cyrus ?? 0, LOGIN), "454 4.7.0");
    servers[2] = await openCyrus();
    assertEquals(await tryLogin(ports.cyrus ?? 0, LOGIN), "235 2.7.0");
  });
  await t.step("unix: a client that cancels can begin again", async () => {
    using client = await SmtpClient.greeted(ports.unix ?? 0);
    for (let i = 0; i < 3; i++) {
      await client.command("AUTH LOGIN", "334");
      await client.command("*", "501 5.7.0");
    }
    await client.command("AUTH PLAIN =", "535 5.7.8");
    await client.command("AUTH plain", "334");
    await client.command(plain(LOGIN.username, LOGIN.password), "235 2.7.0");
  });
  await t.step("unix: what the client reads of a wrong password", async () => {
    using client = await SmtpClient.greeted(ports.unix ?? 0);
    const { lines } = await client.login(LOGIN.username, "x", "535 5.7.8");
    assertEquals(lines, [
      "Error: authentication failed: Authentication credentials invalid",
    ]);
  });
  assertMatch(postfix.log(), /daemon started/);
});
