/**
 * TLS of a certain version, by `openssl s_client`: Deno's own client cannot be
 * told which one to speak.
 *
 * @module
 */

import { temporaryFolder } from "./listener.ts";
import type { ClientConn } from "../../testing/client.ts";

/** Whom to connect to, and how. */
export interface TlsClientOptions {
  readonly port: number;
  readonly version: "TLS 1.2" | "TLS 1.3";
  /** Say EHLO and STARTTLS first. */
  readonly starttls: boolean;
  /** The certificate to trust, in PEM. */
  readonly trusted: string;
}

/** Connects to localhost. Where that fails, reads say that it is the end. */
export function openTlsClient(
  { port, version, starttls, trusted }: TlsClientOptions,
): ClientConn & AsyncDisposable {
  const cleanUp = new AsyncDisposableStack();
  const file = `${temporaryFolder(cleanUp)}/trusted.pem`;
  Deno.writeTextFileSync(file, trusted);
  const child = new Deno.Command("openssl", {
    args: [
      ...["s_client", "-quiet", "-connect", `127.0.0.1:${port}`],
      ...["-CAfile", file, "-verify_return_error"],
      version === "TLS 1.2" ? "-tls1_2" : "-tls1_3",
      ...starttls ? ["-starttls", "smtp"] : [],
    ],
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const reader = child.stdout.getReader();
  const writer = child.stdin.getWriter();
  let waiting = new Uint8Array();
  return {
    async read(into) {
      if (waiting.length === 0) {
        const { value } = await reader.read();
        if (value === undefined) return null;
        waiting = value;
      }
      const piece = waiting.subarray(0, into.length);
      into.set(piece);
      waiting = waiting.subarray(piece.length);
      return piece.length;
    },
    async write(octets) {
      await writer.write(octets.slice());
      return octets.length;
    },
    closeWrite: () => writer.close(),
    close() {
      try {
        child.kill("SIGKILL");
      } catch {
        // It has ended by itself.
      }
    },
    async [Symbol.asyncDispose]() {
      this.close();
      await writer.close().catch(() => {});
      await reader.cancel();
      await child.status;
      await cleanUp.disposeAsync();
    },
  };
}
