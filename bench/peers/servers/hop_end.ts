/**
 * The next hop of the benchmark: it takes everything, and discards it.
 *
 * Argument: its port.
 *
 * @module
 */

const encoder = new TextEncoder();
const decoder = new TextDecoder();

const GREETING = encoder.encode("220 hop.bench.example ESMTP\r\n");
const END = "\r\n.\r\n";

const HELLO = "250-hop.bench.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n" +
  "250-SMTPUTF8\r\n250 ENHANCEDSTATUSCODES\r\n";

async function serve(conn: Deno.TcpConn): Promise<void> {
  const space = new Uint8Array(65_536);
  let text = "";
  let inBody = false;
  await conn.write(GREETING);
  for (;;) {
    const count = await conn.read(space);
    if (count === null) return;
    text += decoder.decode(space.subarray(0, count));
    let replies = "";
    for (;;) {
      const at = text.indexOf(inBody ? END : "\r\n");
      if (at < 0) break;
      const line = text.slice(0, at);
      text = text.slice(at + (inBody ? END.length : 2));
      replies += inBody ? "250 2.0.0 Ok\r\n" : replyTo(line);
      inBody = !inBody && line === "DATA";
    }
    if (inBody) text = text.slice(-END.length);
    if (replies !== "") await conn.write(encoder.encode(replies));
  }
}

function replyTo(line: string): string {
  if (line.startsWith("EHLO")) return HELLO;
  if (line === "DATA") return "354 Go\r\n";
  return line === "QUIT" ? "221 2.0.0 Bye\r\n" : "250 2.0.0 Ok\r\n";
}

const listener = Deno.listen({
  hostname: "127.0.0.1",
  port: Number(Deno.args[0]),
});
for await (const conn of listener) {
  serve(conn).catch(() => {}).finally(() => conn.close());
}
