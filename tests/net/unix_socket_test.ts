import { serveDovecotAuth } from "../../adapters/dovecot/server.ts";
import type { AuthServerOptions } from "../../adapters/auth_server.ts";
import { assert, assertEquals, assertRejects } from "../support/assert.ts";
import { temporaryFolder } from "../support/listener.ts";

Deno.test.sanitizer({ ops: true, resources: true });

function serve(path: string, options: Partial<AuthServerOptions> = {}) {
  return serveDovecotAuth({ path, provider: () => "authOk", ...options });
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

Deno.test("a unix socket gets its mode and its group", async () => {
  using cleanUp = new DisposableStack();
  const folder = temporaryFolder(cleanUp);
  const root = Deno.uid() === 0;
  const rows = [
    [{}, 0o660, undefined],
    [{ mode: 0o600 }, 0o600, undefined],
    [{ mode: 0o666 }, 0o666, undefined],
    ...(root
      ? [
        [{ group: "mail" }, 0o660, 8],
        [{ group: 8 }, 0o660, 8],
        [{ group: "8", mode: 0o640 }, 0o640, 8],
      ] as const
      : []),
  ] as const;
  for (const [options, mode, gid] of rows) {
    const path = `${folder}/auth`;
    await using server = await serve(path, options);
    const info = Deno.statSync(path);
    assertEquals((info.mode ?? 0) & 0o777, mode);
    if (gid !== undefined) assertEquals(info.gid, gid);
    assertEquals(server.addrs, [{ transport: "unix", path }]);
    assertEquals([...Deno.readDirSync(folder)].length, 1);
  }
});

Deno.test("a group that does not exist leaves nothing behind", async () => {
  using cleanUp = new DisposableStack();
  const folder = temporaryFolder(cleanUp);
  await assertRejects(
    () => serve(`${folder}/auth`, { group: "no such group" }),
    Error,
    "there is no group no such group",
  );
  assertEquals([...Deno.readDirSync(folder)], []);
});

Deno.test("a socket that nobody serves is replaced, the file goes at the end", async () => {
  using cleanUp = new DisposableStack();
  const path = `${temporaryFolder(cleanUp)}/auth`;
  Deno.listen({ transport: "unix", path }).close();
  if (!exists(path)) {
    // Deno takes the file away: make one as a process does that is killed.
    const listener = Deno.listen({ transport: "unix", path: `${path}x` });
    Deno.renameSync(`${path}x`, path);
    listener.close();
  }
  assert(exists(path));
  const server = await serve(path);
  const conn = await Deno.connect({ transport: "unix", path });
  conn.close();
  await server.shutdown();
  assertEquals(exists(path), false);
});

Deno.test("a socket that somebody serves is left alone", async () => {
  using cleanUp = new DisposableStack();
  const path = `${temporaryFolder(cleanUp)}/auth`;
  await using _server = await serve(path);
  const { ino } = Deno.statSync(path);
  await assertRejects(() => serve(path), Error, "another server listens");
  assertEquals(Deno.statSync(path).ino, ino);
});

Deno.test("a file that is no socket is left alone", async () => {
  using cleanUp = new DisposableStack();
  const path = `${temporaryFolder(cleanUp)}/auth`;
  Deno.writeTextFileSync(path, "precious");
  await assertRejects(() => serve(path), Error, "is no socket");
  assertEquals(Deno.readTextFileSync(path), "precious");
});

Deno.test("a server takes away its own socket file only", async () => {
  using cleanUp = new DisposableStack();
  const path = `${temporaryFolder(cleanUp)}/auth`;
  const server = await serve(path);
  Deno.removeSync(path);
  await using _other = await serve(path);
  await server.shutdown();
  assert(exists(path));
});

Deno.test("a unix socket is never open to others before it has its mode (issue 11)", async () => {
  using cleanUp = new DisposableStack();
  const folder = temporaryFolder(cleanUp);
  const { listen } = Deno;
  const umask = Deno.umask(0);
  cleanUp.defer(() => {
    Deno.listen = listen;
    Deno.umask(umask);
  });
  const seen: boolean[] = [];
  Object.assign(Deno, {
    listen: (options: Deno.UnixListenOptions & { transport: "unix" }) => {
      const listener = listen(options);
      const inside = options.path.replace(/[^/]*$/, "");
      seen.push(isOpenToOthers(options.path) && isOpenToOthers(inside));
      return listener;
    },
  });
  // Others may come into the folder: only what lies in it is to be shut.
  Deno.chmodSync(folder, 0o755);
  await using _server = await serve(`${folder}/auth`, { mode: 0o600 });
  assertEquals(seen, [false]);
  assertEquals((Deno.statSync(`${folder}/auth`).mode ?? 0) & 0o777, 0o600);
});

function isOpenToOthers(path: string): boolean {
  return ((Deno.statSync(path).mode ?? 0) & 0o077) !== 0;
}

Deno.test("what a server that was killed at its start has left is taken away", async () => {
  using cleanUp = new DisposableStack();
  const folder = temporaryFolder(cleanUp);
  const path = `${folder}/auth`;
  Deno.mkdirSync(`${path}~`);
  const dead = Deno.listen({ transport: "unix", path: `${folder}/x` });
  Deno.renameSync(`${folder}/x`, `${path}~/s`);
  dead.close();
  await using _server = await serve(path);
  assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), ["auth"]);
});

Deno.test("a folder beside the socket that holds something else is left alone", async () => {
  using cleanUp = new DisposableStack();
  const path = `${temporaryFolder(cleanUp)}/auth`;
  Deno.mkdirSync(`${path}~`);
  Deno.writeTextFileSync(`${path}~/precious`, "x");
  await assertRejects(() => serve(path), Error, "Directory not empty");
  assertEquals(Deno.readTextFileSync(`${path}~/precious`), "x");
});
