/** What is known of the collections of a view by now; asks for the rest, and says when something came. */
import { palettes, tileset, type Tileset } from "../api/tilesets";
import type { Known } from "../explore/scene";
import { daysOf } from "../state/days";
import { read } from "../state/address";
import type { View } from "../state/view";
import type { Wanted } from "./elements";

/** The view of an element: its query, also out of a whole address of the portal, and a time of its own. */
export function viewOf(wanted: Wanted): View {
  const given = wanted.view ?? "";
  const view = read(given.includes("?") ? given.slice(given.indexOf("?")) : given);
  // the same reading of times as in addresses; what is none is left out
  if (wanted.time) view.time = read(new URLSearchParams({ t: wanted.time }).toString()).time ?? view.time;
  view.panel = null;
  return view;
}

export class Holdings {
  readonly #tilesets = new Map<string, Tileset>();
  readonly #days = new Map<string, readonly string[] | null>();
  readonly #asked = new Set<string>();
  readonly #failed = new Map<string, unknown>();
  #palettes: Record<string, string[]> | null = null;
  /** Half the width of a difference's colours, as found from what is seen. */
  spread: number | null = null;

  /** `changed`: something came, or did not. */
  constructor(private readonly changed: () => void) {}

  get known(): Known {
    return {
      tileset: (collection) => this.#tilesets.get(collection) ?? null,
      days: (collection) => this.#days.get(collection) ?? null,
      palettes: this.#palettes,
      spread: this.spread,
    };
  }

  /** Why something of the view is not here; null while nothing failed. */
  get error(): unknown {
    return this.#failed.values().next().value ?? null;
  }

  /** Asks for what a view needs and nobody asked for yet. */
  want(view: View): void {
    const collections = view.layers.map((one) => one.collection);
    if (view.compare) collections.push(view.compare.b.collection);
    for (const one of new Set(collections)) this.#once(one, () => this.#fetch(one));
    this.#once("", async () => {
      this.#palettes = await palettes();
    });
  }

  /** Asks anew for what failed. */
  again(view: View): void {
    for (const one of this.#failed.keys()) this.#asked.delete(one);
    this.#failed.clear();
    this.want(view);
  }

  #once(name: string, fetch: () => Promise<void>): void {
    if (this.#asked.has(name)) return;
    this.#asked.add(name);
    fetch()
      .catch((error: unknown) => this.#failed.set(name, error))
      .finally(this.changed);
  }

  async #fetch(collection: string): Promise<void> {
    const found = await tileset(collection);
    this.#days.set(collection, await daysOf(found));
    this.#tilesets.set(collection, found);
  }
}
