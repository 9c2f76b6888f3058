import { assertEquals } from "../support/assert.ts";
import { testCertificate } from "../support/certificate.ts";
import { freePort } from "../support/daemons.ts";
import { eventually } from "../support/eventually.ts";
import {
  type Listener,
  startListener,
  temporaryFolder,
} from "../support/listener.ts";
import { SmtpClient } from "../../testing/client.ts";
import { clientNamed, clientTest, MECHANISMS } from "./support.ts";

const haproxy = clientNamed("haproxy", "haproxy");

/** How HAProxy sends its header, in the words of its configuration. */
const WAYS = ["send-proxy", "send-proxy-v2", "send-proxy-v2-ssl"] as const;

interface Proxy extends AsyncDisposable {
  readonly port: number;
}

/**
 * Runs HAProxy in front of a port, and waits until it is there. It checks the
 * health of the listener all the time.
 *
 * @param bind What stands behind its address: nothing, or what makes it TLS.
 */
async function startProxy(
  port: number,
  way: string,
  bind: (folder: string) => string,
): Promise<Proxy> {
  await using cleanUp = new AsyncDisposableStack();
  const folder = temporaryFolder(cleanUp);
  const front = freePort();
  Deno.writeTextFileSync(
    `${folder}/haproxy.cfg`,
    `global
  stats socket ${folder}/stats
defaults
  mode tcp
  timeout connect 5s
  timeout client 30s
  timeout server 30s
listen submission
  bind 127.0.0.1:${front} ${bind(folder)}
  server listener 127.0.0.1:${port} check inter 50ms ${way}
`,
  );
  const child = new Deno.Command(haproxy.program ?? "", {
    args: ["-db", "-f", `${folder}/haproxy.cfg`],
    stdout: "null",
    stderr: "null",
  }).spawn();
  cleanUp.defer(async () => {
    child.kill("SIGKILL");
    await child.status;
  });
  await eventually("HAProxy listens", async () => {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port: front })).close();
      return true;
    } catch {
      return false;
    }
  });
  const ending = cleanUp.move();
  return { port: front, [Symbol.asyncDispose]: () => ending.disposeAsync() };
}

/** Says EHLO and reads what is offered. */
async function offers(client: SmtpClient): Promise<readonly string[]> {
  await client.expect("220");
  return (await client.command("EHLO client.example.net", "250")).lines;
}

/** Logs in and gives the address that the log has. */
async function loggedAddress(listener: Listener, client: SmtpClient) {
  await client.login("ann@example.org", "correct horse");
  await listener.logged(/"event":"auth"/);
  return listener.log().find(({ event }) => event === "auth")?.remoteIp;
}

for (const way of WAYS) {
  clientTest(haproxy, `with ${way} tells the client's address`, async () => {
    await using listener = await startListener({
      args: ["--proxy-protocol", "--allow-insecure-auth"],
    });
    await using proxy = await startProxy(listener.port, way, () => "");
    using client = await SmtpClient.open(proxy.port);
    await offers(client);
    assertEquals(await loggedAddress(listener, client), "127.0.0.1");
    // Its health checks come and go meanwhile, and are worth no line.
    assertEquals(listener.log().filter(({ event }) => event === "closed"), []);
  });
}

clientTest(
  haproxy,
  "that ends TLS is offered AUTH and no STARTTLS",
  async () => {
    const certificate = await testCertificate();
    await using listener = await startListener({
      certificate,
      args: ["--proxy-protocol"],
    });
    await using proxy = await startProxy(
      listener.port,
      "send-proxy-v2-ssl",
      (folder) => {
        const pem = `${folder}/both.pem`;
        Deno.writeTextFileSync(pem, certificate.cert + certificate.key);
        return `ssl crt ${pem}`;
      },
    );
    const trusted = certificate.cert;
    using client = await SmtpClient.open(proxy.port, { trusted });
    const lines = await offers(client);
    assertEquals(lines.includes(`AUTH ${MECHANISMS.join(" ")}`), true);
    assertEquals(lines.includes("STARTTLS"), false);
    await loggedAddress(listener, client);
  },
);

clientTest(
  haproxy,
  "passes TLS on to the port for implicit TLS",
  async () => {
    const certificate = await testCertificate();
    const trusted = certificate.cert;
    await using listener = await startListener({
      certificate,
      args: ["--proxy-protocol"],
    });
    await using proxy = await startProxy(
      listener.tlsPort,
      "send-proxy-v2",
      () => "",
    );
    using client = await SmtpClient.open(proxy.port, { trusted });
    await offers(client);
    assertEquals(await loggedAddress(listener, client), "127.0.0.1");
  },
);
