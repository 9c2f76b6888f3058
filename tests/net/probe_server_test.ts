import { serveProbes } from "../../net/probe_server.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { mustHappen } from "../../testing/deadline.ts";

const PAGES = {
  "/good": () => ({ status: 200, body: "gr\u00fc\u00df\n" }),
  "/bad": () => {
    throw new Error("secret");
  },
};

/** Says something, and tells all that is answered until the other end closes. */
async function exchange(port: number, text: string): Promise<string> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await conn.write(new TextEncoder().encode(text));
  return await restOf(conn);
}

async function restOf(conn: Deno.Conn): Promise<string> {
  const text = new Response(conn.readable).text();
  return await mustHappen(text, "the server closes").catch(() => "");
}

function serve(limits = { connectionMs: 5_000, maxConnections: 32 }) {
  return serveProbes({ hostname: "127.0.0.1", port: 0 }, PAGES, { limits });
}

Deno.test("serveProbes() answers GET and HEAD, and says what else there is", async () => {
  await using server = await serve();
  const url = `http://127.0.0.1:${server.address.port}`;
  const good = await fetch(`${url}/good?x=1`);
  assertEquals(
    [good.status, good.headers.get("content-type"), await good.text()],
    [200, "text/plain; charset=utf-8", "gr\u00fc\u00df\n"],
  );
  const head = await fetch(`${url}/good`, { method: "HEAD" });
  assertEquals(
    [head.status, head.headers.get("content-length"), await head.text()],
    [200, "7", ""],
  );
  const other = await fetch(`${url}/good`, { method: "POST", body: "x" });
  assertEquals(
    [other.status, other.headers.get("allow"), await other.text()],
    [405, "GET, HEAD", "only GET\n"],
  );
  const none = await fetch(`${url}/toString`);
  assertEquals(
    [none.status, await none.text()],
    [404, "there is /good and /bad\n"],
  );
  const bad = await fetch(`${url}/bad`);
  assertEquals(
    [bad.status, await bad.text()],
    [500, "this page has failed\n"],
  );
});

Deno.test("serveProbes() tells who looks after it why a page fails: once, and again if it was well in between", async () => {
  let why: string | undefined = "out of memory";
  const told: string[] = [];
  const pages = {
    "/figures": () => {
      if (why !== undefined) throw new Error(why);
      return { status: 200, body: "" };
    },
    "/bad": PAGES["/bad"],
  };
  await using server = await serveProbes(
    { hostname: "127.0.0.1", port: 0 },
    pages,
    { onFault: (path, error) => told.push(`${path} ${error}`) },
  );
  const get = async (page: string) => {
    const url = `http://127.0.0.1:${server.address.port}${page}`;
    const answer = await fetch(url);
    await answer.body?.cancel();
    return answer.status;
  };
  for (let i = 0; i < 3; i++) assertEquals(await get("/figures"), 500);
  assertEquals(told, ["/figures Error: out of memory"]);
  assertEquals(await get("/bad"), 500);
  assertEquals(told.slice(1), ["/bad Error: secret"]);
  why = undefined;
  assertEquals(await get("/figures"), 200);
  why = "again";
  assertEquals(await get("/figures"), 500);
  assertEquals(told.slice(2), ["/figures Error: again"]);
});

Deno.test("serveProbes() bears what is no request", async () => {
  await using server = await serve();
  const { port } = server.address;
  for (
    const [text, status] of [
      ["EHLO x\r\n\r\n", 400],
      ["GET http://other/good HTTP/1.1\r\n\r\n", 400],
      ["GET /good HTTP/2\r\n\r\n", 400],
      [`GET /good HTTP/1.1\r\nx: ${"y".repeat(9_000)}`, 431],
      ["GET /good HTTP/1.0\n\n", 200],
    ] as const
  ) {
    const answer = await exchange(port, text);
    assert(answer.startsWith(`HTTP/1.1 ${status} `), `${text}: ${answer}`);
  }
});

Deno.test("serveProbes() waits for nobody who is slow", async () => {
  await using server = await serve({ connectionMs: 20, maxConnections: 32 });
  assertEquals(await exchange(server.address.port, "GET /go"), "");
});

Deno.test("serveProbes() has room for the next, whoever holds its places", async () => {
  await using server = await serve({ connectionMs: 60_000, maxConnections: 2 });
  const { hostname, port } = server.address;
  using cleanUp = new DisposableStack();
  const [first] = await Promise.all(
    Array.from({ length: 2 }, async () => {
      const conn = cleanUp.use(await Deno.connect({ hostname, port }));
      await conn.write(new TextEncoder().encode("GET /"));
      return conn;
    }),
  );
  const answer = await exchange(port, "GET /good HTTP/1.1\r\n\r\n");
  assert(answer.startsWith("HTTP/1.1 200 OK\r\n"));
  assert(first !== undefined);
});

Deno.test("serveProbes() ends at once with whoever is there", async () => {
  const server = await serve();
  using conn = await Deno.connect(server.address);
  await conn.write(new TextEncoder().encode("GET /"));
  await server.shutdown();
  assertEquals(await restOf(conn), "");
});
