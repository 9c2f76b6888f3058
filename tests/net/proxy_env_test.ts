import {
  isOwnMachine,
  noProxyForOwnMachine,
  proxyVariableFor,
} from "../../net/proxy_env.ts";
import { assertEquals } from "../support/assert.ts";

/** The variables of an environment. */
function environment(variables: Readonly<Record<string, string>>) {
  return (name: string): string | undefined => variables[name];
}

Deno.test("isOwnMachine() knows loopback addresses and their names", () => {
  const own = ["127.0.0.1", "127.9.9.9", "[::1]", "localhost", "LOCALHOST."];
  const others = [
    ...["192.0.2.1", "[2001:db8::1]", "a.example", "localhost.example"],
    ...["xlocalhost", "127.0.0.1.example", "[::ffff:192.0.2.1]"],
  ];
  for (const host of [...own, "api.localhost", "2130706433"]) {
    assertEquals(isOwnMachine(new URL(`http://${host}:8025/`)), true, host);
  }
  for (const host of others) {
    assertEquals(isOwnMachine(new URL(`http://${host}:8025/`)), false, host);
  }
});

Deno.test("proxyVariableFor() finds the proxy of a protocol, and what is spared", () => {
  const http = { HTTP_PROXY: "http://proxy.example:3128" };
  const https = { HTTPS_PROXY: "http://proxy.example:3128" };
  const rows = [
    ["http://a.example/", {}, undefined],
    ["http://a.example/", { HTTP_PROXY: "" }, undefined],
    ["http://a.example/", http, "HTTP_PROXY"],
    ["https://a.example/", http, undefined],
    ["https://a.example/", https, "HTTPS_PROXY"],
    ["http://a.example/", https, undefined],
    ["http://a.example/", { http_proxy: "x" }, "http_proxy"],
    ["https://a.example/", { https_proxy: "x" }, "https_proxy"],
    ["http://a.example/", { ALL_PROXY: "x", ...http }, "ALL_PROXY"],
    ["https://a.example/", { all_proxy: "x" }, "all_proxy"],
    ["http://a.example/", { ...http, NO_PROXY: "a.example" }, undefined],
    ["http://b.a.example/", { ...http, NO_PROXY: "a.example" }, undefined],
    ["http://b.a.example/", { ...http, NO_PROXY: ".a.example" }, undefined],
    ["http://a.example/", { ...http, NO_PROXY: ".a.example" }, undefined],
    ["http://xa.example/", { ...http, NO_PROXY: "a.example" }, "HTTP_PROXY"],
    ["http://a.example/", { ...http, NO_PROXY: "*" }, undefined],
    [
      "http://a.example/",
      { ...http, NO_PROXY: " , b.example ,a.example" },
      undefined,
    ],
    ["http://a.example/", { ...http, no_proxy: "a.example" }, undefined],
    [
      "http://a.example/",
      { ...http, NO_PROXY: "", no_proxy: "*" },
      "HTTP_PROXY",
    ],
    ["http://192.0.2.7/", { ...http, NO_PROXY: "192.0.2.0/24" }, undefined],
    ["http://192.0.3.7/", { ...http, NO_PROXY: "192.0.2.0/24" }, "HTTP_PROXY"],
    ["http://192.0.2.7/", { ...http, NO_PROXY: "192.0.2.7" }, undefined],
    [
      "http://[2001:db8::1]/",
      { ...http, NO_PROXY: "2001:db8::/32" },
      undefined,
    ],
  ] as const;
  for (const [url, variables, expected] of rows) {
    assertEquals(
      proxyVariableFor(new URL(url), environment(variables)),
      expected,
      `${url} ${JSON.stringify(variables)}`,
    );
  }
});

Deno.test("noProxyForOwnMachine() spares the machine itself beside what was spared", () => {
  const proxy = { HTTP_PROXY: "x", ALL_PROXY: "x" };
  for (
    const given of [{}, { NO_PROXY: "a.example" }, { no_proxy: "a.example" }]
  ) {
    const NO_PROXY = noProxyForOwnMachine(environment(given));
    const variable = environment({ ...proxy, ...given, NO_PROXY });
    for (
      const host of [
        "127.0.0.1",
        "127.1.2.3",
        "[::1]",
        "localhost",
        "a.localhost",
      ]
    ) {
      assertEquals(
        proxyVariableFor(new URL(`http://${host}/`), variable),
        undefined,
        host,
      );
    }
    assertEquals(
      proxyVariableFor(new URL("http://a.example/"), variable),
      Object.keys(given).length === 0 ? "ALL_PROXY" : undefined,
    );
  }
});
