/**
 * A container of one of contrib/'s Dockerfiles, built, running, and gone with
 * the test.
 *
 * @module
 */

import { outputOf } from "./daemons.ts";
import { eventually } from "./eventually.ts";
import { type ContainerOptions, containerScript } from "./dockerfile.ts";
import { parseLog, signalIfRunning, temporaryFolder } from "./listener.ts";

/** A running container. */
export interface Container extends AsyncDisposable {
  /** The port that its listener has found. */
  readonly port: number;
  /** The number of its process, seen from outside. */
  readonly pid: number;
  /** Runs a command line in it; its exit status. */
  readonly execute: (command: string) => Promise<number>;
  /** The lines of its log so far. */
  readonly log: () => readonly Readonly<Record<string, unknown>>[];
  /** Sends SIGTERM and waits for the end. */
  readonly stop: () => Promise<Deno.CommandStatus>;
}

/** Builds and starts one, and waits until it listens. */
export async function startContainer(
  options: ContainerOptions,
): Promise<Container> {
  await using cleanUp = new AsyncDisposableStack();
  const scratch = temporaryFolder(cleanUp);
  const child = new Deno.Command("unshare", {
    args: [
      ...["--mount", "--pid", "--ipc", "--uts", "--fork", "--kill-child"],
      ...["bash", "-c", containerScript(options, scratch)],
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let ended = false;
  child.status.then(() => ended = true);
  cleanUp.defer(async () => {
    // It does not go with its parent: as another user it has no such tie.
    const inner = ended ? 0 : childOf(child.pid);
    if (inner > 0) Deno.kill(inner, "SIGKILL");
    signalIfRunning(child, "SIGKILL");
    await child.status;
  });
  const [stdout, stderr] = [gather(child.stdout), gather(child.stderr)];
  await eventually("the container listens", () => {
    if (ended) throw new Error(`${stdout.text()}${stderr.text()}`);
    return stderr.text().includes('"message":"listening on');
  }, 120_000);
  const [, port = ""] = /listening on 0\.0\.0\.0:([0-9]+)/.exec(
    stderr.text(),
  ) ?? [];
  const pid = childOf(child.pid);
  const held = cleanUp.move();
  return {
    port: Number(port),
    pid,
    execute: async (command) => {
      const { code } = await new Deno.Command("nsenter", {
        args: [
          ...["--target", `${pid}`, "--all", "--root", "--wd"],
          ...["--setuid", "65534", "--setgid", "65534", "--"],
          ...["sh", "-c", command],
        ],
        env: options.env,
        stdout: "null",
        stderr: "null",
      }).output();
      return code;
    },
    // What npm and Deno say while the image is built stands before the log.
    log: () => parseLog(stderr.text().replace(/^[^]*?^(?=\{)/m, "")),
    stop: async () => {
      Deno.kill(pid, "SIGTERM");
      const status = await child.status;
      await Promise.all([stdout.done, stderr.done]);
      return status;
    },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

/** What a process has written so far, and its end. */
function gather(stream: ReadableStream<Uint8Array<ArrayBuffer>>) {
  let text = "";
  const done = stream.pipeThrough(new TextDecoderStream()).pipeTo(
    new WritableStream({ write: (piece) => void (text += piece) }),
  );
  return { text: () => text, done };
}

/** The one child of a process. */
function childOf(pid: number): number {
  return Number(outputOf("cat", `/proc/${pid}/task/${pid}/children`));
}
