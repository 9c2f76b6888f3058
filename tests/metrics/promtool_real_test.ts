import { assertEquals } from "../support/assert.ts";
import { newMetrics } from "../../metrics.ts";
import { askProvider } from "../../auth/ask_provider.ts";
import { newRequest } from "../support/auth_request.ts";

Deno.test("promtool finds nothing to say about the figures", async () => {
  const metrics = await newMetrics();
  const from = {
    via: "smtp",
    id: "1",
    remoteIp: "192.0.2.7",
    tls: true,
  } as const;
  metrics.onEvent({ kind: "opened", ...from });
  metrics.onEvent({
    kind: "auth",
    ...from,
    outcome: "failure",
    reason: "throttled-user",
    mechanism: "PLAIN",
    milliseconds: 3,
  });
  await askProvider(metrics.measured(() => "authOk"), newRequest({}));
  const child = new Deno.Command("promtool", {
    args: ["check", "metrics"],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(await metrics.text()));
  await writer.close();
  const { code, stdout, stderr } = await child.output();
  const said = new TextDecoder().decode(stdout) +
    new TextDecoder().decode(stderr);
  assertEquals([code, said], [0, ""]);
});

for (
  const [what, args] of [
    ["rules are good", ["check", "rules", "contrib/prometheus-alerts.yml"]],
    ["alerts fire when they should", [
      "test",
      "rules",
      "tests/metrics/alerts.yml",
    ]],
  ] as const
) {
  Deno.test(`promtool says that the ${what}`, async () => {
    const { code, stdout, stderr } = await new Deno.Command("promtool", {
      args: [...args],
      cwd: new URL("../../", import.meta.url),
    }).output();
    const said = new TextDecoder();
    assertEquals([code, said.decode(stderr)], [0, ""], said.decode(stdout));
  });
}
