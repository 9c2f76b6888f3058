import { newUsersAuthProvider } from "../../auth/providers/users/users.ts";
import {
  hashPassword,
  type PasswordInput,
} from "../../command/hash_password.ts";
import { UsageError } from "../../command/values.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertNotMatch,
  assertRejects,
} from "../support/assert.ts";
import { newRequest } from "../support/auth_request.ts";
import { COMMAND_ARGS, runCommand } from "../support/listener.ts";

// Off unless asked for since Deno 2.8: no timer, connection or body may be left.
Deno.test.sanitizer({ ops: true, resources: true });

/** Somebody who types, or a program that writes, in these pieces. */
function inputOf(terminal: boolean, ...pieces: (string | Uint8Array)[]) {
  const prompts: string[] = [];
  let raw = false;
  const input: PasswordInput = {
    isTerminal: () => terminal,
    setRaw: (on) => raw = on,
    readSync: (octets) => {
      assertEquals(raw, terminal, "what is typed is shown");
      const piece = pieces.shift();
      if (piece === undefined) return null;
      const read = typeof piece === "string"
        ? new TextEncoder().encode(piece)
        : piece;
      octets.set(read);
      return read.length;
    },
  };
  const hash = () => hashPassword(input, (text) => prompts.push(text));
  return { hash, prompts: () => prompts.join(""), isRaw: () => raw };
}

/** Whether a users file with this hash lets somebody in with a password. */
async function opens(hash: string | undefined, password: string) {
  using provider = newUsersAuthProvider(`ann:${hash}\n`);
  return (await provider(newRequest({ password }))).decision === "authOk";
}

Deno.test("hashPassword() hashes the first line that a program writes", async () => {
  for (
    const pieces of [["pw"], ["pw\n"], ["pw\r\n"], ["p", "w\nmore\n"]] as const
  ) {
    const { hash, prompts } = inputOf(false, ...pieces);
    const line = await hash();
    assertMatch(
      line ?? "",
      /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/,
    );
    assert(await opens(line, "pw"));
    assertEquals(prompts(), "");
  }
});

Deno.test("hashPassword() takes another salt each time", async () => {
  const [one, other] = [inputOf(false, "pw"), inputOf(false, "pw")];
  assertNotEquals(await one.hash(), await other.hash());
});

Deno.test("hashPassword() hashes in NFC, in whatever pieces the octets come", async () => {
  const octets = new TextEncoder().encode("gru\u0308\u00dfe\n");
  const { hash } = inputOf(
    false,
    ...octets.values().map((octet) => Uint8Array.of(octet)),
  );
  assert(await opens(await hash(), "gr\u00fc\u00dfe"));
});

Deno.test("hashPassword() asks twice at a terminal, and shows nothing", async () => {
  const { hash, prompts, isRaw } = inputOf(true, "pw", "\r", "p", "w\n");
  assert(await opens(await hash(), "pw"));
  assertEquals(prompts(), "Password: \nAgain: \n");
  assertEquals(isRaw(), false);
});

Deno.test("hashPassword() lets who types take back", async () => {
  const { hash } = inputOf(
    true,
    "px\x7fw\r",
    "nonsense\x15\u{1f600}\b\b\bpw\x04",
  );
  assert(await opens(await hash(), "pw"));
});

Deno.test("hashPassword() stops at Ctrl-C, and leaves the terminal as it was", async () => {
  for (const typed of [["p\x03"], ["pw\r", "p\x03"]] as const) {
    const { hash, isRaw } = inputOf(true, ...typed);
    assertEquals(await hash(), undefined);
    assertEquals(isRaw(), false);
  }
});

Deno.test("hashPassword() refuses what nobody could log in with, and repeats nothing", async () => {
  for (
    const [terminal, pieces, words] of [
      [true, ["secret\r", "secrets\r"], "the two are not the same"],
      [true, ["\r", "\r"], "a password must have 1 to 1024 octets, not 0"],
      [false, [], "a password must have 1 to 1024 octets, not 0"],
      [false, ["\n"], "a password must have 1 to 1024 octets, not 0"],
      [
        false,
        ["secret".repeat(150), "secret".repeat(50)],
        "a password must have 1 to 1024 octets, not 1200",
      ],
      [false, ["se\tcret"], "a password must not contain control characters"],
      [
        true,
        ["secret\x1b[A\r", "secret\x1b[A\r"],
        "a password must not contain control characters",
      ],
      [false, [Uint8Array.of(0x73, 0xff)], "a password must be UTF-8"],
    ] as const
  ) {
    const { hash, isRaw } = inputOf(terminal, ...pieces);
    const error = await assertRejects(hash, UsageError);
    assertEquals(error.message, words);
    assertEquals(isRaw(), false);
  }
});

Deno.test("main.ts --hash-password prints the hash of what is piped into it, without any permission", async () => {
  const { code, stdout, stderr } = await runCommand({
    args: ["--hash-password"],
    permissions: [],
    stdin: "correct horse\n",
  });
  assertEquals([code, stderr], [0, ""]);
  assert(await opens(stdout.trimEnd(), "correct horse"));

  const empty = await runCommand({ args: ["--hash-password"], stdin: "" });
  assertEquals(empty, {
    code: 2,
    stdout: "",
    stderr: "error: a password must have 1 to 1024 octets, not 0\n",
  });
});

Deno.test({
  name: "main.ts --hash-password shows nothing of what is typed at a terminal",
  // A terminal takes the program script of util-linux.
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    const command = [Deno.execPath(), ...COMMAND_ARGS, "--hash-password"];
    await using child = new Deno.Command("script", {
      args: ["-qec", command.join(" "), "/dev/null"],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const typing = child.stdin.getWriter();
    const type = (text: string) => typing.write(new TextEncoder().encode(text));
    let shown = "";
    for await (
      const text of child.stdout.pipeThrough(new TextDecoderStream())
    ) {
      shown += text;
      // An answer to each question, as soon as it is there.
      if (/(?:Password|Again): $/.test(shown)) await type("correct horse\r");
    }
    await typing.close();
    const [, hash] = /^Password: \r\nAgain: \r\n(\$argon2id\$\S+)\r\n$/
      .exec(shown) ?? [];
    assertNotMatch(shown, /correct/);
    assert(await opens(hash, "correct horse"), shown);
  },
});
