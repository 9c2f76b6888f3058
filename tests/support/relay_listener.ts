/**
 * A listener that hands its mail to a next hop: a process of its own, so that
 * its memory can be measured. Prints its port.
 *
 * Arguments: the next hop's URL, and how many connections it may have.
 *
 * @module
 */

import { newRelay } from "../../delivery/relay/relay.ts";
import { serveSmtp } from "../../smtp/listener.ts";

const [url = "", maxConnections = ""] = Deno.args;
const server = serveSmtp(
  { port: 0, provider: () => "authOk", requireAuth: false },
  newRelay({ url, maxConnections: Number(maxConnections) }),
);
console.log(server.addrs[0]?.port);
