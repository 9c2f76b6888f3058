/**
 * An HTTP endpoint that works, breaks in every way and works again, and a
 * provider that asks it.
 *
 * @module
 */

import { newHTTPAuthProvider } from "../../auth/providers/http.ts";
import type { AuthProvider } from "../../auth/types.ts";
import { newClientFetch } from "./http_end.ts";

/** What an endpoint can be at. */
export type Mood = "works" | "answers 500" | "hangs" | "refuses";

/** A question as the endpoint has received it. */
export type Asked = Readonly<Record<string, unknown>>;

/** The endpoint and the provider. */
export interface FickleEndpoint extends AsyncDisposable {
  /** Asks the endpoint, and gives up after 400 ms. */
  readonly provider: AuthProvider;
  readonly url: string;
  /** Changes what it is at; `works` after `refuses` is a restart. */
  readonly become: (mood: Mood) => Promise<void>;
  /** Every question so far, without passwords. */
  readonly asked: readonly Asked[];
}

/** A user name and a password. */
export interface Login {
  readonly username: string;
  readonly password: string;
}

/** The logins that the endpoint knows: a plain one and an awkward one. */
export const LOGINS: readonly [Login, Login] = [
  { username: "ann@example.com", password: "correct horse" },
  { username: "jörg@example.com", password: `pä ßwört%41+€"\\ 🔑` },
];

/** A login with a token, which is a password to the endpoint. */
export const TOKEN_LOGIN: Login = {
  username: "ann@example.com",
  password: "eyJhbGciOiJFUzI1NiJ9.c3Vi-_~+/==",
};

/** Starts the endpoint. */
export function newFickleEndpoint(timeoutMs = 400): FickleEndpoint {
  const client = newClientFetch();
  const asked: Asked[] = [];
  let mood: Mood = "works";
  let release = Promise.withResolvers<void>();
  let server = serve(0);
  const { port } = server.addr;
  const url = `http://127.0.0.1:${port}/may-send`;

  function serve(port: number): Deno.HttpServer<Deno.NetAddr> {
    return Deno.serve(
      { hostname: "127.0.0.1", port, onListen: () => {} },
      answer,
    );
  }

  async function answer(request: Request): Promise<Response> {
    const { password, ...rest } = await request.json();
    asked.push(rest);
    if (mood === "hangs") await release.promise;
    if (mood !== "works") return new Response("out of order", { status: 500 });
    const ok = [...LOGINS, TOKEN_LOGIN].some((login) =>
      login.username === rest.username && login.password === password
    );
    return Response.json({ ok });
  }

  return {
    provider: newHTTPAuthProvider(url, { timeoutMs, fetch: client.fetch }),
    url,
    asked,
    become: async (next) => {
      release.resolve();
      release = Promise.withResolvers();
      if (next === "refuses" && mood !== "refuses") await server.shutdown();
      if (next !== "refuses" && mood === "refuses") server = serve(port);
      mood = next;
    },
    [Symbol.asyncDispose]: async () => {
      release.resolve();
      client[Symbol.dispose]();
      await server.shutdown();
    },
  };
}
