import {
  excessOf,
  excessReply,
  metersOf,
  tooManyReply,
} from "../../../auth/rights/sending_limits.ts";
import { assertEquals } from "../../support/assert.ts";

const NOW = Date.UTC(2026, 10, 26);
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

const ANN = { user: "ann", remoteIp: "192.0.2.7" };

Deno.test("metersOf() takes what the answer says, else what holds for all; 0 is no limit", () => {
  const all = { recipientsPerDay: 500, messagesPerMinute: 30 };
  const most = (limits?: object, forAll: object = all) =>
    metersOf({ ...ANN, limits }, forAll).map(({ name, most }) => [name, most]);
  assertEquals(most(), [["recipientsPerDay", 500], ["messagesPerMinute", 30]]);
  assertEquals(most({ recipientsPerDay: 7 }), [
    ["recipientsPerDay", 7],
    ["messagesPerMinute", 30],
  ]);
  assertEquals(most({ recipientsPerDay: 0, messagesPerMinute: 0 }), []);
  assertEquals(most({ messagesPerMinute: 2 }, {}), [["messagesPerMinute", 2]]);
  assertEquals(most({}, { recipientsPerDay: 0 }), []);
});

Deno.test("metersOf() counts a user, in all spellings, apart from any address", () => {
  const keys = (user: string | undefined) =>
    metersOf({ user, remoteIp: "192.0.2.7" }, { recipientsPerDay: 1 })
      .map(({ key }) => key);
  assertEquals(keys("ann"), ["recipientsPerDay user ann"]);
  assertEquals(keys("ANN "), keys("ann"));
  assertEquals(keys(undefined), ["recipientsPerDay address 192.0.2.7"]);
  assertEquals(keys(""), keys(undefined));
  assertEquals(keys("192.0.2.7"), ["recipientsPerDay user 192.0.2.7"]);
});

Deno.test("excessOf() names the limit that must be waited for longest", () => {
  const meters = metersOf(ANN, { recipientsPerDay: 24, messagesPerMinute: 6 });
  const name = (times: (number | undefined)[], recipients = 1) =>
    excessOf(meters, times, NOW, recipients)?.meter.name;
  assertEquals(name([undefined, undefined]), undefined);
  assertEquals(name([undefined, undefined], 24), undefined);
  assertEquals(name([undefined, NOW + MINUTE_MS]), "messagesPerMinute");
  assertEquals(
    name([NOW + DAY_MS, NOW + MINUTE_MS]),
    "recipientsPerDay",
  );
  assertEquals(name([undefined, NOW + MINUTE_MS], 25), "recipientsPerDay");
});

Deno.test("excessReply() and tooManyReply() say which limit, and when to try again", () => {
  const [day, minute] = metersOf(ANN, {
    recipientsPerDay: 24,
    messagesPerMinute: 1,
  });
  const text = (meter: typeof day, waitMs: number, recipients?: number) => {
    if (meter === undefined) throw new Error("no such limit");
    const reply = recipients === undefined
      ? excessReply({ meter, waitMs })
      : tooManyReply({ meter, waitMs }, recipients);
    assertEquals([reply.code, reply.enhanced], [451, "4.7.1"]);
    return reply.text;
  };
  assertEquals(
    text(day, HOUR_MS),
    "Limit of 24 recipients a day is reached, try again in 60 minutes",
  );
  assertEquals(
    text(day, 2 * HOUR_MS + 1),
    "Limit of 24 recipients a day is reached, try again in 3 hours",
  );
  assertEquals(
    text(minute, 0.5),
    "Limit of 1 message a minute is reached, try again in 1 second",
  );
  assertEquals(
    text(minute, 59_001),
    "Limit of 1 message a minute is reached, try again in 60 seconds",
  );
  assertEquals(
    text(day, 1, 25),
    "Limit of 24 recipients a day is below the 25 recipients of this message",
  );
});
