// s-nail, the mailx of many systems. Over TLS it says goodbye and then waits
// for the listener to close its half as well.

import { assertEquals } from "../support/assert.ts";
import { mustHappen } from "../../testing/deadline.ts";
import { type Ending, type Job, oneByOne, testClient } from "./checks.ts";
import {
  clientNamed,
  clientTest,
  HELO,
  LOGIN,
  newBench,
  RECIPIENTS,
  run,
  SENDER,
} from "./support.ts";

const S_NAIL = clientNamed("s-nail", "s-nail");

/** Its exit status when a message could not be sent. */
const NOT_SENT = 4;

const BODY = [".", "..", ".dot", "", "x".repeat(900), "the end", ""];

async function sNail(program: string, job: Job): Promise<Ending> {
  const { target, mechanism, folder, trusted = "", login = LOGIN } = job;
  const user = percent(login.username);
  const password = percent(login.password);
  const scheme = target.mode === "implicit TLS" ? "smtps" : "smtp";
  const settings = [
    "v15-compat",
    "sendwait",
    "ttycharset=utf-8",
    `hostname=${HELO}`,
    `mta=${scheme}://${user}:${password}@localhost:${target.port}`,
    `smtp-auth=${mechanism.toLowerCase()}`,
    "tls-ca-no-defaults",
    `tls-ca-file=${trusted}`,
    "tls-verify=strict",
    ...(target.mode === "STARTTLS" ? ["smtp-use-starttls"] : []),
  ];
  const { code, stderr } = await run(program, {
    args: [
      ...["-:/", "-v", "-v"],
      ...settings.map((setting) => `-S${setting}`),
      ...["-r", SENDER, "-s", "dots", ...RECIPIENTS],
    ],
    stdin: BODY.join("\n"),
    env: { HOME: folder, LC_ALL: "C.UTF-8", DEAD: "/dev/null" },
  });
  return { status: code, shown: stderr };
}

/** RFC 3986's unreserved octets as they are, and no others. */
function percent(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16)}`,
  );
}

testClient({
  ...S_NAIL,
  send: oneByOne(sNail),
  expects: {
    sent: { status: 0, shows: [/235 2\.7\.0 /] },
    wrong: { status: NOT_SENT, shows: [/535 5\.7\.8 /] },
    outage: { status: NOT_SENT, shows: [/454 4\.7\.0 /] },
  },
  bodyOnly: true,
  arrives: new TextEncoder().encode(`\r\n\r\n${BODY.join("\r\n")}`),
});

clientTest(
  S_NAIL,
  "is not kept waiting for the end of TLS",
  async (program) => {
    await using bench = await newBench();
    const { folder, trusted, targets } = bench;
    // Were the end left to the listener's patience, each would take 2 seconds.
    const sends = async () => {
      for (const target of [...targets.slice(1), ...targets.slice(1)]) {
        const job = { target, mechanism: "PLAIN", folder, trusted } as const;
        const { status, shown } = await sNail(program, job);
        assertEquals(status, 0, shown);
      }
    };
    const sent = sends();
    try {
      await mustHappen(sent, "four clients leave at once", 6_000);
    } finally {
      await sent;
    }
  },
);
