/**
 * Which connections the listener's process holds, as the system knows it.
 * Linux only.
 *
 * @module
 */

/** Local address, remote address, state, …, inode: a line of /proc/net/tcp. */
const LINE =
  /^ *\d+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]{2} \S+ \S+ \S+ +\d+ +\d+ (\d+) /gm;

/** A connection that a process of this machine holds. */
interface Socket {
  readonly localPort: number;
  /** 0 for a socket that listens. */
  readonly remotePort: number;
}

/** What a process has closed, and the system still sends, has no inode. */
function socketsHeld(): Socket[] {
  // For /proc Deno itself wants every permission.
  const { stdout } = new Deno.Command("cat", {
    args: ["/proc/net/tcp"],
  }).outputSync();
  return [...new TextDecoder().decode(stdout).matchAll(LINE)]
    .filter(([, , , inode]) => inode !== "0")
    .map(([, local = "", remote = ""]) => ({
      localPort: parseInt(local, 16),
      remotePort: parseInt(remote, 16),
    }));
}

/** The clients' ports of all connections that whoever listens at a port holds. */
export function clientsHeld(port: number): Set<number> {
  return new Set(
    socketsHeld()
      .filter(({ localPort, remotePort }) =>
        localPort === port && remotePort !== 0
      )
      .map(({ remotePort }) => remotePort),
  );
}

/** How many connections to a port are held at their clients' end. */
export function connectionsTo(port: number): number {
  return socketsHeld().filter(({ remotePort }) => remotePort === port).length;
}
