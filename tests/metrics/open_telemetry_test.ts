import { findOpenTelemetry } from "../../metrics/open_telemetry.ts";
import { assertEquals } from "../support/assert.ts";

Deno.test("findOpenTelemetry() finds none where the process was started without it", () => {
  assertEquals(findOpenTelemetry("1.2.3"), undefined);
});
