/**
 * The HTTP end that decides about logins, after so many milliseconds.
 *
 * @module
 */

import { LOGIN } from "../config.ts";

const delayMs = Number(Deno.args[1]);
const json = { headers: { "content-type": "application/json" } };

Deno.serve({
  hostname: "127.0.0.1",
  port: Number(Deno.args[0]),
  onListen() {},
}, async (request) => {
  const { username, password } = await request.json();
  if (delayMs > 0) await new Promise((done) => setTimeout(done, delayMs));
  const ok = username === LOGIN.username && password === LOGIN.password;
  return new Response(ok ? '{"ok":true}' : '{"ok":false}', json);
});
