// The connection to a Redis that does not behave like one.

import { connectRedis } from "../../command/redis.ts";
import { pause } from "../../lib/race.ts";
import { writeAll } from "../../net/conn.ts";
import { assertEquals, assertRejects } from "../support/assert.ts";
import { eventually } from "../support/eventually.ts";
import { serveTcp } from "../support/raw_end.ts";

Deno.test.sanitizer({ ops: true, resources: true });

/**
 * What a server says to a command, by the number of the connection; `undefined`:
 * it begins with a reply, and says more of it again and again.
 */
type Answer = (name: string, connection: number) => string | undefined;

/** Serves commands, each of which comes whole and alone. */
function serveRedis(answer: Answer) {
  const encoder = new TextEncoder();
  return serveTcp(async (conn, close, number) => {
    const space = new Uint8Array(65_536);
    try {
      for (;;) {
        const count = await conn.read(space);
        if (count === null) return;
        const said = new TextDecoder().decode(space.subarray(0, count));
        const name = /^\*[0-9]+\r\n\$[0-9]+\r\n([A-Z]+)/.exec(said)?.[1];
        const reply = answer(name ?? "", number);
        if (reply === undefined) {
          for (let said = "+";; said = "O") {
            await writeAll(conn, encoder.encode(said));
            await pause(500);
          }
        }
        if (reply !== "") await writeAll(conn, encoder.encode(reply));
      }
    } catch {
      // The client, or the end of the test, has closed it.
    } finally {
      close();
    }
  });
}

Deno.test("connectRedis() connects anew where a command is not answered, though others are", async () => {
  let swallowed = false;
  await using server = serveRedis((name) => {
    if (name === "PING") return "+PONG\r\n";
    if (swallowed) return "$4\r\nhere\r\n";
    swallowed = true;
    return "";
  });
  const url = new URL(`redis://127.0.0.1:${server.port}`);
  using connection = await connectRedis(url, undefined);
  await connection.tried;
  const first = () => connection.command("GET", "first");
  await assertRejects(first, Error, "no reply in time");
  await eventually("it is connected anew", async () => {
    const reply = await connection.command("GET", "second").catch(() => {});
    return reply === "here";
  });
  assertEquals(server.connections(), 2);
});

Deno.test("connectRedis() tries anew where the first reply never ends", async () => {
  await using server = serveRedis((name, connection) => {
    if (name === "PING") return "+PONG\r\n";
    if (name === "GET") return "$4\r\nhere\r\n";
    return connection === 1 ? undefined : "+OK\r\n";
  });
  const url = new URL(`redis://ann:secret@127.0.0.1:${server.port}`);
  using connection = await connectRedis(url, undefined);
  await connection.tried;
  await eventually("it is connected anew", async () => {
    const reply = await connection.command("GET", "it").catch(() => {});
    return reply === "here";
  });
  assertEquals(server.connections(), 2);
});

Deno.test("connectRedis() repeats no password, whatever the server says of it", async () => {
  const args = "'ann' 's3cret-canary' ";
  for (
    const [says, told] of [
      [
        `unknown command 'AUTH', with args beginning with: ${args}`,
        "ERR unknown command 'AUTH'",
      ],
      ["s3cret-canary is wrong", "an error that repeats the password"],
      ["invalid DB index", "ERR invalid DB index"],
    ]
  ) {
    await using server = serveRedis(() => `-ERR ${says}\r\n`);
    const url = new URL(`redis://ann:s3cret-canary@127.0.0.1:${server.port}`);
    using connection = await connectRedis(url, undefined);
    await connection.tried;
    const error = await assertRejects(() => connection.command("GET"), Error);
    assertEquals(error.message, told);
  }
});
