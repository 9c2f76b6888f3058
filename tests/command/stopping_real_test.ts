import { assertEquals } from "../support/assert.ts";
import { mustHappen } from "../../testing/deadline.ts";
import { eventually } from "../support/eventually.ts";
import {
  type Listener,
  PASSWORD,
  startListener,
  USER,
} from "../support/listener.ts";
import { messagesIn, withoutTrace } from "../support/maildir.ts";
import { plain, SmtpClient } from "../../testing/client.ts";
import { FOREVER, loggedIn, startHeld } from "../support/listener_session.ts";

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  Deno.test(`main.ts on ${signal} sends idle clients away, lets transactions finish and exits with 0`, async () => {
    await using listener = await startListener();
    using idle = await SmtpClient.greeted(listener.port);
    using inSasl = await SmtpClient.greeted(listener.port);
    await inSasl.command("AUTH LOGIN", "334");
    using inMail = await loggedIn(listener.port);
    await inMail.command("MAIL FROM:<a@example.org>", "250");
    using inData = await loggedIn(listener.port);
    await inData.envelope();
    await inData.send("the first half");

    listener.signal(signal);
    await listener.logged(new RegExp(`stopping on ${signal}`));
    await idle.expect("421 4.3.2");
    await idle.expectEnd();
    await inSasl.expect("421 4.3.2");
    await inSasl.expectEnd();
    await eventually("new clients are refused", async () => {
      try {
        (await SmtpClient.open(listener.port)).close();
      } catch (error) {
        return error instanceof Deno.errors.ConnectionRefused;
      }
    });
    await inMail.send("RCPT TO:<b@example.net>", "DATA", "one", ".");
    await inMail.expect("250", "354", "250 2.0.0", "421 4.3.2");
    await inMail.expectEnd();
    await inData.send("the second half", ".");
    await inData.expect("250 2.0.0", "421 4.3.2");
    await inData.expectEnd();
    for (const client of [idle, inSasl, inMail, inData]) client.close();

    const { code } = await mustHappen(listener.status, "the listener ends");
    assertEquals(code, 0);
    assertEquals(messagesIn(listener.maildir).map(withoutTrace).sort(), [
      "one\r\n",
      "the first half\r\nthe second half\r\n",
    ]);
  });
}

Deno.test("main.ts on SIGTERM waits for a decision under way, answers it and then 421", async () => {
  await using cleanUp = new AsyncDisposableStack();
  const { listener, asked, answer } = await startHeld(cleanUp);
  using client = await SmtpClient.greeted(listener.port);
  await client.send(`AUTH PLAIN ${plain(USER, PASSWORD)}`);
  await asked();
  listener.signal("SIGTERM");
  await listener.logged(/stopping on SIGTERM/);
  answer();
  await client.expect("235 2.7.0", "421 4.3.2");
  await client.expectEnd();
  client.close();
  assertEquals((await listener.stop()).code, 0);
});

Deno.test("main.ts --shutdown-delay takes clients on after SIGTERM, while /readyz says 503, until a second signal", async () => {
  await using listener = await startListener({
    args: ["--shutdown-delay", FOREVER, "--metrics-port", "0"],
  });
  await listener.logged(/:[0-9]+ for metrics/);
  const [, port] = /:([0-9]+) for metrics/.exec(listener.stderr()) ?? [];
  const ready = async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`);
    return `${answer.status} ${await answer.text()}`;
  };
  assertEquals(await ready(), "200 ok\n");
  using idle = await SmtpClient.greeted(listener.port);
  listener.signal("SIGTERM");
  await listener.logged(new RegExp(`stopping on SIGTERM in ${FOREVER} ms`));
  assertEquals(await ready(), "503 stopping\n");
  using late = await loggedIn(listener.port);
  await idle.command("NOOP", "250");

  listener.signal("SIGINT");
  for (const client of [idle, late]) {
    await client.expect("421 4.3.2");
    await client.expectEnd();
    client.close();
  }
  assertEquals((await listener.stop()).code, 0);
});

Deno.test("main.ts --shutdown-delay ends by itself", async () => {
  await using listener = await startListener({
    args: ["--shutdown-delay", "1"],
  });
  assertEquals((await listener.stop()).code, 0);
});

Deno.test("main.ts exits with 0 on a SIGTERM that comes as soon as it says that it listens", async () => {
  const codes: number[] = [];
  for (let round = 0; round < 10; round++) {
    await using listener = await startListener();
    codes.push((await listener.stop()).code);
  }
  assertEquals(codes, codes.map(() => 0));
});

Deno.test("main.ts exits with 0 however many signals to stop come until its end", async () => {
  const codes: number[] = [];
  for (let round = 0; round < 3; round++) {
    await using listener = await startListener();
    while (isThere(listener)) {
      await new Promise((resolve) => setTimeout(resolve));
    }
    codes.push((await listener.status).code);
  }
  assertEquals(codes, [0, 0, 0]);
});

/** Sends one more signal; whether there was somebody to take it. */
function isThere(listener: Listener): boolean {
  try {
    listener.signal("SIGTERM");
    return true;
  } catch {
    return false;
  }
}
