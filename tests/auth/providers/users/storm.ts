/**
 * A program that lets many log in at once, with each kind of hash, then reads
 * many users, and prints for how long its event loop was held up at most: as
 * JSON, in milliseconds.
 *
 * It counts the processor's time of the main thread between two turns of the
 * loop. The clock on the wall would count what other programs do, too.
 *
 * @module
 */

import { compareSync } from "bcryptjs";
import { newUsersAuthProvider } from "../../../../auth/providers/users/users.ts";

/** All of `pw`, but for the last, with the costs that other programs choose. */
const HASHES: Readonly<Record<string, string>> = {
  argon2id:
    "$argon2id$v=19$m=19456,t=2,p=1$c3Rvcm0tb2YtbG9naW5zIQ$FJDripLHiN24ftA8sdMNdFg3/k5abUwaD/gOYu4i8d4",
  bcrypt: "$2y$10$uq0.Zv3okkA5tFQPpPlPV.Gy/v1SfeU6qqMb/AnCvMUOHHn3AJk1q",
  sha512crypt:
    "$6$s$V98HlhDkB0XlUtnk5HzECtK0cfibEuztpjiNXAgFB2cZO81oDS5bpjHIdUbVWnFUchuQQ7tJ314GzncjyVQgX.",
  sha256crypt:
    "$5$rounds=12345$saltstring$04nmrB2LCVh/mRYff4m0yiqpjthuqb04Xtm6kFlFaS9",
  scrypt:
    "$scrypt$ln=14,r=8,p=2$t/b+/x9DyPl/j5EyJiSkFA$QmtjDMpSz8HV5FXfBR2Gu7FLinWrttaMi1wyNInRnxA",
  apr1: "$apr1$a$ij/Aka61dStEs8vTEvpfK1",
  ssha: "{SSHA}1NhTL5D6dy27JrKEzVlQqFLqfFYPWofn",
  plain: "{PLAIN}pw",
};

/** How many log in at once. */
const LOGINS = 12;

/** Milliseconds that the main thread has computed so far. */
function computed(): number {
  const file = `/proc/self/task/${Deno.pid}/schedstat`;
  return Number(Deno.readTextFileSync(file).split(" ")[0]) / 1e6;
}

/** The most milliseconds between two turns of the loop while work goes on. */
async function longestTurn(work: Promise<unknown>): Promise<number> {
  let working = true;
  let longest = 0;
  const ended = work.finally(() => working = false);
  for (let last = computed(); working;) {
    await new Promise((resolve) => setTimeout(resolve));
    const now = computed();
    longest = Math.max(longest, now - last);
    last = now;
  }
  await ended;
  return longest;
}

/** A file of a large company, with the hash that takes longest to read. */
function manyUsers(): string {
  const line = (_: unknown, i: number) =>
    `user${i}@example.com:${HASHES.argon2id}:user${i}@example.com,@team.example`;
  return Array.from({ length: 50_000 }, line).join("\n");
}

const answers: Record<string, number> = {};
for (const [name, hash] of Object.entries(HASHES)) {
  using provider = newUsersAuthProvider(`ann:${hash}\n`);
  // Starting Workers does hold it up, and is done before the first login.
  await provider.ready();
  const storm = Array.from({ length: LOGINS }, (_, i) =>
    provider({
      username: i % 3 === 0 ? "nobody" : "ann",
      password: i % 3 === 1 ? "wrong" : "pw",
      mechanism: "PLAIN",
      remoteIp: "192.0.2.7",
      heloName: "laptop",
    }));
  answers[name] = await longestTurn(Promise.all(storm));
}
{
  const users = manyUsers();
  using provider = newUsersAuthProvider("ann:{PLAIN}pw\n");
  answers.reload = await longestTurn(
    Promise.resolve().then(() => provider.use(users)),
  );
}
// What it would be without Workers: else the figures might say nothing.
answers.unbearable = await longestTurn(
  Promise.resolve().then(() => compareSync("pw", HASHES.bcrypt ?? "")),
);
console.log(JSON.stringify(answers));
