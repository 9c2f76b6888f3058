import { newTestEndpoint } from "../../testing/endpoint.ts";
import { testCertificate } from "../support/certificate.ts";
import { startListener } from "../support/listener.ts";
import { testWaysIn, TRIAL } from "../support/ways_in_table.ts";

testWaysIn("main.ts", async ({ proxied, most, idleMs }) => {
  await using cleanUp = new AsyncDisposableStack();
  const end = cleanUp.use(await newTestEndpoint());
  await end.break("hang");
  const listener = cleanUp.use(
    await startListener({
      certificate: await testCertificate(),
      authUrl: end.url,
      args: [
        ...["--allow-insecure-auth", "--no-require-auth", "--no-throttle"],
        ...["--auth-timeout", String(TRIAL.providerTimeoutMs)],
        ...["--greeting-delay", String(TRIAL.greetingDelayMs)],
        ...["--max-connections", String(most)],
        ...["--max-connections-per-network", String(most)],
        ...proxied ? ["--proxy-protocol"] : [],
        ...idleMs === undefined ? [] : ["--idle-timeout", String(idleMs)],
      ],
    }),
  );
  const { port, tlsPort, pid } = listener;
  const ending = cleanUp.move();
  return {
    port,
    tlsPort,
    pid,
    [Symbol.asyncDispose]: () => ending.disposeAsync(),
  };
});
