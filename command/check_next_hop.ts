/**
 * The next hop, as `--check` tries it: connection, TLS and login, and no mail.
 *
 * @module
 */

import { parseNextHop } from "../delivery/relay/next_hop.ts";
import { hostPort } from "../lib/addresses.ts";
import { systemReason } from "../lib/error_text.ts";
import type { Finding } from "./check.ts";
import { openRelay } from "./next_hop.ts";
import type { Settings } from "./settings.ts";

/** What to do about what is wrong. */
const ADVICE: readonly (readonly [RegExp, string])[] = [
  [/^relay-unreachable/, "is --relay right, and does a server listen there?"],
  [/^relay-tls/, "does it need --relay-ca, or another scheme in --relay?"],
  [/^relay-credentials/, "are user and password, or client, right there?"],
  [/^relay-token/, "are --relay-oauth-token-url and the client right?"],
];

/**
 * How long the next hop is tried, in milliseconds. Mail would wait for minutes
 * (RFC 5321 section 4.5.3.2), and so would a client; whoever checks is there.
 */
const LIMIT_MS = 30_000;

/**
 * Tries the next hop, if there is one.
 *
 * @param settings What a start would do.
 * @param limitMs How long, in milliseconds.
 */
export async function checkNextHop(
  settings: Settings,
  limitMs: number = LIMIT_MS,
): Promise<Finding | undefined> {
  const { relay: url, relayUser, port } = settings;
  if (url === undefined || port === undefined) return undefined;
  const { hostname, port: hopPort } = parseNextHop(url);
  const host = hostPort(hostname, hopPort);
  try {
    const serverName = settings.hostname ?? "localhost";
    const { relay } = openRelay(settings, url, serverName, () => {});
    try {
      const isSilent = await isLate(relay.check, limitMs);
      if (isSilent) {
        return { level: "error", text: `--relay ${host}: ${SILENT}` };
      }
    } finally {
      relay.close();
    }
    const login = relayUser === undefined ? "no login is set" : "it lets us in";
    return { level: "ok", text: `--relay ${host}: reached, ${login}` };
  } catch (error) {
    const reason = systemReason(error);
    const [, advice] = ADVICE.find(([words]) => words.test(reason)) ?? [];
    const what = reason.startsWith("cannot")
      ? reason
      : `--relay ${host}: ${reason}`;
    return {
      level: "error",
      text: advice === undefined ? what : `${what}: ${advice}`,
    };
  }
}

const SILENT = "it says nothing: does it want TLS from the start (smtps://)?";

/** Does something that may take long; tells whether it has been given up. */
async function isLate(
  work: (signal: AbortSignal) => Promise<void>,
  limitMs: number,
): Promise<boolean> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), limitMs);
  try {
    await work(late.signal);
    return false;
  } catch (error) {
    if (late.signal.aborted) return true;
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
