/**
 * Builds and runs a Dockerfile of contrib/ as far as that goes without an engine
 * and without its base image: on a copy of this machine's own root, thrown away
 * behind it, in namespaces of its own, with a root that is read-only then, as
 * the user whom the file names and without any capability.
 *
 * @module
 */

const ROOT = new URL("../../", import.meta.url);

/** One instruction of a Dockerfile. */
export interface Instruction {
  readonly verb: string;
  readonly rest: string;
}

/** Reads a Dockerfile of the repository, such as `contrib/Dockerfile`. */
export function readDockerfile(path: string): Instruction[] {
  return Deno.readTextFileSync(new URL(path, ROOT))
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const [, verb = "", rest = ""] = /^(\w+) (.*)$/.exec(line) ?? [];
      return { verb, rest };
    });
}

/** How to run what a Dockerfile makes. */
export interface ContainerOptions {
  readonly instructions: readonly Instruction[];
  /** Variables beside the Dockerfile's. */
  readonly env: Readonly<Record<string, string>>;
  /** Folders of this machine and where they are seen, read-only but for `/data`. */
  readonly volumes: Readonly<Record<string, string>>;
}

/** How to reach the registry is this machine's affair, and not the file's. */
const HANDED_ON =
  /^(?:npm_config_|https?_proxy$|no_proxy$|path$|ssl_cert_|deno_tls_ca_store$|deno_cert$|node_extra_ca_certs$)/i;

/**
 * Makes the script that does so. It says on stdout when the image is built, and
 * becomes the container's own process then.
 *
 * @param scratch A folder on the disk to work in.
 */
export function containerScript(
  { instructions, env, volumes }: ContainerOptions,
  scratch: string,
): string {
  const machine = Object.entries(Deno.env.toObject())
    .filter(([name]) => HANDED_ON.test(name));
  let variables = "HOME=/root " + machine.map(assignment).join(" ");
  let folder = "/";
  let user = "0:0";
  let entry = "";
  const build = instructions.flatMap(({ verb, rest }) => {
    switch (verb) {
      case "ENV":
        variables += ` ${rest}`;
        return [];
      case "WORKDIR":
        folder = rest;
        return [`mkdir -p "$root${rest}"`];
      case "COPY":
        return [
          `tar -C ${quoted(ROOT.pathname)} ${excluded()} -cf - . | ` +
          `tar -C "$root${folder}" -xf -`,
        ];
      case "RUN":
        return [inside(`env -i ${variables} sh -c ${quoted(rest)}`, folder)];
      case "USER":
        user = rest;
        return [];
      case "ENTRYPOINT":
        entry = (JSON.parse(rest) as string[]).map(quoted).join(" ");
        return [];
      case "FROM":
      case "VOLUME":
      case "EXPOSE":
      case "HEALTHCHECK":
      case "STOPSIGNAL":
        return [];
      default:
        throw new Error(`The tests know no ${verb}`);
    }
  });
  const given = Object.entries(env).map(assignment).join(" ");
  const [uid, gid] = user.split(":");
  const run = `setpriv --reuid ${uid} --regid ${gid} --clear-groups ` +
    "--no-new-privs --bounding-set=-all --inh-caps=-all " +
    `env -i ${variables} HOME=/ ${given} ${entry}`;
  return [
    "set -eu",
    `mount -t tmpfs tmpfs ${quoted(scratch)}`,
    `cd ${quoted(scratch)} && mkdir upper work root && root=$PWD/root`,
    `mount -t overlay overlay -o lowerdir=/,upperdir=upper,workdir=work root`,
    'mount --bind /dev "$root/dev" && mount -t proc proc "$root/proc"',
    ...build,
    ...Object.entries(volumes).map(([from, to]) =>
      `mkdir -p "$root${to}" && mount --bind ${quoted(from)} "$root${to}"` +
      (to === "/data" ? "" : ` && mount -o remount,bind,ro "$root${to}"`)
    ),
    'mount -t tmpfs tmpfs "$root/tmp"',
    'mount -o remount,ro "$root"',
    "echo built",
    `exec ${inside(run, folder)} </dev/null`,
  ].join("\n");
}

/** A command line in the container. */
function inside(command: string, folder: string): string {
  return `chroot "$root" sh -c ${
    quoted(`cd ${quoted(folder)} && exec ${command}`)
  }`;
}

function assignment([name, value]: readonly [string, string]): string {
  return `${name}=${quoted(value)}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** What `.dockerignore` leaves out. */
function excluded(): string {
  return Deno.readTextFileSync(new URL(".dockerignore", ROOT))
    .trim().split("\n").map((each) => `--exclude=./${each}`).join(" ");
}
