// An onEvent or an onListen that throws harms nobody: issue 11.

import { serveDovecotAuth } from "../adapters/dovecot/server.ts";
import { authHandler } from "../adapters/http/handler.ts";
import { nginxAuthHandler } from "../adapters/nginx/handler.ts";
import { serveSaslauthd } from "../adapters/saslauthd/server.ts";
import { smtpServerAuth } from "../adapters/smtp_server/on_auth.ts";
import { serveSmtp } from "../smtp/listener.ts";
import { assertEquals, assertMatch } from "./support/assert.ts";
import { newRequest } from "./support/auth_request.ts";
import { mustHappen } from "../testing/deadline.ts";
import { plain, SmtpClient } from "../testing/client.ts";

Deno.test.sanitizer({ ops: true, resources: true });

/** Counts its calls, and then throws or rejects. */
function newBadHook(way: "throws" | "rejects") {
  const hook = {
    calls: 0,
    call: (): void | Promise<void> => {
      hook.calls++;
      if (way === "rejects") return Promise.reject(new Error("in a hook"));
      throw new Error("in a hook");
    },
  };
  return hook;
}

const provider = () => "authOk" as const;

for (const way of ["throws", "rejects"] as const) {
  Deno.test(`serveSmtp() bears an onEvent and an onListen that ${way}`, async () => {
    const hook = newBadHook(way);
    await using server = serveSmtp({
      port: 0,
      provider,
      maxConnections: 1,
      onEvent: hook.call,
      onListen: hook.call,
    }, () => {});
    const port = server.addrs[0]?.port ?? 0;
    using client = await SmtpClient.greeted(port);
    await client.login("ann", "secret");
    await client.envelope();
    await client.send("x", ".");
    await client.expect("250");
    using refused = await SmtpClient.open(port);
    await refused.expect("421");
    await refused.expectEnd();
    await client.command("QUIT", "221");
    await client.expectEnd();
    assertEquals(hook.calls, 6);
  });

  Deno.test(`the adapters' servers bear an onEvent and an onListen that ${way}`, async () => {
    for (
      const [serve, question, answer] of [
        [
          serveDovecotAuth,
          `VERSION\t1\t0\nCPID\t7\nAUTH\t1\tPLAIN\tservice=smtp\tresp=${
            plain("ann", "secret")
          }\n`,
          /^OK\t1/m,
        ],
        [serveSaslauthd, "\0\x03ann\0\x06secret\0\x04smtp\0\0", /OK/],
      ] as const
    ) {
      const hook = newBadHook(way);
      await using server = await serve({
        port: 0,
        provider,
        onEvent: hook.call,
        onListen: hook.call,
      });
      const [address] = server.addrs;
      if (address?.transport !== "tcp") throw new Error("no port");
      using conn = await Deno.connect(address);
      await conn.write(new TextEncoder().encode(question));
      let heard = "";
      const space = new Uint8Array(1024);
      while (!answer.test(heard)) {
        const count = await mustHappen(conn.read(space), "it answers");
        if (count === null) throw new Error(`It has closed behind ${heard}`);
        heard += new TextDecoder().decode(space.subarray(0, count));
      }
      await server.shutdown();
      assertEquals(hook.calls, 4);
    }
  });

  Deno.test(`the adapters' handlers bear an onEvent that ${way}`, async () => {
    const hook = newBadHook(way);
    const options = { onEvent: hook.call };
    const http = await authHandler(provider, options)(
      new Request("http://a.example/", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(newRequest()),
      }),
    );
    assertEquals(await http.json(), { ok: true });
    const upstream = { hostname: "127.0.0.1", port: 25 };
    const nginx = await nginxAuthHandler(provider, { ...options, upstream })(
      new Request("http://a.example/", {
        headers: {
          "auth-method": "plain",
          "auth-user": "ann",
          "auth-pass": "secret",
        },
      }),
    );
    assertEquals(nginx.headers.get("auth-status"), "OK");
    const user = await new Promise((resolve) =>
      smtpServerAuth(provider, options)(
        { method: "PLAIN", username: "ann", password: "secret" },
        { remoteAddress: "192.0.2.7", hostNameAppearsAs: "x" },
        (_, response) => resolve(response?.user),
      )
    );
    assertMatch(String(user), /ann/);
    assertEquals(hook.calls, 3);
  });
}
