import { assertEquals } from "../support/assert.ts";
import { replayThroughSocket } from "../support/socket_replay.ts";
import { readTranscripts } from "../support/transcript.ts";

for (const transcript of readTranscripts()) {
  Deno.test(`serveSmtp() answers ${transcript.name}`, async () => {
    assertEquals(await replayThroughSocket(transcript), undefined);
  });
}
