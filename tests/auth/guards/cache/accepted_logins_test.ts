import { newAcceptedLogins } from "../../../../auth/guards/cache/accepted_logins.ts";
import { assertEquals } from "../../../support/assert.ts";

Deno.test("newAcceptedLogins() remembers what was accepted", () => {
  const logins = newAcceptedLogins(10);
  logins.begin("ann").accepted("ann 1", 1000);
  logins.begin("ann").accepted("ann 1", 2000);
  logins.begin("bob").failed();
  assertEquals(logins.acceptedAt("ann 1"), 2000);
  assertEquals(logins.acceptedAt("ann 2"), undefined);
  assertEquals(logins.size(), { users: 1, logins: 1 });
});

Deno.test("newAcceptedLogins() forgets all logins of a refused user, and no others", () => {
  const logins = newAcceptedLogins(10);
  logins.begin("ann").accepted("ann 1", 1);
  logins.begin("ann").accepted("ann 2", 1);
  logins.begin("bob").accepted("bob 1", 1);
  logins.begin("ann").refused();
  assertEquals(
    ["ann 1", "ann 2", "bob 1"].map(logins.acceptedAt),
    [undefined, undefined, 1],
  );
  assertEquals(logins.size(), { users: 1, logins: 1 });
  logins.begin("ann").accepted("ann 2", 2);
  assertEquals(logins.acceptedAt("ann 2"), 2);
});

Deno.test("newAcceptedLogins() mistrusts a yes that was asked for before a no came", () => {
  const logins = newAcceptedLogins(10);
  const early = logins.begin("ann");
  const other = logins.begin("bob");
  logins.begin("ann").refused();
  const late = logins.begin("ann");
  early.accepted("ann 1", 1);
  late.accepted("ann 2", 2);
  other.accepted("bob 1", 3);
  assertEquals(
    ["ann 1", "ann 2", "bob 1"].map(logins.acceptedAt),
    [undefined, 2, 3],
  );
});

Deno.test("newAcceptedLogins() is bounded, per user too", () => {
  const logins = newAcceptedLogins(20);
  logins.begin("bob").accepted("bob", 0);
  for (let i = 0; i < 100; i++) logins.begin("ann").accepted(`ann ${i}`, i);
  assertEquals(logins.size(), { users: 2, logins: 17 });
  assertEquals(logins.acceptedAt("bob"), 0, "ann pushes out ann's only");
  assertEquals(logins.acceptedAt("ann 83"), undefined);
  assertEquals(logins.acceptedAt("ann 84"), 84);
  for (let i = 0; i < 100; i++) logins.begin(`user ${i}`).accepted(`u ${i}`, i);
  assertEquals(logins.size(), { users: 20, logins: 20 });
  assertEquals(logins.acceptedAt("bob"), undefined);
  for (let i = 0; i < 100; i++) logins.begin(`user ${i}`).refused();
  assertEquals(logins.size(), { users: 0, logins: 0 });
});

Deno.test("newAcceptedLogins() keeps a user while one of the calls is open", () => {
  const logins = newAcceptedLogins(1);
  const open = logins.begin("ann");
  logins.begin("ann").accepted("ann 1", 1);
  logins.begin("bob").accepted("bob 1", 1);
  assertEquals(logins.size(), { users: 2, logins: 1 });
  logins.begin("ann").refused();
  open.accepted("ann 2", 2);
  assertEquals(logins.acceptedAt("ann 2"), undefined);
  assertEquals(logins.size(), { users: 1, logins: 1 });
});
