/**
 * One certificate for all tests of a process: making one takes a while.
 *
 * @module
 */

import { newTestCertificate, type TestCertificate } from "./tls_certificate.ts";

export type { TestCertificate };

let made: Promise<TestCertificate> | undefined;

/** A certificate for localhost and 127.0.0.1 that clients can trust as it is. */
export function testCertificate(): Promise<TestCertificate> {
  return made ??= newTestCertificate();
}
