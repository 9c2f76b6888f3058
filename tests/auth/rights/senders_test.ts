import { isSenderList, newSenderRule } from "../../../auth/rights/senders.ts";
import { assert, assertEquals } from "../../support/assert.ts";

const SENDERS = [
  "ann@example.com",
  "Ann.Lee@Example.ORG",
  "@team.example",
  "jörg@bücher.example",
  "@XN--BCHER-KVA.test",
  '"a b"@example.com',
  "x@[192.0.2.7]",
];

Deno.test("newSenderRule() takes a user's own addresses and domains, and no others", () => {
  const maySend = newSenderRule(SENDERS);
  const own = [
    ...["", "ann@example.com", "ann@EXAMPLE.com", "ann@example.com."],
    ...["Ann.Lee@example.org", "Ann.Lee@EXAMPLE.ORG"],
    ...["anybody@team.example", "ANY@Team.Example", '"a@b"@team.example'],
    ...["jörg@bücher.example", "jörg@BÜCHER.example"],
    ...["jörg@xn--bcher-kva.example", "jörg@bu\u0308cher.example"],
    ...["x@bücher.test", "y@xn--bcher-kva.TEST"],
    ...['"a b"@example.com', "x@[192.0.2.7]"],
  ];
  for (const sender of own) assert(maySend(sender), sender);
  const others = [
    ...["Ann@example.com", "ANN@example.com", "ann.lee@example.org"],
    ...[
      "bob@example.com",
      "an@example.com",
      "annx@example.com",
      "@example.com",
    ],
    ...["ann@example.co", "ann@example.comx", "ann@xexample.com"],
    ...["ann@sub.example.com", "x@sub.team.example", "x@xteam.example"],
    ...["x@team.example.evil", "team.example", "x@team.example@evil.example"],
    ...[
      "jorg@bücher.example",
      "jörg@bucher.example",
      "jo\u0308rg@bücher.example",
    ],
    ...['"ann"@example.com', "x@[192.0.2.8]", "x@192.0.2.7", "x@[IPv6:::1]"],
    ...["postmaster", "x@", "@", "x@\0", "x@a/team.example", "x@team.example/"],
    ...["x@ü/@team.exampleü", "ann@example.com.."],
  ];
  for (const sender of others) assertEquals(maySend(sender), false, sender);
});

Deno.test("newSenderRule() lets everybody be anybody without a list, and nobody with an empty one", () => {
  const anybody = newSenderRule(undefined);
  const nobody = newSenderRule([]);
  for (const sender of ["ann@example.com", "x", "jörg@bücher.example"]) {
    assertEquals([anybody(sender), nobody(sender)], [true, false]);
  }
  assertEquals([anybody(""), nobody("")], [true, true]);
});

Deno.test("isSenderList() takes addresses and domains only", () => {
  assert(isSenderList([]));
  assert(isSenderList(SENDERS));
  // What nobody could ever send as: a list that has it is none.
  const unlike = [
    ...["Ann <ann@example.com>", "<ann@example.com>", "mailto:ann@example.com"],
    ...["a@example.com;b@example.com", "a@example.com,b@example.com"],
    ...[" ann@example.com", "ann@example.com ", "an n@example.com"],
    ...['"ann@example.com', 'a"b"@example.com', "ann@exa_mple..com"],
    ...["ann@example.com\r\n", "@*.example.com", "ann@[192.0.2.7"],
  ];
  for (
    const bad of [
      ...["ann", "", "@", "ann@", "ann@.", "ann@ü b", null, 1],
      ...unlike,
    ]
  ) {
    assertEquals(isSenderList([...SENDERS, bad]), false, `${bad}`);
  }
  assertEquals(isSenderList("ann@example.com"), false);
});
