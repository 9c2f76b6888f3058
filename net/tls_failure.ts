/**
 * Why a handshake has failed, in words for an operator.
 *
 * @module
 */

/** What the words of rustls mean, and those of OpenSSL: the first that fits. */
const MEANINGS: readonly (readonly [
  rustls: RegExp,
  openssl: RegExp,
  meaning: string,
])[] = [
  // Only clients before TLS 1.2 say nothing about signatures.
  [
    /Tls12NotOffered|SignatureAlgorithmsExtensionRequired|SupportedVersionsExtensionRequired|alert: ProtocolVersion/,
    /unsupported protocol|alert protocol version/,
    "the client offers no TLS 1.2",
  ],
  [
    /NoCipherSuitesInCommon|NoKxGroupsInCommon|NoSignatureSchemesInCommon|NamedGroupsExtensionRequired|EcPoint/,
    /no shared |no suitable /,
    "the client offers no cipher that is good enough",
  ],
  [
    /alert: (?:UnknownCA|BadCertificate|Certificate\w*|UnsupportedCertificate|AccessDenied)/,
    /alert (?:unknown ca|access denied|.*certificate)/,
    "the client does not trust the certificate",
  ],
  [/alert: /, / alert /, "the client has given up"],
  [
    /corrupt message|InvalidContentType|InvalidMessage/,
    /wrong version number|http request|packet length too long/,
    "the client does not speak TLS",
  ],
];

/** There is no TLS on a connection, or no longer. */
export class TlsFailure extends Error {
  /** Tells it from other errors. */
  override readonly name = "TlsFailure";

  /** @param cause What the library has said. */
  constructor(cause: Error) {
    super(meaningOf(cause.message), { cause });
  }
}

/** Words of a closed set, and behind them the library's own for one of them. */
function meaningOf(message: string): string {
  const [, , meaning = "TLS has failed"] =
    MEANINGS.find(([rustls, openssl]) =>
      rustls.test(message) || openssl.test(message)
    ) ?? [];
  return `${meaning} (${message})`;
}
