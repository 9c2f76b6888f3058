/**
 * TLS by what Deno's own `TLSSocket` is made of. A `TLSSocket` on a stream is
 * two sockets and a dozen listeners more, which cost as much as the handshake.
 *
 * Nothing of this is documented. Whoever uses it tries it first.
 *
 * @module
 */

import { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";
import {
  type Certificate,
  LONGEST_RECORD_OCTETS,
  type NewTlsEngine,
  Remains,
  SLICE_OCTETS,
  type TlsEngine,
} from "./tls_engine.ts";

const CLIENT = 0;
const SERVER = 1;

/** What Deno has to tell work apart by in profiles. */
const NO_ASYNC_ID = 0;

/** Stands for a write: it could be told of its end, and has no need to. */
const REQUEST = {};

const NOTHING = new Uint8Array(0);

/**
 * Where all engines decrypt what somebody has little room for, one after the
 * other: whatever is decrypted is taken from here at once. A slice may end a
 * record that had begun before, so all that comes of one has room here.
 */
const decrypted = new Uint8Array(SLICE_OCTETS + LONGEST_RECORD_OCTETS);

/** Deno's TLS, as far as it is used here. */
interface TlsWrap {
  onread: (this: TlsCallbacks) => void;
  initServerTls(options: object): number;
  initClientTls(serverName: string, options: object): number;
  attachJsStream(): number;
  setHandle(callbacks: TlsCallbacks): void;
  useUserBuffer(into: Uint8Array): void;
  getBytesRead(): number;
  start(): number;
  readStart(): number;
  readBuffer(encrypted: Uint8Array): void;
  writeBuffer(request: object, octets: Uint8Array): number;
  shutdown(request: object): number;
  drainEncOut(): Uint8Array;
  destroySsl(): void;
}

/** What it calls back. */
interface TlsCallbacks {
  /** Something was decrypted; or, if it is nothing, nothing more comes. */
  onDecrypted(): void;
  onhandshakedone(): void;
  onerror(error: Error): void;
}

type TlsWrapClass = new (kind: number, asyncId: number) => TlsWrap;

const METHODS = [
  "initServerTls",
  "initClientTls",
  "attachJsStream",
  "setHandle",
  "useUserBuffer",
  "getBytesRead",
  "start",
  "readStart",
  "readBuffer",
  "writeBuffer",
  "shutdown",
  "drainEncOut",
  "destroySsl",
] as const;

/**
 * Makes engines that have a certificate; `undefined` if this Deno has nothing
 * to make them of, or that does not do what it did.
 */
export function denoTlsEngine(
  { cert, key }: Certificate,
): NewTlsEngine | undefined {
  const TlsWrap = findTlsWrap();
  if (TlsWrap === undefined) return undefined;
  const options = { cert, key };
  const newServer = () =>
    new DenoTlsEngine(TlsWrap, SERVER, (wrap) => wrap.initServerTls(options));
  const newClient = () =>
    new DenoTlsEngine(
      TlsWrap,
      CLIENT,
      (wrap) => wrap.initClientTls("localhost", { rejectUnauthorized: false }),
    );
  return canTalk(newServer, newClient) ? newServer : undefined;
}

function findTlsWrap(): TlsWrapClass | undefined {
  try {
    return tlsWrapOf(new Duplex({ read() {} }));
  } catch {
    return undefined;
  }
}

function tlsWrapOf(stream: Duplex): TlsWrapClass | undefined {
  const socket = new TLSSocket(stream);
  socket.on("error", () => {});
  const handle: unknown = Reflect.get(socket, "_handle");
  socket.destroy();
  if (typeof handle !== "object" || handle === null) return undefined;
  const { constructor } = handle;
  return isTlsWrapClass(constructor) ? constructor : undefined;
}

function isTlsWrapClass(value: unknown): value is TlsWrapClass {
  if (typeof value !== "function") return false;
  const prototype: object = value.prototype;
  return METHODS.every((name) =>
    typeof Reflect.get(prototype, name) === "function"
  );
}

class DenoTlsEngine implements TlsEngine, TlsCallbacks {
  secure = false;
  ended = false;
  error: Error | undefined;
  readonly #wrap: TlsWrap;
  readonly #remains = new Remains();
  /** Where it decrypts. */
  #place: Uint8Array = decrypted;
  /** How many octets were decrypted, and how many of them were taken. */
  #decrypted = 0;
  #taken = 0;
  /** Whether there may be something to send. */
  #mayHaveOutput = true;

  constructor(
    TlsWrap: TlsWrapClass,
    kind: number,
    init: (wrap: TlsWrap) => number,
  ) {
    const wrap = this.#wrap = new TlsWrap(kind, NO_ASYNC_ID);
    if (init(wrap) !== 0) throw new Error("the certificate is of no use");
    wrap.attachJsStream();
    wrap.setHandle(this);
    wrap.useUserBuffer(this.#place);
    wrap.onread = this.onDecrypted;
    wrap.start();
    wrap.readStart();
  }

  onDecrypted(): void {
    const octets = this.#wrap.getBytesRead();
    if (octets === this.#decrypted) this.ended = true;
    this.#decrypted = octets;
  }

  onhandshakedone(): void {
    this.secure = true;
  }

  onerror(error: Error): void {
    this.error = error;
  }

  receive(octets: Uint8Array, into: Uint8Array): number {
    this.#mayHaveOutput = true;
    let filled = 0;
    try {
      for (let at = 0; at < octets.length; at += SLICE_OCTETS) {
        const hasRoom = into.length - filled >= decrypted.length;
        this.#decryptInto(hasRoom ? into.subarray(filled) : decrypted);
        // It keeps memory for the longest that it was given.
        this.#wrap.readBuffer(octets.subarray(at, at + SLICE_OCTETS));
        if (this.error !== undefined) break;
        filled += hasRoom ? this.#count() : this.#take(into, filled);
      }
    } finally {
      // Who has the room may free it, which nobody would tell Deno.
      this.#decryptInto(decrypted);
    }
    return filled;
  }

  #decryptInto(place: Uint8Array): void {
    if (this.#place === place) return;
    this.#place = place;
    this.#wrap.useUserBuffer(place);
  }

  /** How many octets were decrypted since this was asked last. */
  #count(): number {
    const count = this.#decrypted - this.#taken;
    this.#taken = this.#decrypted;
    return count;
  }

  /** Takes what was decrypted, as far as there is room for it behind `at`. */
  #take(into: Uint8Array, at: number): number {
    const count = this.#count();
    if (count === 0) return 0;
    const fitting = Math.min(count, into.length - at);
    into.set(decrypted.subarray(0, fitting), at);
    if (fitting < count) this.#remains.add(decrypted.slice(fitting, count));
    return fitting;
  }

  read(into: Uint8Array): number {
    return this.#remains.read(into);
  }

  write(octets: Uint8Array): void {
    this.#wrap.writeBuffer(REQUEST, octets);
    this.#mayHaveOutput = true;
  }

  end(): void {
    this.#wrap.shutdown(REQUEST);
    this.#mayHaveOutput = true;
  }

  output(): Uint8Array {
    if (!this.#mayHaveOutput) return NOTHING;
    this.#mayHaveOutput = false;
    return this.#wrap.drainEncOut();
  }

  destroy(): void {
    this.#wrap.destroySsl();
  }
}

/** Whether a server and a client shake hands, talk and part as they should. */
function canTalk(
  newServer: NewTlsEngine,
  newClient: NewTlsEngine,
): boolean {
  try {
    const [server, client] = [newServer(), newClient()];
    converse(client, server);
    const hears = heardRight(client, server);
    client.end();
    converse(client, server);
    const works = server.secure && client.secure && hears && server.ended &&
      server.error === undefined;
    server.destroy();
    client.destroy();
    return works;
  } catch {
    return false;
  }
}

/** Whether octets arrive where there is room for them, and where there is not. */
function heardRight(client: TlsEngine, server: TlsEngine): boolean {
  const room = new Uint8Array(decrypted.length);
  client.write(Uint8Array.of(1, 2, 3));
  if (server.receive(client.output(), room) !== 3) return false;
  client.write(Uint8Array.of(4, 5));
  converse(client, server);
  const rest = new Uint8Array(3);
  return server.read(rest) === 2 && rest.join() === "4,5,0" &&
    room.subarray(0, 4).join() === "1,2,3,0";
}

/** Carries octets from one to the other until both have said everything. */
function converse(one: TlsEngine, other: TlsEngine): void {
  for (let turn = 0, silent = 0; turn < 20 && silent < 2; turn++) {
    const [from, to] = turn % 2 === 0 ? [one, other] : [other, one];
    const octets = from.output();
    silent = octets.length === 0 ? silent + 1 : 0;
    if (octets.length > 0) to.receive(octets, NOTHING);
  }
}
