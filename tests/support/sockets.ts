/**
 * Which connections the listener's process holds, as the system knows it.
 * Linux only.
 *
 * @module
 */

/** Local address, remote address, state, …, inode: a line of /proc/net/tcp. */
const LINE =
  /^ *\d+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]{2} \S+ \S+ \S+ +\d+ +\d+ (\d+) /gm;

/**
 * The clients' ports of all connections to a port that a process has not
 * closed. What it has closed, and the system still sends, has no inode.
 */
export function clientsHeld(port: number): Set<number> {
  // For /proc Deno itself wants every permission.
  const { stdout } = new Deno.Command("cat", {
    args: ["/proc/net/tcp"],
  }).outputSync();
  const held = new Set<number>();
  for (
    const [, local = "", remote = "", inode] of new TextDecoder()
      .decode(stdout).matchAll(LINE)
  ) {
    if (parseInt(local, 16) !== port || inode === "0") continue;
    // The socket that listens has nobody at its other end.
    if (remote !== "0000") held.add(parseInt(remote, 16));
  }
  return held;
}
