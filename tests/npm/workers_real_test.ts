// The package for npm in workerd, the runtime of Cloudflare's Workers, which has
// nothing of Node unless it is asked for.

import { assertEquals } from "../support/assert.ts";
import { installed, run } from "../support/npm_package.ts";

Deno.test.sanitizer({ ops: true, resources: true });

const WORKER = "tests/npm/worker.ts";

const CONFIG = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "worker", worker = .worker)],
  sockets = [
    (name = "http", address = "127.0.0.1:0", http = (), service = "worker")
  ],
);
const worker :Workerd.Worker = (
  modules = [(name = "worker", esModule = embed "worker.mjs")],
  globalOutbound = "worker",
  compatibilityDate = "2026-04-01",
);
`;

/** A Worker that runs. */
interface RunningWorker extends AsyncDisposable {
  readonly url: string;
}

async function startWorker(project: string): Promise<RunningWorker> {
  await Deno.writeTextFile(`${project}/worker.capnp`, CONFIG);
  const child = new Deno.Command("node_modules/.bin/workerd", {
    args: ["serve", "--control-fd=1", "worker.capnp"],
    cwd: project,
    stdout: "piped",
  }).spawn();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let told = "";
  while (!told.includes("\n")) {
    const { value, done } = await lines.read();
    if (done) throw new Error(`workerd has ended: ${told}`);
    told += value;
  }
  const { port } = JSON.parse(told.split("\n")[0] ?? "");
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      child.kill();
      await child.status;
      await lines.cancel();
    },
  };
}

Deno.test("the package for npm works in a Worker of Cloudflare's", async (t) => {
  using cleanUp = new DisposableStack();
  const project = await installed(cleanUp, [WORKER], [
    "esbuild@0.28.2",
    "workerd@1.20261117.1",
  ]);
  await run(
    project,
    "node_modules/.bin/esbuild",
    ...[WORKER, "--bundle", "--format=esm", "--log-level=warning"],
    ...["--conditions=workerd", "--external:node:*", "--outfile=worker.mjs"],
  );
  await using worker = await startWorker(project);
  const get = async (path: string, init: RequestInit = {}) => {
    const signal = AbortSignal.timeout(10_000);
    return await fetch(`${worker.url}${path}`, { signal, ...init });
  };

  await t.step("decoder, provider, guards and users", async () => {
    const response = await get("/");
    assertEquals(await response.json(), {
      decoder: "credentials",
      logins: ["authOk", "authInvalid"],
      cached: ["authOk", "authOk"],
      guesses: [
        ...Array.from({ length: 10 }, () => "authInvalid"),
        "authFailure",
      ],
      digests: "authOk",
    });
  });

  await t.step(
    "authHandler() and nginxAuthHandler() are its fetch",
    async () => {
      const response = await get("/may-send", {
        method: "POST",
        headers: {
          authorization: "Bearer t0ken",
          "content-type": "application/json",
        },
        body: JSON.stringify({
          username: "ann",
          password: "secret",
          mechanism: "PLAIN",
          remoteIp: "192.0.2.7",
          heloName: "laptop",
        }),
      });
      assertEquals(await response.json(), { ok: true });
      const { headers, body } = await get("/nginx", {
        headers: {
          "auth-method": "plain",
          "auth-user": "ann",
          "auth-pass": "secret",
          "x-auth-key": "known-to-both",
        },
      });
      await body?.cancel();
      assertEquals([headers.get("auth-status"), headers.get("auth-port")], [
        "OK",
        "25",
      ]);
    },
  );

  await t.step(
    "a call's time limit outlives the request that was there first",
    async () => {
      const text = async (path: string) => await (await get(path)).text();
      // The one ends as soon as the other has come.
      assertEquals(await Promise.all([text("/wait"), text("/hang")]), [
        "authInvalid",
        "authFailure backend-timeout",
      ]);
    },
  );
});
