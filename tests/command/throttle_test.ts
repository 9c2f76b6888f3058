import { assertEquals } from "../support/assert.ts";
import { eventually } from "../support/eventually.ts";
import { PASSWORD, startListener, USER } from "../support/listener.ts";
import { plain, SmtpClient } from "../support/smtp_client.ts";

const FLAGS = ["--proxy-protocol", "--allow-insecure-auth"];

/** A client that seems to come from an address. */
async function clientFrom(port: number, address: string): Promise<SmtpClient> {
  const client = await SmtpClient.open(port);
  await client.sendRaw(`PROXY TCP4 ${address} 198.51.100.1 50000 587\r\n`);
  await client.expect("220");
  await client.command("EHLO x", "250");
  return client;
}

/** How many commands fit into a connection without a login. */
const COMMANDS = 90;

/** Logs in on a connection; a new one before the last has had too much. */
function manyTimes(
  connect: () => Promise<SmtpClient>,
): { readonly client: () => Promise<SmtpClient> } & Disposable {
  let client: SmtpClient | undefined;
  let commands = 0;
  return {
    client: async () => {
      if (client === undefined || ++commands % COMMANDS === 0) {
        client?.[Symbol.dispose]();
        client = await connect();
      }
      return client;
    },
    [Symbol.dispose]: () => client?.[Symbol.dispose](),
  };
}

async function codeOf(client: SmtpClient, password: string): Promise<string> {
  await client.send(`AUTH PLAIN ${plain(USER, password)}`);
  return (await client.reply()).status.slice(0, 3);
}

Deno.test("main.ts stops asking for a user whom somebody guesses, from there only", async () => {
  await using listener = await startListener({
    args: [...FLAGS, "--max-auth-failures", "100"],
  });
  // Ann has logged in at home; so nobody elsewhere can lock her out there.
  using home = await clientFrom(listener.port, "203.0.113.5");
  assertEquals(await codeOf(home, PASSWORD), "235");

  using guesser = await clientFrom(listener.port, "192.0.2.7");
  const codes: string[] = [];
  for (let i = 0; i < 20 && codes.at(-1) !== "454"; i++) {
    codes.push(await codeOf(guesser, `guess ${i}`));
  }
  assertEquals(codes, [...new Array(10).fill("535"), "454"]);
  const last = await eventually(
    "the refusal in the log",
    () => listener.log().find(({ reason }) => reason === "throttled-pair"),
  );
  assertEquals([last.outcome, last.remoteIp], ["failure", "192.0.2.7"]);

  using again = await clientFrom(listener.port, "203.0.113.6");
  assertEquals(await codeOf(again, PASSWORD), "235");
});

Deno.test("main.ts bears a device with an old password, however often it comes", async () => {
  await using listener = await startListener({
    args: [...FLAGS, "--max-auth-failures", "1000"],
  });
  using phone = manyTimes(() => clientFrom(listener.port, "192.0.2.7"));
  for (let i = 0; i < 500; i++) {
    assertEquals(await codeOf(await phone.client(), "the old one"), "535");
    // Twenty errors would end the connection; wrong passwords are none.
  }
  assertEquals(await codeOf(await phone.client(), PASSWORD), "235");
});

const MOST = ["--max-auth-failures", "1000"];

Deno.test("main.ts stops guesses for a user through a program on its own machine, and nobody else there", async () => {
  await using listener = await startListener({ args: MOST });
  using webmail = manyTimes(() => SmtpClient.greeted(listener.port));
  for (let i = 0; i < 150; i++) {
    await (await webmail.client()).login(`user ${i}`, "a typo", "535");
  }
  const codes: string[] = [];
  for (let i = 0; i < 30 && codes.at(-1) !== "454"; i++) {
    codes.push(await codeOf(await webmail.client(), `guess ${i}`));
  }
  assertEquals(codes, [...new Array(20).fill("535"), "454"]);
  const last = await eventually(
    "the refusal in the log",
    () => listener.log().find(({ outcome }) => outcome === "failure"),
  );
  assertEquals(last.reason, "throttled-user");
  await (await webmail.client()).login("user 0", "a typo", "535");
});

Deno.test("main.ts --no-throttle leaves everybody alone", async () => {
  await using listener = await startListener({
    args: [...FLAGS, ...MOST, "--no-throttle"],
  });
  using guesser = await clientFrom(listener.port, "192.0.2.7");
  for (let i = 0; i < 30; i++) {
    assertEquals(await codeOf(guesser, `guess ${i}`), "535");
  }
});
