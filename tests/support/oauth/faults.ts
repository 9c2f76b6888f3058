/**
 * What can be wrong with an issuer.
 *
 * @module
 */

import type { IssuerFault } from "./issuer.ts";

/** Nobody listens there. */
export const refusesConnections: IssuerFault = () => {
  throw new TypeError(
    "error sending request: Connection refused (os error 111)",
  );
};

/** Nothing ever comes. */
export const isSilent: IssuerFault = () => new Promise(() => {});

/** Its proxy says so. */
export const fails: IssuerFault = () =>
  new Response("Internal Server Error", { status: 500 });

/** A page for people, with a status that looks well. */
export const answersHTML: IssuerFault = () =>
  new Response("<!doctype html><title>Sign in</title>", {
    headers: { "content-type": "text/html" },
  });

/** The way to another place, which must not be taken. */
export const redirects: IssuerFault = () =>
  new Response(null, {
    status: 302,
    headers: { location: "https://elsewhere.test/" },
  });

/** Ten megabytes. */
export const floods: IssuerFault = () => {
  const chunk = new Uint8Array(65_536).fill(0x20);
  let left = 160;
  return new Response(
    new ReadableStream({
      pull: (controller) =>
        left-- > 0 ? controller.enqueue(chunk) : controller.close(),
    }),
  );
};

/** Half an answer. */
export const breaksOff: IssuerFault = () =>
  new Response(
    new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode('{"keys":['));
        controller.error(new TypeError("connection reset by peer"));
      },
    }),
  );

/** JSON, and nothing that belongs there. */
export const answersNonsense: IssuerFault = () => Response.json(["keys"]);
