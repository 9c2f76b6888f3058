import { asciiDomain } from "../../lib/domain.ts";
import { assertEquals } from "../support/assert.ts";

Deno.test("asciiDomain() has one form for all spellings of a domain", () => {
  const rows = [
    ["example.com", "example.com"],
    ["EXAMPLE.Com", "example.com"],
    ["example.com.", "example.com"],
    ["bücher.example", "xn--bcher-kva.example"],
    ["BÜCHER.example.", "xn--bcher-kva.example"],
    ["bu\u0308cher.example", "xn--bcher-kva.example"],
    ["XN--BCHER-KVA.example", "xn--bcher-kva.example"],
    ["例え.jp", "xn--r8jz45g.jp"],
    ["例え。jp", "xn--r8jz45g.jp"],
    ["faß.example", "xn--fa-hia.example"],
    ["my_host.ü.example", "my_host.xn--tda.example"],
    ["[IPv6:2001:DB8::1]", "[ipv6:2001:db8::1]"],
    ["1.2", "1.2"],
    ["", ""],
  ] as const;
  for (const [domain, form] of rows) {
    assertEquals(asciiDomain(domain), form, domain);
  }
});

Deno.test("asciiDomain() knows what cannot be a domain", () => {
  const rows = ["ü b", "ü/x", "a@ü", "ü:25", "ü?", "ü#", "[ü]", "ü%41", "ü\0"];
  for (const domain of [...rows, "ü..a", "xn--\u00fc"]) {
    const form = asciiDomain(domain);
    if (domain === "ü..a") assertEquals(form, "xn--tda..a");
    else assertEquals(form, undefined, domain);
  }
});
