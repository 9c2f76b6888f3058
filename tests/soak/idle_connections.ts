/**
 * 10,000 clients that are greeted and say nothing: prints the memory of each.
 * They need as many file descriptors twice (`ulimit -n`), and Linux:
 *
 *     deno run -A tests/soak/idle_connections.ts
 *
 * @module
 */

import { testCertificate } from "../support/certificate.ts";
import { startListener } from "../support/listener.ts";
import { type ConnectOptions, SmtpClient } from "../../testing/client.ts";
import { sendMail, watch } from "../support/watch.ts";

const CLIENTS = 10_000;

/** With TLS each client costs this process as much: fewer of them. */
const TLS_CLIENTS = 2_000;

const certificate = await testCertificate();
const trusted = certificate.cert;

/** Only connect and read the greeting. */
const RAW = "raw";

async function measure(
  name: string,
  count: number,
  tls: boolean,
  options: ConnectOptions | typeof RAW,
): Promise<void> {
  await using listener = await startListener({
    certificate,
    args: ["--allow-insecure-auth", "--max-connections", "20000"],
  });
  const { before, held } = await watch(listener);
  const port = tls ? listener.tlsPort : listener.port;
  const clients: SmtpClient[] = [];
  while (clients.length < count) {
    clients.push(
      ...await Promise.all(Array.from({ length: 100 }, () => open())),
    );
  }
  async function open(): Promise<SmtpClient> {
    if (options !== RAW) return await SmtpClient.greeted(port, options);
    const client = await SmtpClient.open(port);
    await client.expect("220");
    return client;
  }
  const began = performance.now();
  await sendMail(listener.port, "in the crowd");
  const milliseconds = Math.round(performance.now() - began);
  const { files, rssKiB } = held();
  const each = ((rssKiB - before.rssKiB) / count).toFixed(1);
  console.log(
    `${count} ${name}: ${each} KiB each (resident ${before.rssKiB} KiB -> ` +
      `${rssKiB} KiB), ${files} files; a message meanwhile: ${milliseconds} ms`,
  );
  clients.forEach((client) => client.close());
}

await measure("greeted", CLIENTS, false, RAW);
await measure("behind EHLO", CLIENTS, false, {});
await measure("behind EHLO over TLS", TLS_CLIENTS, true, { trusted });
