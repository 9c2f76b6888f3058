/**
 * Which user names mean the same user.
 *
 * @module
 */

/**
 * The most UTF-16 units of a name that are looked at. RFC 5321 section 4.5.3.1
 * gives an address 64 + 1 + 255 octets; what is longer is no user, and must
 * not fill a memory or outgrow the key of a database.
 */
const MAX_NAME_UNITS = 320;

/**
 * A user name in the one form that all its spellings share: NFKC, case-folded,
 * without invisible characters (Unicode's NFKC_Casefold) and white space
 * around it.
 *
 * Back ends differ in what they take for the same name. One that takes more
 * spellings than a count knows would give a guesser a fresh start with each.
 */
export function foldUserName(username: string): string {
  const name = username.length > MAX_NAME_UNITS
    ? username.slice(0, MAX_NAME_UNITS)
    : username;
  // Nearly all names; the whole way costs ten times as much.
  if (/^[!-~]*$/.test(name)) return name.toLowerCase();
  // toUpperCase() makes one of ß and SS, and of σ and ς; it leaves ẞ as it is.
  return name.normalize("NFKC").toLowerCase().toUpperCase().toLowerCase()
    .replaceAll(/\p{Default_Ignorable_Code_Point}/gu, "")
    .normalize("NFKC").trim()
    .slice(0, MAX_NAME_UNITS).toWellFormed();
}
