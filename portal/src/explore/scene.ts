/**
 * From a view to what the map shows: a pure function of the view and of what is known of its collections by now.
 * A layer of which nothing is known yet is left out; one that shows nothing at this time stays in `drawn`, to say so.
 */
import { variableOf, type Axis, type Tileset, type TileVariable } from "../api/tilesets";
import { colorsOf } from "../color/palettes";
import { unitOf, type Unit } from "../color/units";
import type { Field, Layer, Pane, Scene, Style } from "../map/types";
import { alike, refusal, shifted } from "../compare/panes";
import { axesOf, isTime, placeOf, shownAt, stepsOf, valuesOf, type Shown, type Steps } from "../state/steps";
import type { LayerView, View } from "../state/view";

/** What has arrived. */
export interface Known {
  tileset(collection: string): Tileset | null;
  /** Days of a collection of images, which its tileset does not list. */
  days(collection: string): readonly string[] | null;
  palettes: Record<string, string[]> | null;
  /** Half the width of a difference's colours, as found from what is seen. */
  spread?: number | null;
}

/** One layer as it is drawn now. */
export interface Drawn {
  /** As in the Scene; B of a comparison has its layer's with :b. */
  key: string;
  layer: LayerView;
  tileset: Tileset;
  variable: TileVariable;
  /** Red, green and blue. */
  bands: [TileVariable, TileVariable, TileVariable] | null;
  unit: Unit;
  palette: string;
  colors: Uint8Array;
  /** In the data's unit. */
  range: [number, number];
  steps: Steps | null;
  /** Null: it has no time, or nothing at this time. */
  shown: Shown | null;
  /** It has times, and this is none of them. */
  isAway: boolean;
  /** Of a difference: what is taken away. */
  minus: Drawn | null;
}

const asked = new WeakMap<Tileset, Map<string, Steps | null>>();

/** The steps of a variable, made once. */
function stepsFor(
  tileset: Tileset,
  variable: TileVariable,
  days: readonly string[] | null,
  run?: string,
): Steps | null {
  let kept = asked.get(tileset);
  if (!kept) asked.set(tileset, (kept = new Map()));
  const key = `${variable.name}\n${run ?? ""}\n${days?.length ?? ""}`;
  if (!kept.has(key)) kept.set(key, stepsOf(tileset, variable, days, run));
  return kept.get(key) ?? null;
}

/** The variable that a layer names, else the first; null where the collection has none, or none of that name. */
export function variableFor(tileset: Tileset, name: string | null): TileVariable | null {
  try {
    return name === null ? (tileset.variables[0] ?? null) : variableOf(tileset, name);
  } catch {
    return null;
  }
}

/** The suggested range; of a variable without any value 0 to 1. */
export const suggested = (variable: TileVariable): [number, number] =>
  (variable.range as [number, number] | null) ?? [0, 1];

/** Whether anything could ever be seen of it. */
export const isEmpty = (variable: TileVariable): boolean => (variable.range as unknown) === null;

/** Axes on which people choose a place: all but time, and none with a single one. */
export const chosenAxes = (tileset: Tileset, variable: TileVariable): Axis[] => {
  const axes = axesOf(tileset, variable);
  return axes.filter((axis) => !isTime(axis, axes));
};

/** The chosen place on an axis, as its values are written; where the view names none the first, of runs the latest. */
export function placeOn(axis: Axis, chosen: string | undefined): string {
  const values = valuesOf(axis).map(String);
  if (chosen !== undefined && values.includes(chosen)) return chosen;
  return (axis.kind === "reference_time" ? values.at(-1) : values[0]) ?? "";
}

const parameterOf = (axis: Axis): string => (axis.kind === "vertical" ? "z" : axis.name);

/** Query parameters of a layer's places on its axes, without time. */
function placesOf(tileset: Tileset, variable: TileVariable, layer: LayerView): Record<string, string> {
  const pairs = chosenAxes(tileset, variable).map((axis) => [parameterOf(axis), placeOn(axis, layer.axes[axis.name])]);
  return Object.fromEntries(pairs) as Record<string, string>;
}

function stepsOfLayer(layer: LayerView, known: Known): Steps | null {
  const tileset = known.tileset(layer.collection);
  const variable = tileset && variableFor(tileset, layer.rgb?.[0] ?? layer.variable);
  if (!tileset || !variable) return null;
  const run = axesOf(tileset, variable).find((axis) => axis.kind === "reference_time");
  const chosen = run && placeOn(run, layer.axes[run.name]);
  return stepsFor(tileset, variable, known.days(layer.collection), chosen);
}

/** The time that all layers share. */
export interface Clock {
  iso: string | null;
  position: number;
  /** Steps of every layer that follows it. */
  steps: Steps[];
}

export function clockOf(view: View, known: Known): Clock {
  const layers = view.compare ? [...view.layers, view.compare.b] : view.layers;
  const followers = layers.filter((one) => one.shown && one.time === null);
  const steps = [...new Set(followers.map((one) => stepsOfLayer(one, known)).filter((one) => one !== null))];
  if (view.time) return { iso: view.time, position: placeOf(view.time, steps), steps };
  const first = steps.find((one) => one.count > 1) ?? steps[0];
  if (!first?.count) return { iso: null, position: NaN, steps };
  return { iso: first.iso(first.count - 1), position: first.at(first.count - 1), steps };
}

/** One layer at a time; null while nothing is known of its collection, or where it has no such variable. */
export function drawnOf(layer: LayerView, key: string, view: View, clock: Clock, known: Known): Drawn | null {
  const tileset = known.tileset(layer.collection);
  const variable = tileset && variableFor(tileset, layer.rgb?.[0] ?? layer.variable);
  if (!tileset || !variable) return null;
  const bands = layer.rgb && bandsOf(tileset, layer.rgb);
  if (layer.rgb && !bands) return null;
  const steps = stepsOfLayer(layer, known);
  const iso = layer.time ?? clock.iso;
  const position = layer.time === null ? clock.position : placeOf(layer.time, steps ? [steps] : []);
  const isBlended = view.blend && !variable.classes;
  const shown = steps && shownAt(steps, iso, position, isBlended);
  const palette = layer.palette ?? variable.palette;
  const range = layer.range ?? suggested(variable);
  const colors = colorsOf(known.palettes ?? {}, palette);
  const unit = unitOf(variable.units, layer.unit, variable.range);
  const isAway = steps !== null && shown === null;
  return { key, layer, tileset, variable, bands, unit, palette, colors, range, steps, shown, isAway, minus: null };
}

function bandsOf(tileset: Tileset, names: LayerView["rgb"] & object): Drawn["bands"] {
  const [red, green, blue] = names.map((name) => variableFor(tileset, name));
  return red && green && blue ? [red, green, blue] : null;
}

export function fieldOf(drawn: Drawn, variable = drawn.variable): Field {
  const places = placesOf(drawn.tileset, variable, drawn.layer);
  const runs = Object.keys(drawn.shown?.query ?? {});
  for (const name of runs) delete places[name];
  const field: Field = { tileset: drawn.tileset, variable: variable.name, at: { ...places, ...drawn.shown?.query } };
  if (drawn.shown?.then) {
    const { query, mix } = drawn.shown.then;
    field.then = { at: { ...places, ...query }, mix };
  }
  return field;
}

function styleOf({ layer, colors, range, variable }: Drawn): Style {
  const style: Style = {
    colors,
    // plain numbers: what a view holds may be watched by the page
    range: [range[0], range[1]],
    opacity: layer.opacity,
    classes: layer.classes,
    contour: layer.contour,
    // halves between two classes mean nothing
    smooth: layer.smooth && !variable.classes,
  };
  if (layer.mask) style.mask = [layer.mask[0], layer.mask[1]];
  return style;
}

/** What the map draws of it; null where it is hidden, empty or has nothing at this time. */
export function mapLayer(drawn: Drawn): Layer | null {
  const { key, layer, bands, minus } = drawn;
  if (!layer.shown || drawn.isAway) return null;
  if (bands) {
    const ranges = stretchOf(layer, bands);
    const fields: [Field, Field, Field] = [
      fieldOf(drawn, bands[0]),
      fieldOf(drawn, bands[1]),
      fieldOf(drawn, bands[2]),
    ];
    return { key, kind: "rgb", fields, ranges, opacity: layer.opacity, gamma: layer.gamma };
  }
  if (isEmpty(drawn.variable)) return null;
  if (!minus) return { key, kind: "field", field: fieldOf(drawn), style: styleOf(drawn) };
  if (minus.isAway || isEmpty(minus.variable)) return null;
  return { key, kind: "difference", field: fieldOf(drawn), minus: fieldOf(minus), style: styleOf(drawn) };
}

/** The ranges of the three bands. */
export function stretchOf(layer: LayerView, bands: Drawn["bands"] & object): NonNullable<LayerView["stretch"]> {
  const range = (index: 0 | 1 | 2): [number, number] => [...(layer.stretch?.[index] ?? suggested(bands[index]))];
  return [range(0), range(1), range(2)];
}

/** What stands against A: at its own time or so far from the common one, in A's unit and colours where it has them. */
export function againstOf(view: View, known: Known, clock: Clock, a: Drawn | null): Drawn | null {
  const { compare } = view;
  if (!compare) return null;
  const moved = compare.b.time === null ? shifted(clock, compare.shift, stepsOfLayer(compare.b, known)) : clock;
  const found = drawnOf({ ...compare.b, shown: true }, `${compare.a}:b`, view, moved, known);
  return a && found ? alike(a, found) : found;
}

/** Layers of each pane, from bottom to top. */
export function drawnPanes(view: View, known: Known, clock = clockOf(view, known)): Drawn[][] {
  const { compare } = view;
  const left = view.layers.map((layer) => drawnOf(layer, layer.id, view, clock, known)).filter((one) => one !== null);
  if (!compare) return [left];
  const a = left.find((one) => one.key === compare.a);
  const b = againstOf(view, known, clock, a ?? null);
  if (compare.mode === "difference") {
    const isRefused = !a || !b || refusal(a, b) !== null;
    return [isRefused ? left : left.map((one) => (one === a ? difference(a, b, view, known) : one))];
  }
  // the same stack on the other side, with B where A was
  return [left, b ? left.map((one) => (one === a ? b : one)) : left.filter((one) => one !== a)];
}

/** A minus B, with colours that lie evenly around nothing. */
function difference(a: Drawn, b: Drawn, view: View, known: Known): Drawn {
  const widest = Math.abs(a.range[1] - a.range[0]) / 4 || 1;
  const half = known.spread || widest;
  const own = a.layer.palette && /^diverging/.test(a.layer.palette) ? a.layer.palette : "diverging";
  return {
    ...a,
    palette: own,
    colors: colorsOf(known.palettes ?? {}, own),
    range: view.compare?.range ?? [-half, half],
    // a difference of temperatures has no zero point of its own
    unit: { ...a.unit, offset: 0 },
    layer: { ...a.layer, mask: null },
    minus: b,
  };
}

/** The scene of a view. */
export function sceneOf(view: View, known: Known, panes = drawnPanes(view, known)): Scene {
  const at = view.compare?.at ?? 0.5;
  const isSwipe = view.compare?.mode === "swipe" && panes.length === 2;
  const made = panes.map((drawn, index): Pane => {
    const layers = drawn.map(mapLayer).filter((one) => one !== null);
    return isSwipe ? { layers, clip: index === 0 ? [0, at] : [at, 1] } : { layers };
  });
  const { camera, basemap } = view;
  return {
    camera: { ...camera },
    arrangement: view.compare?.mode === "side" ? "side" : "swipe",
    panes: made,
    basemap: { ...basemap },
  };
}

/** Fields of a layer that the next steps ask for, step by step in order of time, around again at the end. */
export function fieldsAhead(drawn: Drawn, from: number, count: number): Field[][] {
  const { steps } = drawn;
  if (!steps || steps.count < 2 || drawn.layer.time !== null) return [];
  const start = Math.max(0, steps.before(from));
  return Array.from({ length: Math.min(count, steps.count) }, (_, ahead) => {
    const index = (start + ahead) % steps.count;
    const shown: Shown = { iso: steps.iso(index), query: steps.query(index), isOther: false };
    return (drawn.bands ?? [drawn.variable]).map((variable) => fieldOf({ ...drawn, shown }, variable));
  });
}

/** Bands that make a picture in true colour; null where the names say nothing of it. */
export function trueColor(tileset: Tileset): [string, string, string] | null {
  const spellings = [
    ["red", "green", "blue"].map((color) => new RegExp(`(^|[^a-z])${color}($|[^a-z])`, "i")),
    // Sentinel-2 writes its bands with two digits
    [/^B04(_|$)/, /^B03(_|$)/, /^B02(_|$)/],
  ];
  for (const wanted of spellings) {
    const names = wanted.map(
      (one) => tileset.variables.find(({ name, title }) => one.test(name) || one.test(title))?.name,
    );
    const [red, green, blue] = names;
    if (red && green && blue && new Set(names).size === 3) return [red, green, blue];
  }
  return null;
}
