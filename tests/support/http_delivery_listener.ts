/**
 * A listener that hands its mail to an endpoint: a process of its own, so that
 * its memory can be measured. Prints its port.
 *
 * Argument: the endpoint's URL.
 *
 * @module
 */

import { newHTTPDelivery } from "../../delivery/http/delivery.ts";
import { serveSmtp } from "../../smtp/listener.ts";

const [url = ""] = Deno.args;
const server = serveSmtp(
  { port: 0, provider: () => "authOk", requireAuth: false },
  newHTTPDelivery({ url }),
);
console.log(server.addrs[0]?.port);
