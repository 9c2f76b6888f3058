import { FLAG_NAMES } from "../../command/flags/table.ts";
import { helpText, usageOf } from "../../command/help.ts";
import {
  assert,
  assertEquals,
  assertStringIncludes,
} from "../support/assert.ts";

Deno.test("helpText() names every setting once, in 80 columns", () => {
  const lines = helpText().split("\n");
  for (const name of FLAG_NAMES) {
    const usage = usageOf(name);
    const own = lines.filter((line) =>
      line === `  ${usage}` || line.startsWith(`  ${usage}  `)
    );
    assertEquals(own.length, 1, usage);
  }
  assertEquals(lines.filter((line) => line.length > 80), []);
});

Deno.test("helpText() shows how a setting is given and its default", () => {
  for (
    const line of [
      "  --max-size BYTES           largest message (26214400)\n",
      "  --[no-]require-auth        refuse mail without a login (on)\n",
      "  --allow-insecure-auth      passwords may travel in plain text (off)\n",
      "  --tls-cert FILE            certificate chain in PEM; switches STARTTLS on\n",
      "  MEOWMAIL_SMTP_AUTH_TOKEN   bearer token for the endpoint\n",
      "  --version                  print the version\n",
    ]
  ) assertStringIncludes(helpText(), line);
  assert(helpText().endsWith("\n"));
});
