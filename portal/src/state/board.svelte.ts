/**
 * What is known about the layers of the view by now, and what the map says: shared by all that stands around the map.
 * Tilesets arrive by themselves for every layer of `portal.view`; ask `board.drawn` what is to be seen.
 */
import { SvelteMap } from "svelte/reactivity";
import { forget, palettes, tileset, type Tileset } from "../api/tilesets";
import { clockOf, drawnPanes, sceneOf, type Clock, type Drawn, type Known } from "../explore/scene";
import type { MapView } from "../map/MapView";
import type { MapEvents, Reading } from "../map/types";
import { daysOf } from "./days";
import { portal } from "./portal.svelte";
import { Line, placeOf, type Steps } from "./steps";

/** A collection's tileset as far as it got. */
export type Entry =
  | { state: "loading" }
  | { state: "ready"; tileset: Tileset; days: readonly string[] | null }
  | { state: "failed"; error: unknown };

class Board {
  readonly #entries = new SvelteMap<string, Entry>();
  #palettes = $state.raw<Record<string, string[]> | null>(null);
  palettesError = $state.raw<unknown>(null);
  /** Half the width of a difference's colours, found from what is seen. */
  spread = $state.raw<number | null>(null);

  /** What the pointer or the cross-hair is over. */
  point = $state.raw<NonNullable<MapEvents["point"]> | null>(null);
  readings = $state.raw<Reading[]>([]);
  load = $state.raw<MapEvents["load"]>({ pending: 0, failed: 0, message: null });
  lost = $state.raw(false);
  /** The map, while it is on the page. */
  map = $state.raw<MapView | null>(null);
  /** A time is being moved: by playing or by dragging. */
  playing = $state(false);

  /** Layers that stand as they were asked for: of those in the address nothing is changed; see Layers. */
  readonly settled = new Set(portal.view.layers.map((one) => one.id + one.collection));

  readonly #known: Known = {
    tileset: (collection) => {
      const entry = this.#entries.get(collection);
      return entry?.state === "ready" ? entry.tileset : null;
    },
    days: (collection) => {
      const entry = this.#entries.get(collection);
      return entry?.state === "ready" ? entry.days : null;
    },
    palettes: null,
  };

  readonly known = $derived<Known>({ ...this.#known, palettes: this.#palettes, spread: this.spread });
  readonly clock = $derived<Clock>(clockOf(portal.view, this.known));
  readonly panes = $derived<Drawn[][]>(drawnPanes(portal.view, this.known, this.clock));
  readonly scene = $derived(sceneOf(portal.view, this.known, this.panes));
  /** Every layer once, B of a comparison last. */
  readonly drawn = $derived(
    this.panes.flatMap((pane, index) => (index === 0 ? pane : pane.filter((one) => one.key.endsWith(":b")))),
  );
  /** The same array as long as the layers are the same: while time runs, nothing is to be sorted anew. */
  readonly #steps = $derived.by(() => {
    const now = this.clock.steps.filter((one) => one.count > 0);
    const isSame = now.length === this.#before.length && now.every((one, index) => one === this.#before[index]);
    return isSame ? this.#before : (this.#before = now);
  });
  #before: Steps[] = [];
  /** All steps of all layers. */
  readonly line = $derived(new Line(this.#steps));

  constructor() {
    $effect.root(() => {
      $effect(() => {
        const { layers, compare } = portal.view;
        const wanted = new Set(layers.map((one) => one.collection));
        if (compare) wanted.add(compare.b.collection);
        for (const collection of wanted) this.want(collection);
        if (wanted.size) this.#wantPalettes();
      });
    });
  }

  /** How far a collection's tileset got; null before anybody asked. */
  entry(collection: string): Entry | null {
    return this.#entries.get(collection) ?? null;
  }

  tileset(collection: string): Tileset | null {
    return this.known.tileset(collection);
  }

  drawnOf(id: string): Drawn | null {
    return this.drawn.find((one) => one.key === id) ?? null;
  }

  get palettes(): Record<string, string[]> | null {
    return this.#palettes;
  }

  /** Where an instant lies among the steps of all layers. */
  place(iso: string): number {
    return placeOf(iso, this.#steps);
  }

  /** Asks for a collection, unless somebody did. */
  want(collection: string): void {
    if (this.#asked.has(collection)) return;
    this.#asked.add(collection);
    this.#entries.set(collection, { state: "loading" });
    void this.#fetch(collection);
  }
  readonly #asked = new Set<string>();

  /** Asks again: after a failure, or because the data have a new version. */
  renew(collection: string): void {
    forget(collection);
    this.#asked.add(collection);
    if (this.#entries.get(collection)?.state !== "ready") this.#entries.set(collection, { state: "loading" });
    void this.#fetch(collection);
  }

  /** The map met a newer version of the data. */
  renewed(found: Tileset): void {
    const entry = this.#entries.get(found.id);
    const days = entry?.state === "ready" ? entry.days : null;
    this.#entries.set(found.id, { state: "ready", tileset: found, days });
  }

  async #fetch(collection: string): Promise<void> {
    try {
      const found = await tileset(collection);
      const days = await daysOf(found);
      this.#entries.set(collection, { state: "ready", tileset: found, days });
    } catch (error) {
      this.#entries.set(collection, { state: "failed", error });
    }
  }

  #wantPalettes(): void {
    if (this.#isAskingPalettes) return;
    this.#isAskingPalettes = true;
    palettes()
      .then((found) => (this.#palettes = found))
      .catch((error: unknown) => {
        this.palettesError = error;
        this.#isAskingPalettes = false;
      });
  }
  #isAskingPalettes = false;
}

export const board = new Board();
