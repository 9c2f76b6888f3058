import {
  AcceptedLogins,
  type AskedLogin,
  type RememberedYes,
} from "../../../../auth/guards/cache/accepted_logins.ts";
import { assertEquals } from "../../../support/assert.ts";

function yes(at: number): RememberedYes {
  return { at, result: { decision: "authOk" } };
}

function acceptedAt(logins: AcceptedLogins, login: string): number | undefined {
  return logins.accepted(login)?.at;
}

function confirmedAt(
  logins: AcceptedLogins,
  login: string,
): number | undefined {
  return logins.confirmed(login)?.at;
}

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

Deno.test("AcceptedLogins remembers what was accepted", () => {
  const logins = new AcceptedLogins(10);
  begin(logins, "ann", "1").accepted(yes(1000));
  begin(logins, "ann", "1").accepted(yes(2000));
  begin(logins, "bob", "1").failed();
  assertEquals(acceptedAt(logins, "ann 1"), 2000);
  assertEquals(confirmedAt(logins, "ann 1"), 2000);
  assertEquals(acceptedAt(logins, "ann 2"), undefined);
  assertEquals(confirmedAt(logins, "ann 2"), undefined);
  assertEquals(logins.size, { users: 1, logins: 1 });
});

Deno.test("AcceptedLogins forgets refused credentials, and confirms no others of the user", () => {
  const logins = new AcceptedLogins(10);
  begin(logins, "ann", "1", "+").accepted(yes(1));
  begin(logins, "ann", "1", "-").accepted(yes(2));
  begin(logins, "ann", "2").accepted(yes(3));
  begin(logins, "bob", "1").accepted(yes(4));
  begin(logins, "ann", "1", "?").refused();
  const names = ["ann 1+", "ann 1-", "ann 2", "bob 1"];
  assertEquals(names.map((name) => acceptedAt(logins, name)), [
    undefined,
    undefined,
    3,
    4,
  ]);
  assertEquals(names.map((name) => confirmedAt(logins, name)), [
    ...[undefined, undefined, undefined],
    4,
  ]);
  assertEquals(logins.size, { users: 2, logins: 2 });
  begin(logins, "ann", "2").accepted(yes(5));
  assertEquals(confirmedAt(logins, "ann 2"), 5);
});

Deno.test("AcceptedLogins mistrusts a yes that was asked for before a no came", () => {
  const logins = new AcceptedLogins(10);
  const early = begin(logins, "ann", "1");
  const other = begin(logins, "ann", "2");
  const bob = begin(logins, "bob", "1");
  begin(logins, "ann", "1", "-").refused();
  const late = begin(logins, "ann", "1", "+");
  early.accepted(yes(1));
  other.accepted(yes(2));
  bob.accepted(yes(3));
  late.accepted(yes(4));
  const names = ["ann 1", "ann 2", "bob 1", "ann 1+"];
  assertEquals(names.map((name) => acceptedAt(logins, name)), [
    undefined,
    2,
    3,
    4,
  ]);
  assertEquals(names.map((name) => confirmedAt(logins, name)), [
    undefined,
    undefined,
    3,
    4,
  ]);
});

Deno.test("AcceptedLogins is bounded, per user too", () => {
  const logins = new AcceptedLogins(20);
  begin(logins, "bob", "1").accepted(yes(0));
  for (let i = 0; i < 100; i++) begin(logins, "ann", `${i}`).accepted(yes(i));
  assertEquals(logins.size, { users: 2, logins: 17 });
  assertEquals(acceptedAt(logins, "bob 1"), 0, "ann pushes out ann's only");
  assertEquals(acceptedAt(logins, "ann 83"), undefined);
  assertEquals(acceptedAt(logins, "ann 84"), 84);
  for (let i = 0; i < 100; i++) begin(logins, `user${i}`, "1").accepted(yes(i));
  assertEquals(logins.size, { users: 20, logins: 20 });
  assertEquals(acceptedAt(logins, "bob 1"), undefined);
  for (let i = 0; i < 100; i++) begin(logins, `user${i}`, "1").refused();
  assertEquals(logins.size, { users: 0, logins: 0 });
});

Deno.test("AcceptedLogins keeps a user while one of the calls is open", () => {
  const logins = new AcceptedLogins(1);
  const open = begin(logins, "ann", "2");
  begin(logins, "ann", "1").accepted(yes(1));
  begin(logins, "bob", "1").accepted(yes(1));
  assertEquals(logins.size, { users: 2, logins: 1 });
  begin(logins, "ann", "3").refused();
  open.accepted(yes(2));
  assertEquals(confirmedAt(logins, "ann 2"), undefined);
  assertEquals(acceptedAt(logins, "ann 2"), 2);
  assertEquals(logins.size, { users: 1, logins: 1 });
});
