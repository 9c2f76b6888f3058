// listenSmtp() of the package for npm on Node: whatever clients do, what they
// held is given back in time. On Bun it is not (docs/node.md).

import { testCertificate } from "../support/certificate.ts";
import {
  LISTENERS_FILES,
  NodeListeners,
  programOf,
} from "../support/node_listeners.ts";
import { installed, RUNTIMES } from "../support/npm_package.ts";
import { testWaysIn, TRIAL } from "../support/ways_in_table.ts";

const cleanUp = new AsyncDisposableStack();
const project = await installed(cleanUp, LISTENERS_FILES);
Deno.test.afterAll(() => cleanUp.disposeAsync());

for (const { name, program } of RUNTIMES) {
  if (name === "Bun") continue;
  const path = await programOf(project, program);
  testWaysIn(`listenSmtp() on ${name}`, async ({ proxied, most, idleMs }) => {
    await using cleanUp = new AsyncDisposableStack();
    const listeners = cleanUp.use(new NodeListeners(project, path));
    const { port, tlsPort } = cleanUp.use(
      await listeners.listen({
        options: {
          ...await testCertificate(),
          port: 0,
          tlsPort: 0,
          requireAuth: false,
          allowInsecureAuth: true,
          greetingDelayMs: TRIAL.greetingDelayMs,
          maxConnections: most,
          maxConnectionsPerNetwork: most,
          ...proxied ? { proxyProtocolFrom: ["127.0.0.0/8"] } : {},
          ...idleMs === undefined ? {} : { idleTimeoutMs: idleMs },
        },
        provider: "takes too long",
      }),
    );
    const ending = cleanUp.move();
    return {
      port,
      tlsPort,
      pid: listeners.pid,
      [Symbol.asyncDispose]: () => ending.disposeAsync(),
    };
  });
}
