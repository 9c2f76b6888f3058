/**
 * IP addresses and networks as octets, to be compared.
 *
 * @module
 */

const DOT = 46;
const ZERO = 48;
const NINE = 57;

/**
 * Reads an IP address, strictly: decimal octets without leading zeros, IPv6
 * with at most one `::` (RFC 4291 section 2.2), no zone, no brackets.
 *
 * @returns 4 or 16 octets; an IPv4-mapped IPv6 address (`::ffff:…`) is the
 * IPv4 address. `undefined` if the text is no address.
 */
export function parseIp(text: string): Uint8Array | undefined {
  if (!text.includes(":")) return parseIPv4(text);
  const octets = parseIPv6(text);
  if (octets === undefined) return undefined;
  const mapped = MAPPED.every((octet, i) => octets[i] === octet);
  return mapped ? octets.subarray(MAPPED.length) : octets;
}

/** Whether a text is an IP address, without a zone. */
export function isIp(text: string): boolean {
  return parseIp(text) !== undefined;
}

/**
 * Splits an IPv6 address from its zone (RFC 4007 section 11), the name of the
 * interface behind which it is reached: `["fe80::1", "%eth0"]`. A text without
 * a zone comes back whole, with `""`.
 */
export function splitZone(text: string): readonly [string, string] {
  if (!text.includes("%")) return [text, ""];
  const [, address, zone] = ZONED.exec(text) ?? [];
  return [address ?? text, zone ?? ""];
}

const ZONED = /^([0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)(%[\w.-]{1,32})$/;

/** RFC 4291 section 2.5.5.2. */
const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff] as const;

/**
 * Reads an IPv4 address as a number of 32 bits, for those who need no octets:
 * every connection's address is read more than once.
 *
 * @returns -1 if the text is none.
 */
export function readIPv4(text: string): number {
  let address = 0;
  let octet = 0;
  let digits = 0;
  let dots = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === DOT) {
      if (digits === 0 || ++dots > 3) return -1;
      address = address * 256 + octet;
      octet = digits = 0;
      continue;
    }
    // A zero is no beginning of a longer number.
    if (code < ZERO || code > NINE || (digits > 0 && octet === 0)) return -1;
    octet = octet * 10 + code - ZERO;
    if (++digits > 3 || octet > 255) return -1;
  }
  return digits > 0 && dots === 3 ? address * 256 + octet : -1;
}

function parseIPv4(text: string): Uint8Array | undefined {
  const address = readIPv4(text);
  if (address < 0) return undefined;
  return Uint8Array.of(address >>> 24, address >>> 16, address >>> 8, address);
}

function parseIPv6(text: string): Uint8Array | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  // Only the last octets of an address may be written as IPv4.
  const [head, tail] = halves.map((half, i) =>
    parseGroups(half, i === halves.length - 1)
  );
  if (head === undefined) return undefined;
  if (halves.length === 1) {
    return head.length === 16 ? Uint8Array.from(head) : undefined;
  }
  // "::" stands for at least one group.
  if (tail === undefined || head.length + tail.length > 14) return undefined;
  const octets = new Uint8Array(16);
  octets.set(head);
  octets.set(tail, 16 - tail.length);
  return octets;
}

/** The octets of groups between colons. */
function parseGroups(text: string, atEnd: boolean): number[] | undefined {
  if (text === "") return [];
  const octets: number[] = [];
  const groups = text.split(":");
  for (const [i, group] of groups.entries()) {
    const mayBeIPv4 = atEnd && i === groups.length - 1;
    const four = mayBeIPv4 ? parseIPv4(group) : undefined;
    if (four !== undefined) octets.push(...four);
    else if (/^[0-9A-Fa-f]{1,4}$/.test(group)) {
      const value = parseInt(group, 16);
      octets.push(value >> 8, value & 255);
    } else return undefined;
  }
  return octets;
}

/** Writes 4 or 16 octets as an address; IPv6 as RFC 5952 wants it. */
export function formatIp(octets: Uint8Array): string {
  if (octets.length === 4) return octets.join(".");
  const groups = Array.from(
    { length: 8 },
    (_, i) => (octets[2 * i] ?? 0) << 8 | (octets[2 * i + 1] ?? 0),
  );
  const hex = (part: readonly number[]) =>
    part.map((group) => group.toString(16)).join(":");
  const { start, end } = longestZeros(groups);
  return end - start < 2
    ? hex(groups)
    : `${hex(groups.slice(0, start))}::${hex(groups.slice(end))}`;
}

/** The first of the longest runs of zeros. */
function longestZeros(
  groups: readonly number[],
): { readonly start: number; readonly end: number } {
  let longest = { start: 0, end: 0 };
  for (let start = 0, end = 0; start < groups.length; start = ++end) {
    while (groups[end] === 0) end++;
    if (end - start > longest.end - longest.start) longest = { start, end };
  }
  return longest;
}

/** A network: all addresses that begin with the same bits. */
export interface Network {
  /** An address in it: what is behind the first `bits` does not count. */
  readonly octets: Uint8Array;
  /** How many of its bits all members share. */
  readonly bits: number;
}

/**
 * Reads a network, such as `192.0.2.0/24` or `2001:db8::/32`. A lone address
 * is a network of one.
 *
 * @returns `undefined` if the text is none.
 */
export function parseNetwork(text: string): Network | undefined {
  const [address = "", length, ...more] = text.split("/");
  const octets = parseIp(address);
  if (octets === undefined || more.length > 0) return undefined;
  const most = octets.length * 8;
  if (length === undefined) return { octets, bits: most };
  const bits = /^(0|[1-9][0-9]{0,2})$/.test(length) ? Number(length) : -1;
  return bits >= 0 && bits <= most ? { octets, bits } : undefined;
}

/** Whether an address belongs to a network. */
export function isIn(
  address: Uint8Array,
  { octets, bits }: Network,
): boolean {
  if (address.length !== octets.length) return false;
  return address.every((octet, i) =>
    ((octet ^ (octets[i] ?? 0)) & mask(bits, i)) === 0
  );
}

/** Whether an address, whatever its zone, belongs to one of some networks. */
export function isInOneOf(ip: string, networks: readonly Network[]): boolean {
  if (networks.length === 0) return false;
  const octets = parseIp(splitZone(ip)[0]);
  return octets !== undefined &&
    networks.some((network) => isIn(octets, network));
}

/** How much of an address is one customer's with most providers, in bits. */
export const CUSTOMER_BITS_4 = 24;
/** The same for IPv6. */
export const CUSTOMER_BITS_6 = 56;
/** And a whole site, which many customers have instead (RFC 6177). */
export const SITE_BITS_6 = 48;

/**
 * The network that an address belongs to, as a text that is the same for all
 * its members, whatever their zones. What is no address is a network of its
 * own.
 *
 * @param bits4 How many bits of an IPv4 address name its network.
 * @param bits6 The same for IPv6.
 */
export function networkOf(
  ip: string,
  bits4: number = CUSTOMER_BITS_4,
  bits6: number = CUSTOMER_BITS_6,
): string {
  const octets = parseIp(ip) ?? parseIp(splitZone(ip)[0]);
  if (octets === undefined) return ip;
  return networkText(octets, octets.length === 4 ? bits4 : bits6);
}

/** The network that an address belongs to, such as `192.0.2.0/24`. */
export function networkText(octets: Uint8Array, bits: number): string {
  const masked = octets.map((octet, i) => octet & mask(bits, i));
  return `${formatIp(masked)}/${bits}`;
}

/** Those of the first so many bits of an address that are in one of its octets. */
function mask(bits: number, octet: number): number {
  return 0xff00 >> Math.min(8, Math.max(0, bits - 8 * octet));
}
