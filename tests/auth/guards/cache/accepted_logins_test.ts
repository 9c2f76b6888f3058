import {
  type AcceptedLogins,
  type AskedLogin,
  newAcceptedLogins,
} from "../../../../auth/guards/cache/accepted_logins.ts";
import { assertEquals } from "../../../support/assert.ts";

/** Begins to ask about a login with one mechanism or another. */
function begin(
  logins: AcceptedLogins,
  user: string,
  password: string,
  mechanism = "",
): AskedLogin {
  const credentials = `${user} ${password}`;
  return logins.begin({ user, credentials, login: credentials + mechanism });
}

Deno.test("newAcceptedLogins() remembers what was accepted", () => {
  const logins = newAcceptedLogins(10);
  begin(logins, "ann", "1").accepted(1000);
  begin(logins, "ann", "1").accepted(2000);
  begin(logins, "bob", "1").failed();
  assertEquals(logins.acceptedAt("ann 1"), 2000);
  assertEquals(logins.confirmedAt("ann 1"), 2000);
  assertEquals(logins.acceptedAt("ann 2"), undefined);
  assertEquals(logins.confirmedAt("ann 2"), undefined);
  assertEquals(logins.size(), { users: 1, logins: 1 });
});

Deno.test("newAcceptedLogins() forgets refused credentials, and confirms no others of the user", () => {
  const logins = newAcceptedLogins(10);
  begin(logins, "ann", "1", "+").accepted(1);
  begin(logins, "ann", "1", "-").accepted(2);
  begin(logins, "ann", "2").accepted(3);
  begin(logins, "bob", "1").accepted(4);
  begin(logins, "ann", "1", "?").refused();
  const names = ["ann 1+", "ann 1-", "ann 2", "bob 1"];
  assertEquals(names.map(logins.acceptedAt), [undefined, undefined, 3, 4]);
  assertEquals(names.map(logins.confirmedAt), [
    ...[undefined, undefined, undefined],
    4,
  ]);
  assertEquals(logins.size(), { users: 2, logins: 2 });
  begin(logins, "ann", "2").accepted(5);
  assertEquals(logins.confirmedAt("ann 2"), 5);
});

Deno.test("newAcceptedLogins() mistrusts a yes that was asked for before a no came", () => {
  const logins = newAcceptedLogins(10);
  const early = begin(logins, "ann", "1");
  const other = begin(logins, "ann", "2");
  const bob = begin(logins, "bob", "1");
  begin(logins, "ann", "1", "-").refused();
  const late = begin(logins, "ann", "1", "+");
  early.accepted(1);
  other.accepted(2);
  bob.accepted(3);
  late.accepted(4);
  const names = ["ann 1", "ann 2", "bob 1", "ann 1+"];
  assertEquals(names.map(logins.acceptedAt), [undefined, 2, 3, 4]);
  assertEquals(names.map(logins.confirmedAt), [undefined, undefined, 3, 4]);
});

Deno.test("newAcceptedLogins() is bounded, per user too", () => {
  const logins = newAcceptedLogins(20);
  begin(logins, "bob", "1").accepted(0);
  for (let i = 0; i < 100; i++) begin(logins, "ann", `${i}`).accepted(i);
  assertEquals(logins.size(), { users: 2, logins: 17 });
  assertEquals(logins.acceptedAt("bob 1"), 0, "ann pushes out ann's only");
  assertEquals(logins.acceptedAt("ann 83"), undefined);
  assertEquals(logins.acceptedAt("ann 84"), 84);
  for (let i = 0; i < 100; i++) begin(logins, `user${i}`, "1").accepted(i);
  assertEquals(logins.size(), { users: 20, logins: 20 });
  assertEquals(logins.acceptedAt("bob 1"), undefined);
  for (let i = 0; i < 100; i++) begin(logins, `user${i}`, "1").refused();
  assertEquals(logins.size(), { users: 0, logins: 0 });
});

Deno.test("newAcceptedLogins() keeps a user while one of the calls is open", () => {
  const logins = newAcceptedLogins(1);
  const open = begin(logins, "ann", "2");
  begin(logins, "ann", "1").accepted(1);
  begin(logins, "bob", "1").accepted(1);
  assertEquals(logins.size(), { users: 2, logins: 1 });
  begin(logins, "ann", "3").refused();
  open.accepted(2);
  assertEquals(logins.confirmedAt("ann 2"), undefined);
  assertEquals(logins.acceptedAt("ann 2"), 2);
  assertEquals(logins.size(), { users: 1, logins: 1 });
});
