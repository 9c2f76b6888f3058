// listenSmtp() of the package for npm, on Node 22, Node 24 and Bun: the same
// transcripts as on Deno, through real sockets.

import { assertEquals } from "../support/assert.ts";
import {
  LISTENERS_FILES,
  NodeListeners,
  programOf,
} from "../support/node_listeners.ts";
import { installed, RUNTIMES } from "../support/npm_package.ts";
import { replayThroughSocket } from "../support/socket_replay.ts";
import { readTranscripts } from "../support/transcript.ts";

const cleanUp = new AsyncDisposableStack();
const project = await installed(cleanUp, LISTENERS_FILES);
Deno.test.afterAll(() => cleanUp.disposeAsync());

for (const { name, program } of RUNTIMES) {
  Deno.test(`listenSmtp() answers every transcript: ${name}`, async (t) => {
    await using listeners = new NodeListeners(
      project,
      await programOf(project, program),
    );
    for (const transcript of readTranscripts()) {
      await t.step(transcript.name, async () => {
        const outcome = await replayThroughSocket(
          transcript,
          (options, reply) =>
            listeners.listen({
              options,
              ...reply === undefined ? {} : { reply },
            }),
        );
        assertEquals(outcome, undefined);
      });
    }
  });
}
