import { readCertificate } from "../../command/certificate.ts";
import { readAuthority } from "../../command/endpoint.ts";
import { assertEquals } from "../support/assert.ts";
import { testCertificate } from "../support/certificate.ts";
import { temporaryFolder } from "../support/listener.ts";

Deno.test.sanitizer({ ops: true, resources: true });

// Windows' editors write it, and TLS takes no PEM that begins with it.
Deno.test("files in PEM are read without a byte order mark", async () => {
  using cleanUp = new DisposableStack();
  const folder = temporaryFolder(cleanUp);
  const { cert, key } = await testCertificate();
  const files = { cert: `${folder}/cert.pem`, key: `${folder}/key.pem` };
  Deno.writeTextFileSync(files.cert, `\ufeff${cert}`);
  Deno.writeTextFileSync(files.key, `\ufeff${key}`);
  assertEquals(readCertificate(files), { cert, key });
  assertEquals(readAuthority("--auth-ca", files.cert), cert);
});
