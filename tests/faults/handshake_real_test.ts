import { serveSmtp } from "../../smtp/listener.ts";
import { testCertificate } from "../support/certificate.ts";
import { mustHappen } from "../../testing/deadline.ts";
import { eventually } from "../support/eventually.ts";
import { SmtpClient } from "../../testing/client.ts";

const HEADER = "PROXY TCP4 192.0.2.7 198.51.100.1 50000 587\r\n";

/** What clients say where TLS should begin: nothing, or a bit of a ClientHello. */
const BEGINNINGS = [
  "",
  "\x16\x03\x01\x02\x00\x01\x00\x01\x7c\x03\x03",
] as const;

/** Where TLS begins: at STARTTLS, or at once on a port of its own. */
const PLACES = ["STARTTLS", "tlsPort", "tlsPort behind a proxy"] as const;

for (const place of PLACES) {
  Deno.test(`serveSmtp() forgets clients that go where TLS should begin: ${place}`, async () => {
    const proxied = place === "tlsPort behind a proxy";
    const server = serveSmtp({
      ...await testCertificate(),
      port: 0,
      tlsPort: 0,
      // One that is not forgotten is one too many.
      maxConnections: 1,
      provider: () => "authOk",
      ...(proxied ? { proxyProtocolFrom: ["127.0.0.0/8"] } : {}),
    }, () => {});
    const [plainText, encrypted] = server.addrs.map(({ port }) => port);
    const greeted = async () => {
      const client = await SmtpClient.open(plainText ?? 0);
      if (proxied) await client.sendRaw(HEADER);
      if ((await client.reply()).status === "220") return client;
      client.close();
      return undefined;
    };
    const atTls = async () => {
      if (place !== "STARTTLS") {
        const client = await SmtpClient.open(encrypted ?? 0);
        if (proxied) await client.sendRaw(HEADER);
        return client;
      }
      const client = await eventually("a place is free", greeted);
      await client.command("EHLO client.example.net", "250");
      await client.command("STARTTLS", "220");
      return client;
    };
    for (const beginning of BEGINNINGS) {
      for (const half of [true, false]) {
        using client = await atTls();
        await client.sendRaw(beginning);
        if (half) {
          await client.closeWrite();
          // The listener closes its side too.
          await client.rest();
        } else client.close();
        (await eventually("a place is free", greeted)).close();
      }
    }
    await mustHappen(server.shutdown(), "the listener ends");
  });
}
