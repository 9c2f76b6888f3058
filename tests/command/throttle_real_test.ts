// How the command protects its users from guessing: which networks count, and
// whose address that is. The delays are the throttle's own, and tested there.

import { assertEquals } from "../support/assert.ts";
import { PASSWORD, temporaryFolder, USER } from "../support/listener.ts";
import { type Served, startServing } from "../support/served.ts";
import { plain, SmtpClient } from "../../testing/client.ts";

Deno.test.sanitizer({ ops: true, resources: true });

/** Where a login is required, a hundred commands must do for it. */
const MANY = ["--no-require-auth", "--max-auth-failures", "1000"];

const BEHIND_PROXY = ["--proxy-protocol", "--allow-insecure-auth", ...MANY];

function start(cleanUp: DisposableStack, args: readonly string[]) {
  const maildir = `${temporaryFolder(cleanUp)}/maildir`;
  return startServing(["--maildir", maildir, ...args]);
}

/** A client that seems to come from an address. */
async function clientFrom(port: number, address: string): Promise<SmtpClient> {
  const client = await SmtpClient.open(port);
  await client.sendRaw(`PROXY TCP4 ${address} 198.51.100.1 50000 587\r\n`);
  await client.expect("220");
  await client.command("EHLO x", "250");
  return client;
}

async function codeOf(client: SmtpClient, password: string): Promise<string> {
  await client.send(`AUTH PLAIN ${plain(USER, password)}`);
  return (await client.reply()).status.slice(0, 3);
}

/** Guesses until nobody is asked any more, and tells every code. */
async function guess(client: SmtpClient): Promise<string[]> {
  const codes: string[] = [];
  for (let i = 0; i < 30 && codes.at(-1) !== "454"; i++) {
    codes.push(await codeOf(client, `guess ${i}`));
  }
  return codes;
}

/** Reason and address of the last login that nobody was asked about. */
function throttled({ log }: Served) {
  const last = log.filter(({ fields }) => fields.outcome === "failure").at(-1);
  return [last?.level, last?.fields.reason, last?.fields.remoteIp];
}

Deno.test("serve() stops asking for a user whom somebody guesses, from there only", async () => {
  using cleanUp = new DisposableStack();
  await using served = await start(cleanUp, BEHIND_PROXY);
  // Ann has logged in at home; so nobody elsewhere can lock her out there.
  using home = await clientFrom(served.port, "203.0.113.5");
  assertEquals(await codeOf(home, PASSWORD), "235");

  using guesser = await clientFrom(served.port, "192.0.2.7");
  assertEquals(await guess(guesser), [...new Array(10).fill("535"), "454"]);
  assertEquals(throttled(served), ["warn", "throttled-pair", "192.0.2.7"]);

  using again = await clientFrom(served.port, "203.0.113.6");
  assertEquals(await codeOf(again, PASSWORD), "235");
});

Deno.test("serve() bears a device with an old password, however often it comes", async () => {
  using cleanUp = new DisposableStack();
  await using served = await start(cleanUp, BEHIND_PROXY);
  using phone = await clientFrom(served.port, "192.0.2.7");
  for (let i = 0; i < 500; i++) {
    assertEquals(await codeOf(phone, "the old one"), "535");
    // Twenty errors would end the connection; wrong passwords are none.
  }
  assertEquals(await codeOf(phone, PASSWORD), "235");
});

Deno.test("serve() stops guesses for a user through a program on its own machine, and nobody else there", async () => {
  using cleanUp = new DisposableStack();
  await using served = await start(cleanUp, MANY);
  using webmail = await SmtpClient.greeted(served.port);
  for (let i = 0; i < 150; i++) {
    await webmail.login(`user ${i}`, "a typo", "535");
  }
  assertEquals(await guess(webmail), [...new Array(20).fill("535"), "454"]);
  assertEquals(throttled(served), ["warn", "throttled-user", "127.0.0.1"]);
  await webmail.login("user 0", "a typo", "535");
});

Deno.test("serve() with --no-throttle leaves everybody alone", async () => {
  using cleanUp = new DisposableStack();
  await using served = await start(cleanUp, [...BEHIND_PROXY, "--no-throttle"]);
  using guesser = await clientFrom(served.port, "192.0.2.7");
  assertEquals(await guess(guesser), new Array(30).fill("535"));
});
