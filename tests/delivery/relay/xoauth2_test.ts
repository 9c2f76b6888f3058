import { assertEquals } from "../../support/assert.ts";
import { base64 } from "../../support/octets.ts";
import { newTestRelay, send } from "../../support/relay.ts";
import { type HopScript, serveHop } from "../../support/scripted_hop.ts";

Deno.test.sanitizer({ ops: true, resources: true });

const LOGIN = (token: string) =>
  `AUTH XOAUTH2 ${
    base64(`user=relay@example.org\x01auth=Bearer ${token}\x01\x01`)
  }`;

/** A token endpoint, a next hop that wants tokens, and a relay between. */
function setUp(script: HopScript, answer: () => Response) {
  const bodies: string[] = [];
  const endpoint = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      bodies.push(await request.text());
      return answer();
    },
  );
  const hop = serveHop({ script, extensions: ["AUTH XOAUTH2"] });
  const relay = newTestRelay({
    url: `smtp://127.0.0.1:${hop.port}`,
    username: "relay@example.org",
    oauth: {
      tokenUrl: `http://127.0.0.1:${endpoint.addr.port}/token`,
      clientId: "id",
      clientSecret: "canary",
    },
  });
  const cleanUp = new AsyncDisposableStack();
  cleanUp.use(endpoint);
  cleanUp.use(hop);
  cleanUp.use(relay);
  return {
    bodies,
    hop,
    relay,
    [Symbol.asyncDispose]: () => cleanUp.disposeAsync(),
  };
}

const tokenAnswer = () =>
  Response.json({ access_token: "t1", token_type: "Bearer", expires_in: 3600 });

Deno.test("newRelay() logs in by XOAUTH2 with a token for all its connections", async () => {
  await using setting = setUp({}, tokenAnswer);
  const { hop, relay, bodies } = setting;
  const sent = await Promise.all(
    Array.from({ length: 5 }, () => send(relay)),
  );
  assertEquals(sent, Array(5).fill(["250 2.1.5", "250 2.0.0"]));
  assertEquals(bodies, [
    "grant_type=client_credentials&client_id=id&client_secret=canary",
  ]);
  assertEquals(
    hop.lines().filter((line) => line.startsWith("AUTH")),
    Array(5).fill(LOGIN("t1")),
  );
  assertEquals(relay.events, []);
});

Deno.test("newRelay() answers 451 4.7.0 where the token is refused, by one line or two", async () => {
  for (
    const script of [
      { AUTH: "535 5.7.3 no\r\n" },
      {
        AUTH: "334 eyJzdGF0dXMiOiI0MDEifQ==\r\n",
        response: "535 5.7.3 no\r\n",
      },
    ] as const
  ) {
    await using setting = setUp(script, tokenAnswer);
    const { hop, relay } = setting;
    assertEquals(await send(relay), ["451 4.7.0"]);
    assertEquals(relay.events.map(({ reason, detail }) => [reason, detail]), [
      ["relay-credentials", "535 5.7.3"],
    ]);
    const [, , ...said] = hop.lines();
    assertEquals(said, "response" in script ? [""] : []);
  }
});

Deno.test("newRelay() answers 451 4.7.0 where there is no token", async () => {
  await using setting = setUp(
    {},
    () => Response.json({ error: "invalid_client" }, { status: 401 }),
  );
  const { hop, relay } = setting;
  assertEquals(await send(relay), ["451 4.7.0"]);
  assertEquals(relay.events.map(({ reason, detail }) => [reason, detail]), [
    ["relay-token", "status 401 invalid_client"],
  ]);
  await hop.idle();
  assertEquals(hop.lines(), ["EHLO relay.example.net"]);
});

Deno.test("newRelay() says a token that is too long for a command when it is asked (RFC 4954 section 4)", async () => {
  // A command has 510 octets at most, and base64 comes by four.
  for (
    const [token, isLong] of [
      ["t".repeat(335), false],
      ["t".repeat(336), true],
      ["t".repeat(6_000), true],
    ] as const
  ) {
    const script: HopScript = {
      AUTH: (line) => line === "AUTH XOAUTH2" ? "334 \r\n" : "235 in\r\n",
    };
    await using setting = setUp(
      script,
      () => Response.json({ access_token: token, token_type: "Bearer" }),
    );
    const { hop, relay } = setting;
    assertEquals(await send(relay), ["250 2.1.5", "250 2.0.0"]);
    const whole = LOGIN(token);
    assertEquals(whole.length > 510, isLong);
    const message = whole.slice("AUTH XOAUTH2 ".length);
    assertEquals(
      hop.lines().slice(1, isLong ? 3 : 2),
      isLong ? ["AUTH XOAUTH2", message] : [whole],
    );
  }
});

Deno.test("newRelay() hears why a long token is refused, too", async () => {
  const script: HopScript = {
    AUTH: "334 \r\n",
    response: (line) =>
      line === "" ? "535 5.7.3 no\r\n" : "334 eyJzdGF0dXMiOiI0MDEifQ==\r\n",
  };
  await using setting = setUp(
    script,
    () =>
      Response.json({ access_token: "t".repeat(2_000), token_type: "Bearer" }),
  );
  const { relay } = setting;
  assertEquals(await send(relay), ["451 4.7.0"]);
  assertEquals(
    relay.events.map((event) => event.kind === "relay" ? event.detail : ""),
    ["535 5.7.3"],
  );
});
