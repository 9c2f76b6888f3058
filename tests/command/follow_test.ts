import { followFiles, type Following } from "../../command/follow.ts";
import { assertEquals } from "../support/assert.ts";
import { temporaryFolder } from "../support/listener.ts";

// Off unless asked for since Deno 2.8: no timer, connection or body may be left.
Deno.test.sanitizer({ ops: true, resources: true });

/** Looks at the files whenever a test wants it, and at no other time. */
function withoutTime(): Disposable & { readonly look: () => Promise<void> } {
  const { setInterval, clearInterval } = globalThis;
  const nothing = async () => {};
  let look = nothing;
  Object.assign(globalThis, {
    setInterval: (act: () => Promise<void>) => {
      look = act;
      return 1;
    },
    clearInterval: () => look = nothing,
  });
  return {
    look: () => look(),
    [Symbol.dispose]: () =>
      void Object.assign(globalThis, { setInterval, clearInterval }),
  };
}

/** Follows a file `users` in a folder of its own. */
function follow(
  cleanUp: DisposableStack,
  onRead: () => void | Promise<void> = () => {},
) {
  const path = `${temporaryFolder(cleanUp)}/users`;
  const time = cleanUp.use(withoutTime());
  const loaded: string[] = [];
  const said: string[] = [];
  const following: Following = {
    paths: [path],
    load: async () => {
      await onRead();
      const text = Deno.readTextFileSync(path);
      if (text.startsWith("bad")) throw new Error(`it is ${text}`);
      loaded.push(text);
    },
    taken: "new users",
    kept: "the old users stay",
  };
  Deno.writeTextFileSync(path, "first");
  const { reload, stop } = followFiles(
    following,
    ({ level, message }) => said.push(`${level}: ${message}`),
  );
  const taken = () => [loaded.splice(0), said.splice(0)];
  const write = (text: string) => Deno.writeTextFileSync(path, text);
  return { ...time, path, write, reload, stop, taken };
}

Deno.test("followFiles() reads a changed file when it has stood still for a look", async () => {
  using cleanUp = new DisposableStack();
  const { look, write, taken } = follow(cleanUp);
  await look();
  assertEquals(taken(), [[], []]);
  write("half");
  await look();
  write("whole now");
  await look();
  assertEquals(taken(), [[], []]);
  await look();
  assertEquals(taken(), [["whole now"], ["info: new users in use"]]);
  await look();
  assertEquals(taken(), [[], []]);
});

Deno.test("followFiles() sees a file that takes the place of another of the same size", async () => {
  using cleanUp = new DisposableStack();
  const { path, look, taken } = follow(cleanUp);
  Deno.writeTextFileSync(`${path}.new`, "other");
  Deno.renameSync(`${path}.new`, path);
  await look();
  await look();
  assertEquals(taken(), [["other"], ["info: new users in use"]]);
});

Deno.test("followFiles() says once what is not good, and takes what is good again", async () => {
  using cleanUp = new DisposableStack();
  const { path, look, write, taken } = follow(cleanUp);
  write("bad");
  for (let i = 0; i < 4; i++) await look();
  assertEquals(taken(), [[], [
    "error: the old users stay in use: it is bad",
  ]]);
  Deno.removeSync(path);
  for (let i = 0; i < 4; i++) await look();
  assertEquals(taken(), [[], [
    "error: the old users stay in use: No such file or directory",
  ]]);
  write("good");
  await look();
  await look();
  assertEquals(taken(), [["good"], ["info: new users in use"]]);
});

Deno.test("followFiles() reads nothing that may have no end", async () => {
  using cleanUp = new DisposableStack();
  const { path, look, reload, taken } = follow(cleanUp);
  const said = ["error: the old users stay in use: it is not a regular file"];
  Deno.removeSync(path);
  Deno.symlinkSync("/dev/null", path);
  await look();
  await look();
  assertEquals(taken(), [[], said]);
  await reload();
  assertEquals(taken(), [[], said]);
});

Deno.test("followFiles() tries what is not good again when it is another, or after half a minute", async () => {
  using cleanUp = new DisposableStack();
  let reads = 0;
  const { look, write } = follow(cleanUp, () => {
    reads++;
  });
  write("bad");
  for (let i = 0; i < 31; i++) await look();
  assertEquals(reads, 1);
  for (let i = 0; i < 3; i++) await look();
  assertEquals(reads, 2);
  write("bad too");
  for (let i = 0; i < 3; i++) await look();
  assertEquals(reads, 3);
});

Deno.test("followFiles() reads at once when asked to, changed or not, and says what came of it", async () => {
  using cleanUp = new DisposableStack();
  const { look, write, reload, taken } = follow(cleanUp);
  await reload();
  assertEquals(taken(), [["first"], ["info: new users in use"]]);
  write("bad");
  for (let i = 0; i < 2; i++) {
    await reload();
    assertEquals(taken(), [[], [
      "error: the old users stay in use: it is bad",
    ]]);
  }
  write("good");
  await reload();
  await look();
  await look();
  assertEquals(taken(), [["good"], ["info: new users in use"]]);
});

Deno.test("followFiles() looks no more once it has been stopped", async () => {
  using cleanUp = new DisposableStack();
  const { look, write, stop, taken } = follow(cleanUp);
  write("other");
  stop();
  await look();
  await look();
  assertEquals(taken(), [[], []]);
});

Deno.test("followFiles() loads once at a time, and says what came of it when that is known", async () => {
  using cleanUp = new DisposableStack();
  const gate = Promise.withResolvers<void>();
  let loads = 0;
  const { look, write, reload, taken } = follow(cleanUp, () => {
    loads++;
    return gate.promise;
  });
  const first = reload();
  write("other");
  const later = [reload(), look(), look()];
  assertEquals([loads, ...taken()], [1, [], []]);
  gate.resolve();
  await Promise.all([first, ...later]);
  assertEquals(loads, 2);
  const said = "info: new users in use";
  assertEquals(taken(), [["other", "other"], [said, said]]);
});
