import { followFiles, type Following } from "../../command/follow.ts";
import { assertEquals } from "../support/assert.ts";
import { temporaryFolder } from "../support/listener.ts";

// Off unless asked for since Deno 2.8: no timer, connection or body may be left.
Deno.test.sanitizer({ ops: true, resources: true });

/** Looks at the files whenever a test wants it, and at no other time. */
function withoutTime(): Disposable & { readonly look: () => void } {
  const { setInterval, clearInterval } = globalThis;
  let look = () => {};
  Object.assign(globalThis, {
    setInterval: (act: () => void) => {
      look = act;
      return 1;
    },
    clearInterval: () => look = () => {},
  });
  return {
    look: () => look(),
    [Symbol.dispose]: () =>
      void Object.assign(globalThis, { setInterval, clearInterval }),
  };
}

/** Follows a file `users` in a folder of its own. */
function follow(cleanUp: DisposableStack, onRead: () => void = () => {}) {
  const path = `${temporaryFolder(cleanUp)}/users`;
  const time = cleanUp.use(withoutTime());
  const loaded: string[] = [];
  const said: string[] = [];
  const following: Following = {
    paths: [path],
    load: () => {
      onRead();
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

Deno.test("followFiles() reads a changed file when it has stood still for a look", () => {
  using cleanUp = new DisposableStack();
  const { look, write, taken } = follow(cleanUp);
  look();
  assertEquals(taken(), [[], []]);
  write("half");
  look();
  write("whole now");
  look();
  assertEquals(taken(), [[], []]);
  look();
  assertEquals(taken(), [["whole now"], ["info: new users in use"]]);
  look();
  assertEquals(taken(), [[], []]);
});

Deno.test("followFiles() sees a file that takes the place of another of the same size", () => {
  using cleanUp = new DisposableStack();
  const { path, look, taken } = follow(cleanUp);
  Deno.writeTextFileSync(`${path}.new`, "other");
  Deno.renameSync(`${path}.new`, path);
  look();
  look();
  assertEquals(taken(), [["other"], ["info: new users in use"]]);
});

Deno.test("followFiles() says once what is not good, and takes what is good again", () => {
  using cleanUp = new DisposableStack();
  const { path, look, write, taken } = follow(cleanUp);
  write("bad");
  for (let i = 0; i < 4; i++) look();
  assertEquals(taken(), [[], [
    "error: the old users stay in use: it is bad",
  ]]);
  Deno.removeSync(path);
  for (let i = 0; i < 4; i++) look();
  assertEquals(taken(), [[], [
    "error: the old users stay in use: No such file or directory",
  ]]);
  write("good");
  look();
  look();
  assertEquals(taken(), [["good"], ["info: new users in use"]]);
});

Deno.test("followFiles() reads nothing that may have no end", () => {
  using cleanUp = new DisposableStack();
  const { path, look, reload, taken } = follow(cleanUp);
  const said = ["error: the old users stay in use: it is not a regular file"];
  Deno.removeSync(path);
  Deno.symlinkSync("/dev/null", path);
  look();
  look();
  assertEquals(taken(), [[], said]);
  reload();
  assertEquals(taken(), [[], said]);
});

Deno.test("followFiles() tries what is not good again when it is another, or after half a minute", () => {
  using cleanUp = new DisposableStack();
  let reads = 0;
  const { look, write } = follow(cleanUp, () => reads++);
  write("bad");
  for (let i = 0; i < 31; i++) look();
  assertEquals(reads, 1);
  for (let i = 0; i < 3; i++) look();
  assertEquals(reads, 2);
  write("bad too");
  for (let i = 0; i < 3; i++) look();
  assertEquals(reads, 3);
});

Deno.test("followFiles() reads at once when asked to, changed or not, and says what came of it", () => {
  using cleanUp = new DisposableStack();
  const { look, write, reload, taken } = follow(cleanUp);
  reload();
  assertEquals(taken(), [["first"], ["info: new users in use"]]);
  write("bad");
  for (let i = 0; i < 2; i++) {
    reload();
    assertEquals(taken(), [[], [
      "error: the old users stay in use: it is bad",
    ]]);
  }
  write("good");
  reload();
  look();
  look();
  assertEquals(taken(), [["good"], ["info: new users in use"]]);
});

Deno.test("followFiles() looks no more once it has been stopped", () => {
  using cleanUp = new DisposableStack();
  const { look, write, stop, taken } = follow(cleanUp);
  write("other");
  stop();
  look();
  look();
  assertEquals(taken(), [[], []]);
});
