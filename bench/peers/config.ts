/**
 * What the benchmark tells a server that it starts.
 *
 * @module
 */

/** A user and the password. */
export interface Login {
  readonly username: string;
  readonly password: string;
}

/** The one user of all servers. */
export const LOGIN: Login = { username: "ann", password: "correct horse" };

/** How a connection is encrypted. */
export type Encryption = "none" | "starttls" | "implicit";

/** A certificate and its key, in PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/**
 * One turn of the floor's side: when so many octets have come, do something and
 * send this. That is all that it knows of SMTP.
 */
export interface Turn {
  readonly octets: number;
  readonly reply: string;
  /** What a real server would have to do before it may answer so. */
  readonly does?: "ask" | "store" | "relay" | "encrypt";
}

/** The floor's side of a conversation. */
export interface Script {
  readonly greeting: string;
  readonly turns: readonly Turn[];
  /** Where to go on after the last turn; absent: close. */
  readonly again?: number;
}

/** What a server is told, as JSON in its only argument. */
export interface ServerConfig {
  readonly port: number;
  readonly encryption: Encryption;
  readonly certificate: Certificate;
  /** The only login that is right. */
  readonly login: Login;
  /** Where to ask about logins; absent: compare with `login`. */
  readonly authUrl?: string;
  /** Where to keep messages; absent: discard them. */
  readonly maildir?: string;
  /** The port of the next hop that messages go to; absent: none. */
  readonly hopPort?: number;
  /** How smtp-server asks `authUrl`. */
  readonly client?: "fetch" | "node:http";
  /** What the floor may hear: each begins with another number of octets. */
  readonly scripts: readonly Script[];
}

/** Reads the configuration in a server's only argument. */
export function serverConfig(): ServerConfig {
  return JSON.parse(Deno.args[0] ?? "");
}
