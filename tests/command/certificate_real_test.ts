import { assertEquals } from "../support/assert.ts";
import { testCertificate } from "../support/certificate.ts";
import { startListener, temporaryFolder } from "../support/listener.ts";
import { SmtpClient } from "../../testing/client.ts";
import {
  newTestCertificate,
  type TestCertificate,
} from "../support/tls_certificate.ts";

function write(folder: string, { cert, key }: TestCertificate): void {
  // As programs that renew certificates do: a new file takes the old one's name.
  for (const [name, text] of [["cert.pem", cert], ["key.pem", key]] as const) {
    Deno.writeTextFileSync(`${folder}/new`, text);
    Deno.renameSync(`${folder}/new`, `${folder}/${name}`);
  }
}

async function seesCertificate(port: number, cert: string): Promise<void> {
  using client = await SmtpClient.greeted(port);
  await client.startTls(cert);
  await client.command("NOOP", "250");
}

const flagsFor = (folder: string) => [
  ...["--tls-cert", `${folder}/cert.pem`, "--tls-key", `${folder}/key.pem`],
];

Deno.test("main.ts uses a new certificate on SIGHUP, and keeps the old one if it is bad", async () => {
  await using cleanUp = new AsyncDisposableStack();
  const folder = temporaryFolder(cleanUp);
  const [old, next] = [await testCertificate(), await newTestCertificate()];
  write(folder, old);
  await using listener = await startListener({ args: flagsFor(folder) });
  await seesCertificate(listener.port, old.cert);
  using open = await SmtpClient.greeted(listener.port);
  await open.startTls(old.cert);

  write(folder, { cert: next.cert, key: old.key });
  listener.signal("SIGHUP");
  await listener.logged(/the old certificate stays in use/);
  await seesCertificate(listener.port, old.cert);

  write(folder, next);
  listener.signal("SIGHUP");
  await listener.logged(/new certificate in use/);
  await seesCertificate(listener.port, next.cert);
  await open.command("NOOP", "250");
});

Deno.test("main.ts uses a new certificate when its files change", async () => {
  await using cleanUp = new AsyncDisposableStack();
  const folder = temporaryFolder(cleanUp);
  const [old, next] = [await testCertificate(), await newTestCertificate()];
  write(folder, old);
  await using listener = await startListener({ args: flagsFor(folder) });
  write(folder, next);
  await listener.logged(/new certificate in use/);
  await seesCertificate(listener.port, next.cert);
});

Deno.test("main.ts goes on at a SIGHUP without a certificate (issue 11)", async () => {
  await using listener = await startListener();
  listener.signal("SIGHUP");
  // Whoever is greeted now comes after the signal.
  using client = await SmtpClient.greeted(listener.port);
  await client.command("QUIT", "221");
  await client.expectEnd();
  assertEquals((await listener.stop()).code, 0);
});
