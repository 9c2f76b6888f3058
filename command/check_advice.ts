/**
 * What to do about what the system says of a file or a socket.
 *
 * @module
 */

const ADVICE: readonly (readonly [RegExp, string])[] = [
  [/No such file/, "is the path right?"],
  [/Is a directory/, "it must be a file"],
  [/Not a directory/, "a file stands where a folder must be"],
  [/Permission denied/, "let the user that this runs as have it"],
  [/Read-only file system/, "is the folder meant to be elsewhere?"],
  [/No space left|quota exceeded/i, "make room"],
  [/refused/, "does it run?"],
  [/NOAUTH|WRONGPASS/, "put user and password into the URL"],
  [/READONLY/, "it is a replica: name its primary"],
  [/\bOOM\b/, "it is full: give it more memory, or a policy that evicts"],
];

/**
 * Adds to a reason what to do, if that is known.
 *
 * @param reason What is wrong, as the system says it, or as words of our own
 * that say what to do already.
 */
export function withAdvice(reason: string): string {
  const [, advice] = ADVICE.find(([words]) => words.test(reason)) ?? [];
  return advice === undefined ? reason : `${reason}: ${advice}`;
}
