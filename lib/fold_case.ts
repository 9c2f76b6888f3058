/**
 * Letters without their case.
 *
 * @module
 */

/**
 * A text in the one form that it shares with all texts that differ from it in
 * letter case only, or in how Unicode composes it.
 */
export function foldCase(text: string): string {
  // toUpperCase() makes one of ß and SS, and of σ and ς; it leaves ẞ as it is.
  return text.normalize("NFC").toLowerCase().toUpperCase().toLowerCase()
    .normalize("NFC");
}
