import { faultOf, type NetworkFault } from "../../lib/network_fault.ts";
import { assertEquals } from "../support/assert.ts";

/** What engines have been seen to throw: a message, and a cause's text and code. */
const SEEN: readonly (readonly [NetworkFault, string, string?, string?])[] = [
  // Deno 2.9
  [
    "name not found",
    "fetch failed",
    "error sending request for url (http://tls.invalid/): client error (Connect): dns error: failed to lookup address information: Name or service not known",
  ],
  // Deno.connect()
  [
    "name not found",
    "failed to lookup address information: Name or service not known",
  ],
  ["refused", "Connection refused (os error 111)"],
  [
    "refused",
    "fetch failed",
    "error sending request for url (http://closed.example:8025/): client error (Connect): tcp connect error: Connection refused (os error 111)",
  ],
  [
    "host unreachable",
    "fetch failed",
    "error sending request for url (http://192.0.2.1/): client error (Connect): tcp connect error: No route to host (os error 113)",
  ],
  [
    "host unreachable",
    "fetch failed",
    "client error (Connect): tcp connect error: Network is unreachable (os error 101)",
  ],
  [
    "timeout",
    "fetch failed",
    "client error (Connect): tcp connect error: Connection timed out (os error 110)",
  ],
  [
    "closed",
    "fetch failed",
    "error sending request from 127.0.0.1:44146 for http://reset.example/ (127.0.0.1:45817): client error (SendRequest): connection closed before message completed",
  ],
  ["reset", "fetch failed", "Connection reset by peer (os error 104)"],
  ["reset", "fetch failed", "Broken pipe (os error 32)"],
  ["closed", "error reading a body from connection"],
  [
    "not HTTP",
    "fetch failed",
    "error sending request from 127.0.0.1:46054 for http://a.example/ (127.0.0.1:43133): client error (SendRequest): invalid HTTP version parsed",
  ],
  [
    "certificate not trusted",
    "fetch failed",
    "error sending request for url (https://refused.example/): client error (Connect): invalid peer certificate: UnknownIssuer",
  ],
  [
    "certificate for another name",
    "fetch failed",
    'client error (Connect): invalid peer certificate: certificate not valid for name "127.0.0.1"; certificate is only valid for DnsName("other.example")',
  ],
  [
    "certificate not valid now",
    "fetch failed",
    "client error (Connect): invalid peer certificate: certificate expired: verification time 1790000000 (UNIX), but certificate is not valid after 1580515200",
  ],
  [
    "TLS error",
    "fetch failed",
    "client error (Connect): received corrupt message of type InvalidContentType",
  ],
  ["TLS error", "fetch failed", "client error (Connect): tls handshake eof"],
  [
    "TLS error",
    "fetch failed",
    "client error (Connect): received fatal alert: HandshakeFailure",
  ],
  // Node 20 (undici)
  [
    "name not found",
    "fetch failed",
    "getaddrinfo ENOTFOUND a.invalid",
    "ENOTFOUND",
  ],
  ["name not found", "fetch failed", "getaddrinfo EAI_AGAIN a", "EAI_AGAIN"],
  [
    "refused",
    "fetch failed",
    "connect ECONNREFUSED 127.0.0.1:1",
    "ECONNREFUSED",
  ],
  ["reset", "fetch failed", "read ECONNRESET", "ECONNRESET"],
  ["closed", "fetch failed", "other side closed", "UND_ERR_SOCKET"],
  [
    "timeout",
    "fetch failed",
    "Connect Timeout Error",
    "UND_ERR_CONNECT_TIMEOUT",
  ],
  [
    "certificate not trusted",
    "fetch failed",
    "unable to verify the first certificate",
    "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  ],
  [
    "certificate not trusted",
    "fetch failed",
    "self-signed certificate",
    "DEPTH_ZERO_SELF_SIGNED_CERT",
  ],
  [
    "certificate not valid now",
    "fetch failed",
    "certificate has expired",
    "CERT_HAS_EXPIRED",
  ],
  [
    "certificate for another name",
    "fetch failed",
    "Hostname/IP does not match certificate's altnames",
    "ERR_TLS_CERT_ALTNAME_INVALID",
  ],
  [
    "not HTTP",
    "fetch failed",
    "Response does not match",
    "HPE_INVALID_CONSTANT",
  ],
  // Something else
  ["failed", "fetch failed"],
  ["failed", "", "https://refused.example/tls/reset?closed=dns+error"],
];

Deno.test("faultOf() knows what engines throw, and takes nothing from the URL", () => {
  for (const [fault, message, text, code] of SEEN) {
    const cause = text === undefined
      ? undefined
      : Object.assign(new Error(text), code === undefined ? {} : { code });
    const error = new TypeError(message, { cause });
    assertEquals(faultOf(error), fault, `${message}: ${text}`);
    // As Bun throws, without a cause between.
    if (cause !== undefined) assertEquals(faultOf(cause), fault, text);
  }
});

Deno.test("faultOf() takes whatever is thrown", () => {
  for (
    const error of [undefined, null, "refused", 1, {}, { message: "reset" }]
  ) {
    assertEquals(faultOf(error), "failed");
  }
  const loop = new Error("loop");
  loop.cause = loop;
  assertEquals(faultOf(loop), "failed");
  const both = new AggregateError([
    new Error("connect ECONNREFUSED ::1:1"),
    new Error("connect ECONNREFUSED 127.0.0.1:1"),
  ]);
  assertEquals(
    faultOf(new TypeError("fetch failed", { cause: both })),
    "refused",
  );
});
