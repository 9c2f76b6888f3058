// Exim asks the Dovecot server, over a unix socket and over TCP, and the
// saslauthd server, whose path is compiled into it.

import { serveDovecotAuth } from "../../adapters/dovecot/server.ts";
import { newsOf } from "../support/events.ts";
import type { ServerEvent } from "../../auth/events.ts";
import { serveSaslauthd } from "../../adapters/saslauthd/server.ts";
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { daemonTest, freePort } from "../support/daemons.ts";
import {
  type AdapterCheck,
  checkDecisions,
  checkOutages,
  tryLogin,
} from "../support/adapter_check.ts";
import { EXIM, EXIM_HEAVY, startExim } from "../support/exim_daemon.ts";
import {
  LOGINS,
  newTestEndpoint,
  type TestEndpoint,
} from "../../testing/endpoint.ts";
import { temporaryFolder } from "../support/listener.ts";
import { codeBlocks, placed } from "../support/pages.ts";
import { base64 } from "../support/octets.ts";
import { SmtpClient } from "../../testing/client.ts";

/** Whom Exim works as. */
const EXIM_GROUP = "Debian-exim";

const MECHANISMS = ["PLAIN", "LOGIN"] as const;

/** Exim says no enhanced codes in these replies. */
function check(port: number, endpoint: TestEndpoint): AdapterCheck {
  return { port, endpoint, ok: "235", invalid: "535", failure: "435" };
}

const [LOGIN] = LOGINS;

daemonTest(EXIM_HEAVY, "asks the Dovecot server", async ({ path }, t) => {
  await using endpoint = await newTestEndpoint();
  using cleanUp = new DisposableStack();
  const folder = temporaryFolder(cleanUp);
  Deno.chmodSync(folder, 0o755);
  const events: ServerEvent[] = [];
  const options = {
    provider: endpoint.provider,
    onEvent: (event: ServerEvent) => void events.push(event),
  };
  const openUnix = () =>
    serveDovecotAuth({
      ...options,
      path: `${folder}/auth`,
      group: EXIM_GROUP,
    });
  let unix = await openUnix();
  await using tcp = await serveDovecotAuth({ ...options, port: 0 });
  const [address] = tcp.addrs;
  const tcpPort = address?.transport === "tcp" ? address.port : 0;
  const ports = { unix: freePort(), tcp: freePort() };
  const start = (port: number, socket: string) =>
    startExim(
      path,
      [port],
      MECHANISMS.flatMap((mechanism) => authenticator(mechanism, socket)),
    );
  await using _unix = await start(ports.unix, `${folder}/auth`);
  await using _tcp = await start(ports.tcp, `127.0.0.1 ${tcpPort}`);

  for (const [name, port] of Object.entries(ports)) {
    await t.step(
      `${name}: right and wrong passwords`,
      () => checkDecisions(check(port, endpoint)),
    );
    await t.step(
      `${name}: no outage is a wrong password`,
      () => checkOutages(check(port, endpoint)),
    );
  }
  await t.step("without the server it is 435, then works again", async () => {
    await unix.shutdown();
    assertEquals(await tryLogin(ports.unix, LOGIN), "435");
    unix = await openUnix();
    assertEquals(await tryLogin(ports.unix, LOGIN), "235");
  });
  await t.step("rubbish is refused and hurts nobody", async () => {
    using client = await SmtpClient.greeted(ports.unix);
    await client.command("AUTH PLAIN @@@", "535");
    await client.command("AUTH PLAIN =", "535");
    await client.command("AUTH LOGIN", "334");
    await client.command("*", "501");
    await client.command(
      `AUTH LOGIN ${base64(LOGIN.username)}`,
      "334",
    );
    await client.command(base64(LOGIN.password), "235");
  });
  await t.step("the provider learns the client's address", () => {
    const addresses = new Set(
      newsOf(events).map((event) =>
        event.kind === "auth" ? event.remoteIp : ""
      ),
    );
    assertEquals([...addresses], ["127.0.0.1"]);
  });
  await unix.shutdown();
});

function authenticator(mechanism: string, socket: string): string[] {
  return [
    `${mechanism.toLowerCase()}:`,
    "  driver = dovecot",
    `  public_name = ${mechanism}`,
    `  server_socket = ${socket}`,
    "  server_set_id = $auth1",
  ];
}

/** Compiled into every Debian Exim. */
const MUX = "/run/saslauthd/mux";

daemonTest(
  { ...EXIM, ...(isServed(MUX) ? { program: undefined } : {}) },
  "asks the saslauthd server",
  async ({ path }, t) => {
    await using endpoint = await newTestEndpoint();
    using _entered = openFolder("/run/saslauthd");
    const events: ServerEvent[] = [];
    const open = () =>
      serveSaslauthd({
        path: MUX,
        group: EXIM_GROUP,
        provider: endpoint.provider,
        onEvent: (event) => events.push(event),
      });
    let server = await open();
    const port = freePort();
    // As docs/exim.md prints it, but for TLS.
    const page = placed(codeBlocks("docs/exim.md", "ini")[2], {
      "${if def:tls_in_cipher}": "yes",
    });
    await using exim = await startExim(path, [port], [page]);
    await t.step(
      "right and wrong passwords",
      () => checkDecisions(check(port, endpoint)),
    );
    await t.step(
      "no outage is a wrong password",
      () => checkOutages(check(port, endpoint)),
    );
    await t.step("without the server it is 435, then works again", async () => {
      await server.shutdown();
      assertEquals(await tryLogin(port, LOGIN), "435");
      server = await open();
      assertEquals(await tryLogin(port, LOGIN), "235");
    });
    await server.shutdown();
    assert(events.length > 20);
    assertMatch(exim.log(), /daemon started/);
  },
);

/**
 * Makes a folder that Exim may enter. With Debian's sasl2-bin it is there, for
 * the group `sasl` alone; then it becomes that again.
 */
function openFolder(path: string): Disposable {
  Deno.mkdirSync(path, { recursive: true });
  const { mode } = Deno.statSync(path);
  Deno.chmodSync(path, 0o711);
  return {
    [Symbol.dispose]: () => Deno.chmodSync(path, (mode ?? 0o755) & 0o7777),
  };
}

/** Whether a saslauthd of this machine's own has a file there. */
function isServed(path: string): boolean {
  try {
    return Deno.statSync(path).isSocket === true;
  } catch {
    return false;
  }
}
