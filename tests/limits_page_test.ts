// The numbers that docs/limits.md prints are those of the code.

import { FLAGS } from "../command/flags/table.ts";
import { assert, assertEquals } from "./support/assert.ts";
import { filesIn } from "./support/suite.ts";

const ROOT = new URL("../", import.meta.url);
const read = (path: string) => Deno.readTextFileSync(new URL(path, ROOT));

/** The page down to what was measured, which no code says. */
const [LIMITS = ""] = read("docs/limits.md").split("## How much memory");

/** The rows of the page's tables: what is limited, and the number. */
const ROWS: ReadonlyMap<string, string> = new Map(
  [...LIMITS.matchAll(/^\| (.*?) +\| (.*?) +\|/gm)]
    .map(([, what = "", number = ""]): [string, string] => [what, number])
    .filter(([what]) => what !== "what" && !what.startsWith("--")),
);

const sources = new Map<string, readonly string[]>();

/** The texts of a folder's files. */
function textsIn(folder: string): readonly string[] {
  const known = sources.get(folder);
  if (known !== undefined) return known;
  const texts = filesIn(new URL(`${folder}/`, ROOT), true)
    .map((file) => Deno.readTextFileSync(new URL(file)));
  sources.set(folder, texts);
  return texts;
}

/** The number behind a name, a constant's or a member's, in one of a folder's files. */
function numberIn(folder: string, name: string): number {
  const constant = `^(?:export )?const ${name}(?:: number)? = ([\\d_]+);$`;
  const member = `^ +${name}:(?: options\\.${name} \\?\\?)? ([\\d_]+),$`;
  const pattern = new RegExp(`${constant}|${member}`, "m");
  const found = textsIn(folder).flatMap((source) => {
    const [, one, other] = pattern.exec(source) ?? [];
    const text = one ?? other;
    return text === undefined ? [] : [Number(text.replaceAll("_", ""))];
  });
  assertEquals(found.length, 1, `${name} in ${folder}: ${found}`);
  return found[0] ?? NaN;
}

const THROTTLE = "auth/guards/throttle";
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** What the code says, in the page's words. */
const newNumbers = (): Readonly<Record<string, string>> => ({
  "recipients a day drain in": `${
    numberIn("auth/rights", "recipientsPerDay") / HOUR
  } hours`,
  "messages a minute drain in": `${
    numberIn("auth/rights", "messagesPerMinute") / SECOND
  } seconds`,
  "a message is remembered as sent": `${
    numberIn("auth/rights", "ONCE_MS") / MINUTE
  } minutes`,
  "an answer's rights stay known to": `${
    numberIn("auth/rights", "RIGHTS_KEEP_MS") / HOUR
  } hours`,
  "and are no longer than": `${
    numberIn("auth/rights", "MAX_OCTETS") / 1024
  } KiB`,
  "guesses at one user, from everywhere": `${numberIn(THROTTLE, "userLimit")}`,
  "at one user from one network": `${numberIn(THROTTLE, "pairLimit")}`,
  "from one network, at all users": `${numberIn(THROTTLE, "networkLimit")}`,
  "from an IPv6 /48, as many times as a /56": `${
    numberIn(THROTTLE, "SITE_FACTOR")
  }`,
  "all users who are at home in a network": `${
    numberIn(THROTTLE, "HOME_FACTOR")
  } times`,
  "where no address is known": `${numberIn(THROTTLE, "UNKNOWN_FACTOR")} times`,
  "a full count drains in": `${numberIn(THROTTLE, "HOUR_MS") / HOUR} hour`,
  "a network is trusted after a login": `${
    numberIn(THROTTLE, "WEEK_MS") / (24 * HOUR)
  } days`,
  "the longest delay": `${numberIn(THROTTLE, "MAX_HOLD_MS") / SECOND} seconds`,
  "guesses before a limit that are delayed": `${
    numberIn(THROTTLE, "DELAYED_GUESSES")
  }`,
  "a failure that may stand for a no": `${
    numberIn(THROTTLE, "LATE_MS") / SECOND
  } second`,
  "a network is an IPv4": `/${numberIn("lib", "CUSTOMER_BITS_4")}`,
  "or an IPv6": `/${numberIn("lib", "CUSTOMER_BITS_6")}`,
  "wrong passwords (`--max-auth-failures`)":
    `${FLAGS.maxAuthFailures.byDefault}`,
  "commands that fail": `${numberIn("smtp", "MAX_ERRORS")}`,
  "commands without the login that is required": `${
    numberIn("smtp", "MAX_COMMANDS")
  }`,
  "time without it": `${numberIn("smtp", "LOGIN_MS") / MINUTE} minutes`,
  "silence (`--idle-timeout`)": `${
    FLAGS.idleTimeout.byDefault / MINUTE
  } minutes`,
  "less of a message in that time, in octets": numberIn(
    "smtp",
    "PROGRESS_OCTETS",
  ).toLocaleString("en-US"),
  "recipients of a message (`--max-recipients`)":
    `${FLAGS.maxRecipients.byDefault}`,
  "a message (`--max-size`)": `${FLAGS.maxSize.byDefault / 1_048_576} MiB`,
  "clients of a network": `${FLAGS.maxConnectionsPerNetwork.byDefault}`,
  "clients (`--max-connections`)": FLAGS.maxConnections.byDefault
    .toLocaleString("en-US"),
});

/** A row with no number of its own: as long as what it is about. */
const IN_WORDS = ["the log has one warning"];

Deno.test("docs/limits.md prints the numbers of the code", () => {
  const numbers = newNumbers();
  for (const [what, number] of Object.entries(numbers)) {
    assertEquals([what, ROWS.get(what)], [what, number]);
  }
  assertEquals(
    [...ROWS.keys()].filter((what) =>
      !(what in numbers) && !IN_WORDS.includes(what)
    ),
    [],
  );
});

Deno.test("docs/limits.md says how much memory there is", () => {
  const entries = numberIn("auth/state", "DEFAULT_MAX_ENTRIES");
  const octets = numberIn("auth/state", "DEFAULT_MAX_OCTETS");
  const page = read("docs/limits.md").replaceAll("\n", " ");
  assert(page.includes(`${entries.toLocaleString("en-US")} entries`));
  assert(page.includes(`${octets / 1_048_576} MiB`));
});
