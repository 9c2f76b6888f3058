import { parseNextHop } from "../../../delivery/relay/next_hop.ts";
import { assert, assertEquals, assertThrows } from "../../support/assert.ts";

Deno.test("parseNextHop() knows three schemes and their ports", () => {
  for (
    const [url, security, hostname, port] of [
      ["smtps://mail.example.com", "tls", "mail.example.com", 465],
      ["smtps://mail.example.com:10465/", "tls", "mail.example.com", 10465],
      ["starttls://mail.example.com", "starttls", "mail.example.com", 587],
      ["smtp://mail.example.com", "offered", "mail.example.com", 25],
      ["SMTP://127.0.0.1:2526", "offered", "127.0.0.1", 2526],
      ["smtp://[2001:db8::1]:26", "offered", "2001:db8::1", 26],
    ] as const
  ) {
    assertEquals(parseNextHop(url), { security, hostname, port });
    assertEquals(parseNextHop(new URL(url)), { security, hostname, port });
  }
});

Deno.test("parseNextHop() refuses everything else, and repeats no password", () => {
  for (
    const url of [
      "",
      "mail.example.com",
      "mail.example.com:25",
      "http://mail.example.com",
      "smtp:mail.example.com",
      "smtp://",
      "smtp:///mail",
      "smtp://mail.example.com:0",
      "smtp://mail.example.com:99999",
      "smtp://mail.example.com/path",
      "smtp://mail.example.com?x",
      "smtp://mail.example.com#x",
      "smtp://b\u00fccher.example",
      "smtp://ann:canary@mail.example.com",
      "smtp://canary@mail.example.com",
    ]
  ) {
    const { message } = assertThrows(() => parseNextHop(url), TypeError);
    assert(message.startsWith("Cannot create relay: url must "), message);
    assert(!message.includes("canary"), message);
  }
});
