// What several processes count and remember together, in a real server.

import { withThrottle } from "../../../auth/guards/throttle/throttle.ts";
import { Quota } from "../../../auth/rights/quota.ts";
import { RightsMemory } from "../../../auth/rights/rights_memory.ts";
import { newRedisStore } from "../../../auth/state/redis_store.ts";
import { assertEquals } from "../../support/assert.ts";
import { newRequest } from "../../support/auth_request.ts";
import { runCommand } from "../../support/listener.ts";
import { codeBlocks, placed } from "../../support/pages.ts";
import { REDIS_PROGRAMS, startRedis } from "../../support/redis_server.ts";
import { connectResp } from "../../support/resp.ts";

Deno.test.sanitizer({ ops: true, resources: true });

/** Nothing here is to be let through for want of time. */
const LONG_MS = 60_000;

for (const program of REDIS_PROGRAMS) {
  const name = program.path.replace(/.*\//, "");

  Deno.test(`Quota.charge() lets no more through than the limit, of two processes with 1,000 clients at once, with ${name}`, async () => {
    await using server = await startRedis(program);
    using one = await connectResp(server.port);
    using other = await connectResp(server.port);
    const quotas = [one, other].map(({ command }) =>
      new Quota({
        store: newRedisStore({ command, timeoutMs: LONG_MS }),
        storeTimeoutMs: LONG_MS,
        limits: { recipientsPerDay: 100, messagesPerMinute: 500 },
        now: () => Date.UTC(2026, 10, 26),
        report: () => {},
      })
    );
    const outcomes = await Promise.all(
      Array.from({ length: 500 }).flatMap(() =>
        quotas.map((quota) =>
          quota.charge({ user: "ann", remoteIp: "192.0.2.7" }, 1)
        )
      ),
    );
    const refused = outcomes.filter((outcome) => "code" in outcome);
    assertEquals(refused.length, 900);
    // What is given back by one is there for the other.
    const [charge] = outcomes.filter((outcome) => "refund" in outcome);
    await charge?.refund();
    const again = await Promise.all(
      quotas.map((quota) =>
        quota.charge({ user: "ann", remoteIp: "192.0.2.7" }, 1)
      ),
    );
    assertEquals(again.filter((outcome) => "code" in outcome).length, 1);
  });

  Deno.test(`RightsMemory finds what a login at another process has said, with ${name}`, async () => {
    await using server = await startRedis(program);
    using one = await connectResp(server.port);
    using other = await connectResp(server.port);
    const [here, there] = [one, other].map(({ command }) =>
      new RightsMemory(newRedisStore({ command, timeoutMs: LONG_MS }), Date.now)
    );
    const said = {
      user: "j\u00f6rg@example.com",
      senders: ["j\u00f6rg@example.com", "@team.example"],
      limits: { recipientsPerDay: 0 },
    };
    await here?.remember("joerg", { decision: "authOk", ...said });
    assertEquals(await there?.recall(said.user), said);
    assertEquals(await there?.recall("joerg"), said);
    await there?.remember("joerg", { decision: "authOk", user: said.user });
    assertEquals(await here?.recall("joerg"), { user: said.user });
  });

  Deno.test(`docs/limits.md clears a user, with ${name}`, async () => {
    await using server = await startRedis(program);
    using client = await connectResp(server.port);
    const { command } = client;
    const store = newRedisStore({ command, timeoutMs: LONG_MS });
    const user = "Ann@example.org";
    const quota = new Quota({
      store,
      storeTimeoutMs: LONG_MS,
      limits: { recipientsPerDay: 1, messagesPerMinute: 1 },
      now: Date.now,
      report: () => {},
    });
    const sender = { user, remoteIp: "192.0.2.7" };
    await quota.charge(sender, 1);
    assertEquals((await quota.ask(sender, 1))?.code, 451);
    // A guess by a name that the throttle counts as the same.
    const provider = withThrottle(() => "authInvalid", {
      store,
      storeTimeoutMs: 1000,
    });
    await provider(newRequest({ username: user, remoteIp: "192.0.2.7" }));

    const [clear] = codeBlocks("docs/limits.md", "sh");
    const line = placed(clear, {
      "redis://10.0.0.5": `redis://127.0.0.1:${server.port}`,
    });
    const [, words = ""] = /^deno run -P main\.ts (.*)\n$/.exec(line) ?? [];
    const result = await runCommand({ args: words.split(" ") });
    assertEquals(result, {
      code: 0,
      stdout: "ann@example.org: forgotten: 1 wrong guess and what was sent\n",
      stderr: "",
    });
    assertEquals(await quota.ask(sender, 1), undefined);
  });
}
