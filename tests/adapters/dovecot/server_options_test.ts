// What the Dovecot server takes as options.

import { newStaticAuthProvider } from "../../../auth/providers/static.ts";
import {
  type DovecotAuthOptions,
  serveDovecotAuth,
} from "../../../adapters/dovecot/server.ts";
import { assert, assertRejects } from "../../support/assert.ts";

Deno.test.sanitizer({ ops: true, resources: true });

const PROVIDER = newStaticAuthProvider({ ann: "secret", joe: "ok" });

Deno.test("bad configuration is refused before anything is bound", async () => {
  const provider = PROVIDER;
  const rows: readonly (readonly [DovecotAuthOptions, string])[] = [
    [{ provider }, "either path or port must be given"],
    [{ provider, path: "/x", port: 1 }, "either path or port must be given"],
    [
      { provider, port: 0, mechanisms: [] },
      "mechanisms must be a list of PLAIN, LOGIN, XOAUTH2, OAUTHBEARER or mechanisms of your own, each once: got an array",
    ],
    [{ provider, path: "" }, "path must be the path of a socket file"],
    [{ provider, path: "/x", hostname: "::1" }, "hostname needs port"],
    [{ provider, port: 0, mode: 0o600 }, "mode and group need path"],
    [
      { provider, path: "/x", group: -1 },
      "group must be a group's name or number: got -1",
    ],
    [
      { provider, path: "/x", group: "" },
      "group must be a group's name or number: got an empty string",
    ],
  ];
  for (const [options, text] of rows) {
    await assertRejects(
      () => serveDovecotAuth(options),
      TypeError,
      `Cannot serve Dovecot auth: ${text}`,
    );
  }
  const ranges: readonly (readonly [DovecotAuthOptions, string])[] = [
    [
      { provider, path: "/x", mode: 0o1000 },
      "mode must be an integer from 0o000 to 0o777: got 512",
    ],
    [
      { provider, port: 65_536 },
      "port must be an integer from 0 to 65535: got 65536",
    ],
    [
      { provider, port: 0, timeoutMs: 0 },
      "timeoutMs must be a number > 0 and <= 600000: got 0",
    ],
    [
      { provider, port: 0, maxConnections: 0 },
      "maxConnections must be an integer from 1 to 1000000: got 0",
    ],
  ];
  for (const [options, text] of ranges) {
    await assertRejects(
      () => serveDovecotAuth(options),
      RangeError,
      `Cannot serve Dovecot auth: ${text}`,
    );
  }
});

Deno.test("a port that is taken is the system's error", async () => {
  await using server = await serveDovecotAuth({
    provider: PROVIDER,
    port: 0,
  });
  const [address] = server.addrs;
  assert(address?.transport === "tcp");
  await assertRejects(
    () => serveDovecotAuth({ provider: PROVIDER, port: address.port }),
    Error,
  );
});
