/** What a layer may be compared with at one click: found in its own axes, the other layers, and the catalogue. Pure. */
import type { Tileset, TileVariable } from "../api/tilesets";
import { conversion } from "./panes";
import { chosenAxes, placeOn, type Drawn } from "../explore/scene";
import { valuesOf } from "../state/steps";
import { newLayer, type LayerView, type Shift } from "../state/view";

/** A collection as the search for collections tells of it. */
export interface Card {
  id: string;
  title: string;
  bbox?: number[];
  variables: { name: string; title: string; units: string; id: string }[];
  has: string[];
}

export interface Suggestion {
  key: string;
  kind: "collection" | "layer" | "time" | "axis";
  /** The collection's or the axis' name where it is one. */
  title: string;
  b: LayerView;
  shift: Shift | null;
  /** Of an axis: its place there. */
  axis?: string;
  place?: string;
}

/** B as A is, without A's own look: that follows A. */
export const like = ({ layer, variable }: Drawn): LayerView => ({
  ...newLayer("b", layer.collection, variable.name),
  axes: { ...layer.axes },
  time: layer.time,
});

const YEAR = 365.2425 * 86_400_000;

/** Other times and other places on its axes. */
export function ofItself(a: Drawn): Suggestion[] {
  const found: Suggestion[] = [];
  const { steps, tileset, variable } = a;
  const make = (key: string, shift: Shift | null, more: Partial<Suggestion> = {}): void =>
    void found.push({ key, kind: "time", title: "", b: { ...like(a), time: null }, shift, ...more });
  if (steps && steps.count > 1) {
    const span = steps.at(steps.count - 1) - steps.at(0);
    if (steps.usual < 300 * 86_400_000 && span > YEAR * 0.98) make("year", { count: -1, unit: "year" });
    else if (span > 30 * YEAR) make("years", { count: -30, unit: "year" });
    make("step", { count: -1, unit: "step" });
    make("first", null, { b: { ...like(a), time: steps.iso(0) }, place: steps.iso(0) });
  }
  for (const axis of chosenAxes(tileset, variable)) {
    const values = valuesOf(axis).map(String);
    if (values.length < 2) continue;
    const here = values.indexOf(placeOn(axis, a.layer.axes[axis.name]));
    const place = values[here + 1] ?? values[here - 1]!;
    const b = { ...like(a), axes: { ...a.layer.axes, [axis.name]: place } };
    found.push({ key: `axis ${axis.name}`, kind: "axis", title: axis.name, b, shift: null, axis: axis.name, place });
  }
  return found;
}

/** Other layers of the view that hold the same kind of variable. */
export function ofLayers(a: Drawn, others: readonly Drawn[]): Suggestion[] {
  return others
    .filter(
      (one) =>
        one.key !== a.key &&
        !one.minus &&
        !one.key.endsWith(":b") &&
        !one.bands &&
        conversion(one.variable, a.variable),
    )
    .map((one) => ({
      key: `layer ${one.key}`,
      kind: "layer" as const,
      title: one.tileset.title,
      b: { ...like(one), time: one.layer.time },
      shift: null,
    }));
}

/** Other collections with the same kind of variable: of the same name first, then of a unit that goes over into this one. */
export function ofCatalogue(a: Drawn, cards: readonly Card[]): Suggestion[] {
  const own = cards.find((one) => one.id === a.tileset.id)?.variables.find((one) => one.name === a.variable.name);
  const found: { score: number; one: Suggestion }[] = [];
  for (const card of cards) {
    if (card.id === a.tileset.id || !card.has.includes("cube") || !overlap(a.tileset, card.bbox)) continue;
    const scored = card.variables
      .map((variable) => ({ variable, score: likeness(a.variable, own?.id, variable) }))
      .filter(({ score }) => score > 0)
      .sort((one, other) => other.score - one.score)[0];
    if (!scored) continue;
    const b = newLayer("b", card.id, scored.variable.name);
    const one: Suggestion = { key: `collection ${card.id}`, kind: "collection", title: card.title, b, shift: null };
    found.push({ score: scored.score + kinship(a.tileset.id, card.id), one });
  }
  return found
    .sort((one, other) => other.score - one.score || one.one.title.localeCompare(other.one.title))
    .map(({ one }) => one);
}

function likeness(a: TileVariable, id: string | undefined, { units, ...other }: Card["variables"][number]): number {
  const sameName = id !== undefined && other.id === id;
  const way = conversion({ units, range: a.range }, a);
  if (!way) return 0;
  // numbers without a unit are alike only by name
  const isBare = ["", "1"].includes(a.units.trim());
  return sameName ? 10 : isBare ? 0 : 1;
}

/** Names that begin alike are often runs of one series: scenarios, members, versions. */
function kinship(one: string, other: string): number {
  let length = 0;
  while (length < one.length && one[length] === other[length]) length++;
  return length / Math.max(one.length, other.length);
}

function overlap({ bounds }: Tileset, bbox: readonly number[] | undefined): boolean {
  if (!bbox || bbox.length < 4) return true;
  const [west, south, east, north] = bbox.length === 4 ? bbox : [bbox[0]!, bbox[1]!, bbox[3]!, bbox[4]!];
  if (south! >= bounds[3] || north! <= bounds[1]) return false;
  const parts = (from: number, to: number): [number, number][] =>
    from <= to
      ? [[from, to]]
      : [
          [from, 180],
          [-180, to],
        ];
  return parts(west!, east!).some(([a, b]) => parts(bounds[0], bounds[2]).some(([c, d]) => a < d && c < b));
}
