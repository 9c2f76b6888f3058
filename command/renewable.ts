/**
 * Providers that are made anew from other settings.
 *
 * @module
 */

import type { ReadyProvider } from "../auth/types.ts";
import type { Settings } from "./settings.ts";

/** Providers that are made anew from other settings, while the rest stays. */
export class Renewable {
  #settings: Settings;
  readonly #reloads: (() => void)[] = [];

  /** @param settings What they are at first. */
  constructor(settings: Settings) {
    this.#settings = settings;
  }

  /** What they are now. */
  get settings(): Settings {
    return this.#settings;
  }

  /** Adds a provider that is made of the settings. */
  add(make: (settings: Settings) => ReadyProvider): ReadyProvider {
    let current = make(this.#settings);
    this.onReload(() => current = make(this.#settings));
    return (request, signal) => current(request, signal);
  }

  /** Adds something else to do when the settings are read again. */
  onReload(act: () => void): void {
    this.#reloads.push(act);
  }

  /** Takes other settings. */
  reload(settings: Settings): void {
    this.#settings = settings;
    for (const act of this.#reloads) act();
  }
}
