/**
 * go-smtp from Debian's packages, where they are installed.
 *
 * @module
 */

/** Where Debian's packages keep the sources of Go libraries. */
const GOPATH = "/usr/share/gocode";

const SOURCES = new URL("./servers/go_smtp", import.meta.url).pathname;

const DEBIAN = "golang-github-emersion-go-smtp-dev";

/** What to install on Debian 12; go-smtp's package does not ask for go-sasl. */
const PACKAGES = `golang-go ${DEBIAN} golang-github-emersion-go-sasl-dev`;

/** The server that was built. */
export interface GoSmtp {
  readonly path: string;
  readonly versions: string;
}

/**
 * Builds the server into a folder, with its cache, so that nothing is left
 * behind; `undefined` where there is no Go or no go-smtp, with a word about it.
 */
export async function buildGoSmtp(folder: string): Promise<GoSmtp | undefined> {
  const path = `${folder}/go-smtp`;
  const env = {
    GO111MODULE: "off",
    GOPATH,
    GOFLAGS: "",
    GOTOOLCHAIN: "local",
    GOCACHE: `${folder}/go-cache`,
  };
  try {
    const { success, stderr } = await new Deno.Command("go", {
      args: ["build", "-o", path, "."],
      cwd: SOURCES,
      env,
    }).output();
    if (success) return { path, versions: await versions() };
    const [why = ""] = new TextDecoder().decode(stderr).split("\n");
    leftOut(why);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    leftOut("there is no go");
  }
  return undefined;
}

function leftOut(why: string): void {
  console.error(
    `go-smtp cannot be built: left out (${why}); Debian: ${PACKAGES}`,
  );
}

async function versions(): Promise<string> {
  const go = await says("go", "env", "GOVERSION");
  const library = await says("dpkg-query", "-W", "-f", "${Version}", DEBIAN);
  return `go-smtp ${library}, Go ${go.replace(/^go/, "")}`;
}

async function says(command: string, ...args: string[]): Promise<string> {
  try {
    const { stdout } = await new Deno.Command(command, { args }).output();
    return new TextDecoder().decode(stdout).trim() || "of unknown version";
  } catch {
    return "of unknown version";
  }
}
