/**
 * Why a `fetch` or a connection came to nothing, in words of a closed set. What
 * engines throw is for people, repeats the URL, and differs from one to the
 * next.
 *
 * @module
 */

/** Why there was no answer, or no connection. */
export type NetworkFault =
  | "name not found"
  | "refused"
  | "host unreachable"
  | "certificate not trusted"
  | "certificate for another name"
  | "certificate not valid now"
  | "TLS error"
  | "reset"
  | "closed"
  | "not HTTP"
  | "timeout"
  | "failed";

/**
 * What the engines' words mean: those of Deno (hyper, rustls), and the codes of
 * Node (undici) and Bun. The first that fits is it.
 */
const FAULTS: readonly (readonly [RegExp, NetworkFault])[] = [
  [
    /dns error|failed to lookup|\bENOTFOUND\b|\bEAI_|DNSException/,
    "name not found",
  ],
  [/not valid for name|ALTNAME_INVALID/, "certificate for another name"],
  [
    /[Ee]xpired|[Nn]ot ?(?:[Yy]et ?)?[Vv]alid ?(?:[Yy]et|until|before)|\bCERT_(?:HAS_EXPIRED|NOT_YET)/,
    "certificate not valid now",
  ],
  [
    /certificate|UnknownIssuer|SELF_SIGNED|UNABLE_TO_|\bCERT_/,
    "certificate not trusted",
  ],
  [/[Cc]onnection ?[Rr]efused|\bECONNREFUSED\b/, "refused"],
  [/unreachable|No route|\bE(?:HOST|NET)UNREACH\b/, "host unreachable"],
  [/timed out|Connection timeout|\bETIMEDOUT\b|_TIMEOUT\b/, "timeout"],
  [/[Cc]onnection ?[Rr]eset|[Bb]roken pipe|\bE(?:CONNRESET|PIPE)\b/, "reset"],
  [/handshake|corrupt message|alert|\bSSL|\bTLS|ERR_TLS/i, "TLS error"],
  [
    /closed|other side|\bUND_ERR_SOCKET\b|unexpected end|reading a body/,
    "closed",
  ],
  [/parsed|Invalid HTTP|\bHPE_|Malformed/, "not HTTP"],
];

/** How many causes of causes are looked at. */
const MAX_DEPTH = 8;

/** Why a `fetch` or a connection came to nothing. */
export function faultOf(error: unknown): NetworkFault {
  const text = textsOf(error).join(" ");
  return FAULTS.find(([pattern]) => pattern.test(text))?.[1] ?? "failed";
}

/** What an error and its causes say, codes included. */
function textsOf(error: unknown): string[] {
  const texts: string[] = [];
  let cause = error;
  for (let depth = 0; depth < MAX_DEPTH && cause instanceof Error; depth++) {
    // The URL in it must not pass for the cause.
    texts.push(cause.message.replaceAll(/\bhttps?:\/\/[^\s)]*/g, ""));
    if ("code" in cause) texts.push(String(cause.code));
    if (cause instanceof AggregateError) {
      texts.push(...cause.errors.map(String));
    }
    cause = cause.cause;
  }
  return texts;
}
