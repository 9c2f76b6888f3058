import type { AuthResult } from "../../auth/types.ts";
import { Health } from "../../metrics/health.ts";
import type { CountedEvent } from "../../metrics/observer.ts";
import { assertEquals } from "../support/assert.ts";

const DOWN: AuthResult = {
  decision: "authFailure",
  reason: "backend-unreachable",
};
const NO: AuthResult = { decision: "authInvalid" };
const GONE: AuthResult = { decision: "authFailure", reason: "client-gone" };

const MESSAGE = {
  kind: "message",
  via: "smtp",
  id: "c1",
  remoteIp: "192.0.2.7",
  tls: true,
  sender: "",
  recipients: 1,
  refusedRecipients: 0,
  octets: 1,
} as const;

const RELAY = {
  kind: "relay",
  reason: "relay-credentials",
  detail: "535",
  hop: "mx:25",
  id: "c1",
} as const;

function newServing() {
  const clock = { now: 0 };
  const health = new Health(() => clock.now);
  health.serving();
  return { health, clock };
}

Deno.test("Health is good between start and end", () => {
  const health = new Health();
  assertEquals(health.lack(), "starting");
  health.serving();
  assertEquals(health.lack(), undefined);
  health.stopping();
  assertEquals(health.lack(), "stopping");
});

Deno.test("Health suffers when the last calls all failed, and never because of one", () => {
  const lack = "the back end fails: backend-unreachable";
  for (
    const [answers, expected] of [
      [[DOWN], undefined],
      [[DOWN, DOWN], undefined],
      [[DOWN, DOWN, DOWN], lack],
      [[DOWN, DOWN, GONE, GONE, DOWN], lack],
      [[DOWN, DOWN, NO, DOWN, DOWN], undefined],
      [[DOWN, DOWN, DOWN, NO], undefined],
      [[GONE, GONE, GONE], undefined],
    ] as const
  ) {
    const { health } = newServing();
    answers.forEach(health.onAnswer);
    assertEquals(health.lack(), expected);
  }
});

Deno.test("Health is given another chance when nobody has tried for 30 s", () => {
  const { health, clock } = newServing();
  for (let i = 0; i < 3; i++) health.onAnswer(DOWN);
  clock.now = 29_999;
  assertEquals(health.lack(), "the back end fails: backend-unreachable");
  clock.now = 30_000;
  assertEquals(health.lack(), undefined);
  health.onAnswer(DOWN);
  assertEquals(health.lack(), "the back end fails: backend-unreachable");
});

Deno.test("Health suffers when mail is not taken, by whatever", () => {
  const hop = "mail is not taken: relay-credentials";
  const disk = "mail is not taken: 452";
  const rows: readonly (readonly [readonly CountedEvent[], unknown])[] = [
    [[RELAY, RELAY], undefined],
    [[RELAY, RELAY, RELAY], hop],
    [[RELAY, { ...MESSAGE, code: 451 }], undefined],
    [[RELAY, RELAY, { ...MESSAGE, code: 250, id: "c2" }, RELAY], undefined],
    [Array(3).fill({ ...MESSAGE, code: 452 }), disk],
    [Array(3).fill({ ...MESSAGE, code: 550 }), undefined],
    [Array(3).fill(MESSAGE), undefined],
    [Array(3).fill({ ...MESSAGE, code: 554, fault: "too-large" }), undefined],
  ];
  for (const [events, expected] of rows) {
    const { health } = newServing();
    events.forEach(health.onEvent);
    assertEquals(health.lack(), expected);
  }
});
