/**
 * What to do about what the system says of a file, a socket or a database, and
 * about what goes wrong on the way to another machine.
 *
 * @module
 */

import type { NetworkFault } from "../lib/network_fault.ts";

const NETWORK_ADVICE: Readonly<Record<NetworkFault, string>> = {
  "name not found": "is it spelt right?",
  refused: "nobody listens there",
  "host unreachable": "is there a route to it from this machine?",
  timeout: "is something in the way, or the time limit too short?",
  "certificate not trusted": "a private authority belongs in ",
  "certificate for another name": "name it as it names itself",
  "certificate not valid now": "renew it, or set the clock of this machine",
  "TLS error": "does it speak TLS there, and 1.2 or 1.3?",
  reset: "is something else there, or a firewall in the way?",
  closed: "is something else there, or a firewall in the way?",
  "not HTTP": "is something else there?",
  failed: "is the URL right?",
};

/**
 * What to do where another machine is not reached.
 *
 * @param authority The flag or variable that trusts a private authority there.
 */
export function networkAdvice(fault: NetworkFault, authority: string): string {
  const advice = NETWORK_ADVICE[fault];
  return fault === "certificate not trusted" ? advice + authority : advice;
}

const ADVICE: readonly (readonly [RegExp, string])[] = [
  [/No such file/, "is the path right?"],
  [/Is a directory/, "it must be a file"],
  [/Not a directory/, "a file stands where a folder must be"],
  [/Permission denied/, "give the user that this runs as access to it"],
  [/Read-only file system/, "is the folder meant to be elsewhere?"],
  [/No space left|quota exceeded/i, "make room"],
  [/refused/, "is it running?"],
  [/NOAUTH|WRONGPASS/, "put user and password into the URL"],
  [/READONLY/, "it is a replica: name its primary"],
  [
    /unable to open database/,
    "is its folder there, and may this user write to it?",
  ],
  [/RESP type|Socket closed/, "is it Redis there, and does it want rediss?"],
  [/DB index/, "it has fewer databases: name another one behind the host"],
  [/DENO_KV_ACCESS_TOKEN/, "the server's token belongs in it"],
  [/\bOOM\b/, "it is full: give it more memory, or a policy that evicts"],
];

/**
 * Adds to a reason what to do, if that is known.
 *
 * @param reason What is wrong, as the system says it, or as words of our own
 * that say what to do already.
 */
export function withAdvice(reason: string): string {
  const [, advice] = ADVICE.find(([words]) => words.test(reason)) ?? [];
  return advice === undefined ? reason : `${reason}: ${advice}`;
}
