import { readUsers } from "../../../../auth/providers/users/file.ts";
import { newUsersAuthProvider } from "../../../../auth/providers/users/users.ts";
import { assertEquals, assertThrows } from "../../../support/assert.ts";

// Off unless asked for since Deno 2.8: no timer, connection or body may be left.
Deno.test.sanitizer({ ops: true, resources: true });

const APR1 = "$apr1$a$ij/Aka61dStEs8vTEvpfK1";
const BCRYPT = "$2b$05$KUwAiajkz4uAw.jO2xD8ue/qHr3Ff/Bdv3dAYG.QNANYCXVYenohO";
const SSHA = "{SSHA}1NhTL5D6dy27JrKEzVlQqFLqfFYPWofn";

/** The names of the users in a text. */
function namesIn(text: string): readonly string[] {
  return readUsers(text).all.map(({ name }) => name);
}

Deno.test("readUsers() takes comments, empty lines, CRLF and a byte order mark", () => {
  assertEquals(
    namesIn(
      `\ufeff# users\r\n\r\nann:${SSHA}\r\n  \r\n  # a note\r\nbob@example.com:${SSHA}`,
    ),
    ["ann", "bob@example.com"],
  );
});

Deno.test("readUsers() reads who a user may be as a sender", () => {
  const users = readUsers(
    `ann:${SSHA}:ann@example.com, @team.example\nbob:${SSHA}\n`,
  );
  assertEquals(users.find("ann")?.senders, [
    "ann@example.com",
    "@team.example",
  ]);
  assertEquals(users.find("bob")?.senders, undefined);
});

Deno.test("readUsers() compares names in NFC, and letter by letter", () => {
  const users = readUsers(
    `J\u00fcrgen:${SSHA}\nEVE:${SSHA}\nJu\u0308rg:${SSHA}`,
  );
  assertEquals(users.find("Ju\u0308rgen")?.name, "J\u00fcrgen");
  assertEquals(users.find("J\u00fcrg")?.name, "J\u00fcrg");
  for (
    const name of ["j\u00fcrgen", "eve", "Jurgen", "", "EVE ", "constructor"]
  ) {
    assertEquals(users.find(name), undefined, name);
  }
});

Deno.test("readUsers() leaves letter case aside if the first line says so", () => {
  const users = readUsers(`#fold-case\nAnn:${SSHA}\nstra\u00dfe:${SSHA}`);
  for (const name of ["ann", "ANN", "Ann"]) {
    assertEquals(users.find(name)?.name, "Ann");
  }
  assertEquals(users.find("STRASSE")?.name, "stra\u00dfe");
  assertEquals(users.find("anna"), undefined);

  const later = readUsers(`# users\n#fold-case\nAnn:${SSHA}`);
  assertEquals(later.find("ann"), undefined);
});

Deno.test("readUsers() finds the hash that most users have one like", () => {
  const text = `a:${SSHA}\nb:${BCRYPT}\nc:${APR1}\nd:${BCRYPT}\n`;
  assertEquals(readUsers(text).usual.kind, "bcrypt");
  assertEquals(readUsers(`a:${SSHA}\nb:${BCRYPT}`).usual.kind, "digest");
});

Deno.test("readUsers() tells which passwords are soon guessed", () => {
  const text = `#\na:${APR1}\nb:${BCRYPT}\nc:{PLAIN}x\nd:${SSHA}\n` +
    "e:{SHA}L55TUjtiq8FBorTWAZ0jy6g129A=\n";
  assertEquals(readUsers(text).weakLines, [2, 4, 6]);
});

Deno.test("readUsers() names a bad line by its number, and nothing that stands in it", () => {
  const shape = "a line must be name:hash or name:hash:senders";
  const name =
    "a name must be without control characters and without white space around it";
  const senders =
    "senders must be addresses and @domains with commas between them";
  for (
    const [line, words] of [
      ["secret", shape],
      [`secret:${SSHA}:secret@example.com:`, shape],
      ["secret:{PLAIN}se:cr:et", shape],
      [`:${SSHA}`, name],
      [` secret:${SSHA}`, name],
      [`secret :${SSHA}`, name],
      [`sec\tret:${SSHA}`, name],
      [`secret\u0085x:${SSHA}`, name],
      ["secret:", "the hash must be "],
      ["secret:secret", "the hash must be "],
      ["secret:$y$secret", "yescrypt ($y$) cannot be checked here: "],
      [`secret:${SSHA}:`, senders],
      [`secret:${SSHA}:secret`, senders],
      [`secret:${SSHA}:secret@example.com,`, senders],
      [`secret:${SSHA}:secret@`, senders],
      ["secret:{PLAIN}pass:word", senders],
      [`ann:${SSHA}`, "the user stands in line 2 already"],
    ] as const
  ) {
    const error = assertThrows(
      () => readUsers(`# users\nann:${SSHA}\n${line}\nbob:${SSHA}`),
      TypeError,
      `Cannot read users: line 3: ${words}`,
    );
    assertEquals(error.message.includes("secret"), false, error.message);
  }
});

Deno.test("readUsers() takes no user twice, however the name is written", () => {
  assertThrows(
    () => readUsers(`J\u00fcrg:${SSHA}\nJu\u0308rg:${SSHA}`),
    TypeError,
    "Cannot read users: line 2: the user stands in line 1 already",
  );
  assertThrows(
    () => readUsers(`#fold-case\nann:${SSHA}\nANN:${SSHA}`),
    TypeError,
    "Cannot read users: line 3: the user stands in line 2 already",
  );
});

Deno.test("readUsers() wants a user: an empty file is one that is being written", () => {
  for (const text of ["", "\n", "# nobody\n", "#fold-case"]) {
    assertThrows(
      () => readUsers(text),
      TypeError,
      "Cannot read users: there is no user: a line must be name:hash or name:hash:senders",
    );
  }
});

Deno.test("newUsersAuthProvider() refuses what is no text, as a caller without types may give it", () => {
  for (const text of [undefined, null, ["ann:{PLAIN}secret"]]) {
    const make = () => Reflect.apply(newUsersAuthProvider, undefined, [text]);
    const told = "Cannot read users: text must be a string: got";
    assertThrows(make, TypeError, told);
  }
});
