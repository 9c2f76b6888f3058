// s-nail, the mailx of many systems. Over TLS it says goodbye and then waits
// for the listener to close its half as well.

import { assertEquals, assertMatch } from "../support/assert.ts";
import { mustHappen } from "../../testing/deadline.ts";
import {
  checkBrokenEndpoint,
  checkEverywhere,
  checkLogins,
  checkWrongPassword,
} from "./checks.ts";
import {
  clientNamed,
  clientTest,
  HELO,
  LOGIN,
  type Login,
  LOGINS,
  type Mechanism,
  newBench,
  RECIPIENTS,
  run,
  type RunResult,
  SENDER,
  type Target,
} from "./support.ts";

const S_NAIL = clientNamed("s-nail", "s-nail");

/** Its exit status when a message could not be sent. */
const NOT_SENT = 4;

const BODY = [".", "..", ".dot", "", "x".repeat(900), "the end", ""];

interface Job {
  readonly target: Target;
  readonly mechanism: Mechanism;
  readonly folder: string;
  readonly trusted?: string;
  readonly login?: Login;
}

function sNail(program: string, job: Job): Promise<RunResult> {
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
  return run(program, {
    args: [
      ...["-:/", "-v", "-v"],
      ...settings.map((setting) => `-S${setting}`),
      ...["-r", SENDER, "-s", "dots", ...RECIPIENTS],
    ],
    stdin: BODY.join("\n"),
    env: { HOME: folder, LC_ALL: "C.UTF-8", DEAD: "/dev/null" },
  });
}

/** RFC 3986's unreserved octets as they are, and no others. */
function percent(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16)}`,
  );
}

clientTest(
  S_NAIL,
  "delivers by PLAIN and LOGIN in plain text, over STARTTLS and over TLS",
  (program) =>
    checkEverywhere(
      async (target, mechanism, { folder, trusted }) => {
        const job = { target, mechanism, folder, trusted };
        const { code, stderr } = await sNail(program, job);
        assertEquals(code, 0, stderr);
        assertMatch(stderr, /235 2\.7\.0 /);
      },
      new TextEncoder().encode(`\r\n\r\n${BODY.join("\r\n")}`),
      { bodyOnly: true },
    ),
);

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
        const { code, stderr } = await sNail(program, job);
        assertEquals(code, 0, stderr);
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

clientTest(
  S_NAIL,
  "reports 535 for a wrong password",
  (program) =>
    checkWrongPassword(
      async (target, mechanism, { folder, trusted }, login) => {
        const job = { target, mechanism, folder, trusted, login };
        const { code, stderr } = await sNail(program, job);
        assertEquals(code, NOT_SENT, stderr);
        assertMatch(stderr, /535 5\.7\.8 /);
      },
    ),
);

clientTest(
  S_NAIL,
  "brings every login to the endpoint as it is",
  (program) =>
    checkLogins(LOGINS, async (target, cases, folder) => {
      for (const { login, mechanism } of cases) {
        const job = { target, mechanism, login, folder };
        const { code, stderr } = await sNail(program, job);
        assertEquals(code, 0, stderr);
      }
    }),
);

clientTest(
  S_NAIL,
  "reports 454 while the endpoint answers 500",
  (program) =>
    checkBrokenEndpoint(async (target, mechanism, folder) => {
      const { code, stderr } = await sNail(program, {
        target,
        mechanism,
        folder,
      });
      assertEquals(code, NOT_SENT, stderr);
      assertMatch(stderr, /454 4\.7\.0 /);
    }),
);
