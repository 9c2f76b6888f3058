/**
 * Requests for providers.
 *
 * @module
 */

import type { AuthRequest } from "../../auth/types.ts";

/**
 * A new request: reasons are noted by object, so each asking needs its own.
 */
export function newRequest(changes: Partial<AuthRequest> = {}): AuthRequest {
  return {
    username: "ann",
    password: "correct horse",
    mechanism: "PLAIN",
    remoteIp: "192.0.2.7",
    heloName: "laptop",
    ...changes,
  };
}
