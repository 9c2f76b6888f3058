import { readArguments } from "../../command/arguments.ts";
import { UsageError } from "../../command/values.ts";
import { assertEquals, assertThrows } from "../support/assert.ts";
import { complaint } from "../support/invocation.ts";

function refusal(...args: string[]): string {
  return assertThrows(() => readArguments(args), UsageError).message;
}

Deno.test("a request takes no value: --check=no would check, and a password behind --hash-password would stay in ps", () => {
  for (const flag of ["--help", "--version", "--check", "--hash-password"]) {
    for (const value of ["no", "s3cret", "", "true"]) {
      assertEquals(refusal(`${flag}=${value}`), `${flag} takes no value`);
    }
    assertEquals(refusal(flag, "s3cret"), `${flag} takes no value`);
  }
  assertEquals(readArguments(["--check", "--port", "0"]).request, "check");
});

Deno.test("the word behind a switch is no value: what is accepted is said, and the word is not", () => {
  for (const flag of ["--throttle", "--require-auth"]) {
    const says = `${flag} takes on or off behind a =: ${flag}=off`;
    assertEquals(refusal(flag, "off"), says);
    assertEquals(refusal("--port", "0", flag, "s3cret"), says);
  }
});

Deno.test("a value that begins with a dash stands behind a =", () => {
  for (const flag of ["--port", "--max-size", "--auth-cache", "--maildir"]) {
    assertEquals(
      refusal(flag, "-1"),
      `${flag} needs a value; one that begins with - stands behind a =: ${flag}=…`,
    );
  }
  assertEquals(
    complaint(["--max-size=-1"]),
    '--max-size must be a whole number of at least 1, not "-1"',
  );
});

Deno.test("a Dovecot at port 0 is nobody to ask", () => {
  assertEquals(
    complaint(["--auth-dovecot", "127.0.0.1:0"]),
    "--auth-dovecot must be a path with a slash in it, or host:port from port 1",
  );
});
