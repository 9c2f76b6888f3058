/**
 * Where the state is that several processes share: `--shared-state`.
 *
 * @module
 */

import { blockedPort } from "../lib/blocked_ports.ts";
import type { Settings } from "./settings.ts";

/** Where it is: a union on `kind`. */
export type StatePlace =
  /** In this process, for this process. */
  | { readonly kind: "memory" }
  /** In Deno KV: the path of a file, or the URL of a denokv server. */
  | { readonly kind: "kv"; readonly path: string }
  | { readonly kind: "denokv"; readonly url: URL }
  /** In Redis or Valkey; there may be a password in the URL. */
  | { readonly kind: "redis"; readonly url: URL };

/** What is accepted, in words that follow "must be". */
export const STATE_PLACES =
  "memory, kv:PATH, http(s)://HOST of denokv, or redis(s)://[USER:PASSWORD@]HOST[:PORT][/DATABASE]";

/** Reads a place; `undefined` if it is none. */
export function parseStatePlace(text: string): StatePlace | undefined {
  if (text === "memory") return { kind: "memory" };
  if (text.startsWith("kv:")) {
    const path = text.slice(3);
    return path === "" || path.includes("\0")
      ? undefined
      : { kind: "kv", path };
  }
  const url = URL.parse(text);
  if (url === null || url.hostname === "" || url.search + url.hash !== "") {
    return undefined;
  }
  switch (url.protocol) {
    case "http:":
    case "https:":
      // Its token is in DENO_KV_ACCESS_TOKEN, as Deno has it.
      return url.username + url.password === "" && !blockedPort(url)
        ? { kind: "denokv", url }
        : undefined;
    case "redis:":
    case "rediss:":
      return isWellEncoded(url) && /^(?:\/[0-9]{0,5})?$/.test(url.pathname)
        ? { kind: "redis", url }
        : undefined;
    default:
      return undefined;
  }
}

function isWellEncoded({ username, password }: URL): boolean {
  try {
    decodeURIComponent(username);
    decodeURIComponent(password);
    return true;
  } catch {
    return false;
  }
}

/** What a log may call a place: without a password. */
export function placeName(place: StatePlace): string {
  switch (place.kind) {
    case "memory":
      return "memory";
    case "kv":
      return `kv:${place.path}`;
    case "denokv":
      return place.url.origin;
    case "redis":
      return `${place.url.protocol}//${place.url.host}`;
    default:
      return place satisfies never;
  }
}

/** The place that the settings name. */
export function statePlaceOf({ sharedState }: Settings): StatePlace {
  return parseStatePlace(sharedState) ?? { kind: "memory" };
}
