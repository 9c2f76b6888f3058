/**
 * Secrets that are easy to find again, in whatever disguise.
 *
 * @module
 */

import { base64 } from "./octets.ts";
import { textOf } from "./session.ts";

const encoder = new TextEncoder();

/** The forms in which a secret may show up, by name, as octets are read. */
export function disguises(secret: string): ReadonlyMap<string, string> {
  const octets = encoder.encode(secret);
  const json = inside(JSON.stringify(secret));
  const forms = new Map([
    ["as it is", place(secret)],
    ["in Latin-1", secret],
    ["in JSON", place(json)],
    ["in JSON, twice", place(inside(JSON.stringify(json)))],
    ["in ASCII JSON", json.replaceAll(/[^ -~]/g, unicode)],
    ["inspected", place(inside(Deno.inspect(secret)))],
    ["in a URL", encodeURIComponent(secret)],
    ["in a form", new URLSearchParams([["", secret]]).toString().slice(1)],
    ["in hex", [...octets].map(hex).join("")],
    ["as a list of octets", octets.join(",")],
  ]);
  // What stands in front of it shifts its base64: three ways.
  for (const before of [0, 1, 2]) {
    const shifted = base64([...new Uint8Array(before), ...octets]);
    // The characters at both ends depend on the neighbours too.
    const own = shifted.slice(
      Math.ceil(before * 8 / 6),
      Math.floor((before + octets.length) * 8 / 6),
    );
    forms.set(`in base64, ${before} octets behind`, own);
    const url = own.replaceAll("+", "-").replaceAll("/", "_");
    forms.set(`in base64url, ${before} octets behind`, url);
  }
  return forms;
}

function hex(octet: number): string {
  return octet.toString(16).padStart(2, "0");
}

function inside(quoted: string): string {
  return quoted.slice(1, -1);
}

function unicode(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/**
 * Looks for a secret in octets (one character each), in every disguise and in
 * any letter case.
 *
 * @returns Where and how it was found: empty if it was not.
 */
export function findSecret(
  secret: string,
  places: Readonly<Record<string, string>>,
): string[] {
  return Object.entries(places).flatMap(([place, text]) => {
    const folded = text.toLowerCase();
    return [...disguises(secret)]
      .filter(([, form]) => folded.includes(form.toLowerCase()))
      .map(([name]) => `${name} in ${place}`);
  });
}

/** All files under a folder, each as a place to look. */
export function filesUnder(folder: string): Record<string, string> {
  const places: Record<string, string> = {};
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) Object.assign(places, filesUnder(path));
    else places[path] = textOf(Deno.readFileSync(path));
    places[`the name of ${path}`] = textOf(encoder.encode(name));
  }
  return places;
}

/** A text as the octets of its UTF-8, for `findSecret`. */
export function place(text: string): string {
  return textOf(encoder.encode(text));
}
