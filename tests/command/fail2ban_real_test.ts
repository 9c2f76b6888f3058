// What a client types bans nobody else: fail2ban reads logs of ours.

import { assertEquals } from "../support/assert.ts";
import { GUESSERS, hostileLog } from "../support/hostile_log.ts";
import { temporaryFolder } from "../support/listener.ts";

/**
 * The addresses that fail2ban would count, one for each match.
 *
 * @param log What it reads.
 * @param name The name of the filter.
 * @param change Makes another filter of it.
 */
async function found(
  log: string,
  name: string,
  change: (filter: string) => string = (filter) => filter,
): Promise<string[]> {
  using cleanUp = new DisposableStack();
  const folder = temporaryFolder(cleanUp);
  const filter = await Deno.readTextFile(
    new URL(`../../contrib/fail2ban/filter.d/${name}.conf`, import.meta.url),
  );
  await Deno.writeTextFile(`${folder}/smtpauth.log`, log);
  await Deno.writeTextFile(`${folder}/filter.conf`, change(filter));
  const { code, stdout, stderr } = await new Deno.Command("fail2ban-regex", {
    args: ["--out", "ip", `${folder}/smtpauth.log`, `${folder}/filter.conf`],
  }).output();
  const text = new TextDecoder();
  assertEquals(code, 0, text.decode(stderr));
  return text.decode(stdout).trim().split("\n").sort();
}

Deno.test("fail2ban bans every guesser and no stranger, by the JSON log, in a file and in the journal", async () => {
  const log = await hostileLog("json");
  assertEquals(await found(log, "smtpauth"), GUESSERS);
  // What fail2ban makes of the journal: its time is cut, and this is in front.
  const journal = log.replaceAll(
    /^(?=\{)/gm,
    "2026-11-26T02:08:06+0000 host deno[77]: ",
  );
  const dated = (filter: string) =>
    filter.replace(
      /^datepattern = .*$/m,
      "datepattern = ^%%Y-%%m-%%dT%%H:%%M:%%S%%z",
    );
  assertEquals(await found(journal, "smtpauth", dated), GUESSERS);
});

Deno.test("fail2ban bans every guesser and no stranger, by the text log", async () => {
  assertEquals(
    await found(await hostileLog("text"), "smtpauth-text"),
    GUESSERS,
  );
});
