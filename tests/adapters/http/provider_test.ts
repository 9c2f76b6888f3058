// Connections that die between two logins: DESIGN.md section 4, "Connections
// are reused".

import { newHTTPAuthProvider } from "../../../adapters/http/provider.ts";
import type { ReadyProvider } from "../../../auth/types.ts";
import { assert, assertEquals, assertThrows } from "../../support/assert.ts";
import { outcomeOf } from "../../support/asked_provider.ts";
import { newClock } from "../../support/clock.ts";
import { newClientFetch } from "../../support/http_end.ts";
import { type RawConnection, serveRaw } from "../../support/raw_end.ts";

Deno.test.sanitizer({ ops: true, resources: true });

const YES = 'HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n{"ok":true}';

const OK = ["authOk", "ok"] as const;

/** How many connections are warm before they die. */
const WARM = 20;

/** What the endpoint does on each warm connection when it is asked again. */
type Death = (connection: RawConnection) => Promise<void>;

/** An endpoint whose first connections die at a word. */
function newDyingEnd(death: Death) {
  const warm = Promise.withResolvers<void>();
  const dead = Promise.withResolvers<void>();
  let asked = 0;
  let connections = 0;
  const end = serveRaw(async (connection) => {
    const isFirst = ++connections <= WARM;
    await connection.readRequest();
    if (++asked === WARM) warm.resolve();
    // Nobody is answered before all have come, so that none shares.
    await warm.promise;
    await connection.send(YES);
    if (isFirst) {
      await dead.promise;
      return await death(connection);
    }
    for (;;) {
      await connection.readRequest();
      asked++;
      await connection.send(YES);
    }
  });
  return {
    end,
    url: `http://${end.host}/`,
    die: dead.resolve,
    asked: () => asked,
  };
}

async function warmUp(provider: ReadyProvider): Promise<void> {
  const logins = Array.from({ length: WARM }, () => outcomeOf(provider));
  assertEquals(await Promise.all(logins), new Array(WARM).fill(OK));
}

/** The ways in which nothing of an answer comes. */
const DEATHS: Readonly<Record<string, Death>> = {
  "is reset at its next request": (connection) => connection.reset(),
  "is closed at its next request": async (connection) => {
    await connection.readRequest();
    connection.close();
  },
  "is closed before": (connection) => {
    connection.close();
    return Promise.resolve();
  },
};

for (const [how, death] of Object.entries(DEATHS)) {
  Deno.test(`newHTTPAuthProvider() loses no login where each of ${WARM} connections ${how}`, async () => {
    for (const together of [false, true]) {
      const dying = newDyingEnd(death);
      await using _end = dying.end;
      using provider = newHTTPAuthProvider(dying.url, { timeoutMs: 10_000 });
      await warmUp(provider);
      assertEquals(dying.end.connections(), WARM);
      dying.die();
      if (together) await warmUp(provider);
      else {for (let i = 0; i < WARM; i++) {
          assertEquals(await outcomeOf(provider), OK);
        }}
      assertEquals(dying.asked(), 2 * WARM, "each was answered once");
    }
  });
}

Deno.test("newHTTPAuthProvider() sends no request twice that a new connection has carried", async () => {
  let asked = 0;
  await using end = serveRaw(async (connection) => {
    await connection.readRequest();
    asked++;
    connection.close();
  });
  using provider = newHTTPAuthProvider(`http://${end.host}/`);
  for (let i = 1; i <= 3; i++) {
    assertEquals(await outcomeOf(provider), [
      "authFailure",
      "backend-unreachable",
    ]);
    assertEquals(asked, i);
  }
});

for (
  const [what, octets, times] of [
    [
      "once, and no oftener, where a used connection breaks in an answer's body",
      -3,
      1,
    ],
    ["twice, and no oftener, where one breaks in an answer's head", 30, 2],
  ] as const
) {
  Deno.test(`newHTTPAuthProvider() sends a request ${what}`, async () => {
    let asked = 0;
    await using end = serveRaw(async (connection) => {
      // The first connection has one good answer in it, the others have none.
      if (end.connections() === 1) {
        await connection.readRequest();
        await connection.send(YES);
      }
      await connection.readRequest();
      asked++;
      await connection.send(YES.slice(0, octets));
      connection.close();
    });
    using provider = newHTTPAuthProvider(`http://${end.host}/`);
    assertEquals(await outcomeOf(provider), OK);
    assertEquals(await outcomeOf(provider), [
      "authFailure",
      "backend-unreachable",
    ]);
    assertEquals([asked, end.connections()], [times, times]);
  });
}

Deno.test("newHTTPAuthProvider() takes one late answer for a sign that all waiting connections are dead", async () => {
  const dying = newDyingEnd((connection) => connection.gone());
  await using _end = dying.end;
  using provider = newHTTPAuthProvider(dying.url, { timeoutMs: 1_500 });
  await warmUp(provider);
  dying.die();
  assertEquals(await outcomeOf(provider), ["authFailure", "backend-timeout"]);
  await warmUp(provider);
  assertEquals(dying.asked(), 2 * WARM);
});

Deno.test("newHTTPAuthProvider() reuses connections", async () => {
  await using end = serveRaw(async (connection) => {
    for (;;) {
      await connection.readRequest();
      await connection.send(YES);
    }
  });
  using provider = newHTTPAuthProvider(`http://${end.host}/`);
  for (let i = 0; i < 10; i++) assertEquals(await outcomeOf(provider), OK);
  assertEquals(end.connections(), 1);
});

/** An endpoint that answers so many together, and counts who is connected. */
function newCrowdedEnd(together: number) {
  let waiting: (() => void)[] = [];
  let gone = 0;
  const watchers = new Set<() => void>();
  const end = serveRaw(async (connection) => {
    try {
      for (;;) {
        await connection.readRequest();
        const all = Promise.withResolvers<void>();
        waiting.push(all.resolve);
        if (waiting.length === together) {
          waiting.forEach((answer) => answer());
          waiting = [];
        }
        await all.promise;
        await connection.send(YES);
      }
    } finally {
      gone++;
      watchers.forEach((look) => look());
    }
  });
  const haveGone = (count: number) =>
    new Promise<void>((resolve) => {
      const look = () => gone >= count && resolve();
      watchers.add(look);
      look();
    });
  return { end, url: `http://${end.host}/`, gone: () => gone, haveGone };
}

Deno.test("newHTTPAuthProvider() keeps the connections of a storm for the next, and most of them no longer", async () => {
  const storm = 100;
  const { end, url, gone, haveGone } = newCrowdedEnd(storm);
  await using _end = end;
  using clock = newClock();
  using provider = newHTTPAuthProvider(url, { timeoutMs: 60_000 });
  for (let i = 0; i < 2; i++) {
    const logins = Array.from({ length: storm }, () => outcomeOf(provider));
    assertEquals(await Promise.all(logins), Array(storm).fill(OK));
    assertEquals([end.connections(), gone()], [storm, 0]);
  }
  clock.wind(4_000);
  await haveGone(storm - 64);
  assertEquals([clock.timers(), gone()], [[], storm - 64]);
});

Deno.test("newHTTPAuthProvider() shows no proxy a login for the machine itself", async () => {
  await using proxy = serveRaw((connection) => connection.gone());
  const hosts: string[] = [];
  await using end = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => {
      hosts.push(new URL(request.url).pathname);
      return Response.json({ ok: true });
    },
  );
  const mod = new URL("../../../mod.ts", import.meta.url);
  const script = `import { newHTTPAuthProvider } from "${mod}";
    for (const host of ["127.0.0.1", "localhost"]) {
      using provider = newHTTPAuthProvider("http://" + host + ":${end.addr.port}/may-send");
      const { decision } = await provider({ username: "ann", password: "secret",
        mechanism: "PLAIN", remoteIp: "", heloName: "" });
      console.log(decision);
    }`;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--quiet", "--no-check", script],
    env: {
      HTTP_PROXY: `http://${proxy.host}`,
      NO_PROXY: "",
      DENO_NO_UPDATE_CHECK: "1",
    },
  }).output();
  assertEquals(new TextDecoder().decode(stdout), "authOk\nauthOk\n");
  assertEquals([proxy.connections(), hosts], [0, ["/may-send", "/may-send"]]);
});

Deno.test("newHTTPAuthProvider() uses the fetch that it is given, and leaves it alone", async () => {
  await using end = serveRaw(async (connection) => {
    for (;;) {
      await connection.readRequest();
      await connection.send(YES);
    }
  });
  using client = newClientFetch();
  const provider = newHTTPAuthProvider(`http://${end.host}/`, client);
  assertEquals(await outcomeOf(provider), OK);
  provider[Symbol.dispose]();
  const response = await client.fetch(`http://${end.host}/`, {
    method: "POST",
    body: "x",
  });
  assert(response.ok);
  await response.body?.cancel();
});

Deno.test("newHTTPAuthProvider() refuses options that are none", () => {
  // As a caller without types may call it.
  const url = "https://intranet.example/may-send";
  const make = () => Reflect.apply(newHTTPAuthProvider, undefined, [url, null]);
  const told = "Cannot create HTTP provider: options must be an object: got";
  assertThrows(make, TypeError, `${told} null`);
});
