/** The steps of a time axis in order, whether they are listed or only told by their first, last and distance. */
import type { Axis, TileVariable, Tileset } from "../api/tilesets";
import { grainOf, isoOf, positionOf, positionsOf, type Grain } from "./instants";

export interface Steps {
  readonly count: number;
  /** Usual distance of neighbours in milliseconds; 0 for a single step. */
  readonly usual: number;
  readonly grain: Grain;
  /** Where step `index` lies, see instants. */
  at(index: number): number;
  /** The step's own name for it, as requests want it. */
  iso(index: number): string;
  /** Query parameters that choose it. */
  query(index: number): Record<string, string>;
  /** The step of exactly this name; -1 for none. */
  named(iso: string): number;
  /** The last step at or before a position; -1 before the first. */
  before(position: number): number;
}

/** Instants written to the second meet steps written more finely. */
const TOLERANCE = 1000;

abstract class Ordered {
  abstract readonly count: number;
  abstract at(index: number): number;

  before(position: number): number {
    let [low, high] = [-1, this.count - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this.at(middle) <= position + TOLERANCE) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

class Listed extends Ordered implements Steps {
  readonly count: number;
  readonly usual: number;
  readonly grain: Grain;
  readonly #steps: { at: number; iso: string; query: Record<string, string> }[];
  readonly #index: Map<string, number>;

  constructor(names: readonly string[], queries: (iso: string, index: number) => Record<string, string>) {
    super();
    const places = positionsOf(names);
    this.#steps = names
      .map((iso, index) => ({ at: places[index]!, iso, query: queries(iso, index) }))
      .filter((one) => Number.isFinite(one.at))
      .sort((a, b) => a.at - b.at);
    this.count = this.#steps.length;
    this.#index = new Map(this.#steps.map((one, index) => [one.iso, index]));
    this.usual = median(this.#steps.slice(1).map((one, index) => one.at - this.#steps[index]!.at));
    this.grain = grainFrom(this.usual, names);
  }
  at = (index: number): number => this.#steps[index]!.at;
  iso = (index: number): string => this.#steps[index]!.iso;
  query = (index: number): Record<string, string> => this.#steps[index]!.query;
  named = (iso: string): number => this.#index.get(iso) ?? -1;
}

class Even extends Ordered implements Steps {
  readonly grain: Grain;
  constructor(
    readonly count: number,
    private readonly first: number,
    readonly usual: number,
    private readonly parameter: string,
  ) {
    super();
    this.grain = grainOf(usual);
  }
  at(index: number): number {
    return this.first + index * this.usual;
  }
  iso(index: number): string {
    return isoOf(this.at(index));
  }
  query(index: number): Record<string, string> {
    return { [this.parameter]: this.iso(index) };
  }
  named(iso: string): number {
    const index = Math.round((positionOf(iso) - this.first) / this.usual);
    return index >= 0 && index < this.count && Math.abs(this.at(index) - positionOf(iso)) < TOLERANCE ? index : -1;
  }
  override before(position: number): number {
    return Math.max(-1, Math.min(this.count - 1, Math.floor((position + TOLERANCE - this.first) / this.usual)));
  }
}

function median(values: number[]): number {
  const sorted = values.filter((one) => one > 0).sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
}

/** Of a single step: as finely as its name is written. */
function grainFrom(usual: number, names: readonly string[]): Grain {
  if (usual) return grainOf(usual);
  return names.every((one) => !/[T ]\d\d/.test(one) || /T00:00(:00)?(Z|$)/.test(one)) ? "day" : "minute";
}

/** Steps that are listed by name. */
export const listed = (names: readonly string[], parameter = "datetime"): Steps =>
  new Listed(names, (iso) => ({ [parameter]: iso }));

/** The axes of a variable, in its order. */
export const axesOf = (tileset: Tileset, variable: TileVariable): Axis[] =>
  variable.axes.map((name) => tileset.axes.find((one) => one.name === name)).filter((one) => one !== undefined);

/** The axes that make up a layer's time; they have no choosers of their own, save the run of a forecast. */
export const isTime = (axis: Axis, axes: readonly Axis[]): boolean =>
  axis.kind === "time" ||
  (axis.kind === "reference_time" && !axes.some((one) => one.kind === "time" || one.kind === "step")) ||
  (axis.kind === "step" && hasRuns(axes));

const hasRuns = (axes: readonly Axis[]): boolean =>
  axes.some((one) => one.kind === "reference_time") && !axes.some((one) => one.kind === "time");

/**
 * The steps of a variable, valid times where it is a forecast of runs; null where it has no time.
 * `days` are those of a collection of images, which its catalogue lists; `run` is the chosen one.
 */
export function stepsOf(
  tileset: Tileset,
  variable: TileVariable,
  days: readonly string[] | null,
  run?: string,
): Steps | null {
  const axes = axesOf(tileset, variable);
  const time = axes.find((one) => one.kind !== "step" && isTime(one, axes));
  if (time) return fromAxis(time);
  const lead = axes.find((one) => one.kind === "step");
  const runs = axes.find((one) => one.kind === "reference_time");
  if (lead && runs) return ofForecast(lead, run ?? String(valuesOf(runs).at(-1) ?? runs.last), runs.name);
  return days?.length && variable.axes.includes("time") ? listed(days) : null;
}

const parameterOf = (axis: Axis): string => (axis.kind === "time" ? "datetime" : axis.name);

function fromAxis(axis: Axis): Steps | null {
  if (axis.values) return axis.values.length ? listed(axis.values.map(String), parameterOf(axis)) : null;
  const first = positionOf(String(axis.first));
  if (!Number.isFinite(first) || axis.count < 1) return null;
  const last = positionOf(String(axis.last));
  const step = axis.step ?? (axis.count > 1 ? (last - first) / (axis.count - 1) : 0);
  if (!(step > 0)) return listed([String(axis.first)], parameterOf(axis));
  return new Even(axis.count, first, step, parameterOf(axis));
}

function ofForecast(lead: Axis, run: string, runName: string): Steps | null {
  const start = positionOf(run);
  if (!Number.isFinite(start)) return null;
  const hours = valuesOf(lead);
  const names = hours.map((one) => isoOf(start + Number(one) * 3_600_000));
  return new Listed(names, (_, index) => ({ [runName]: run, [lead.name]: String(hours[index]) }));
}

/** All values of an axis; where it leaves them out those between its first and last. */
export function valuesOf(axis: Axis): (string | number)[] {
  if (axis.values) return axis.values;
  const [first, step] = [Number(axis.first), axis.step ?? 1];
  if (!Number.isFinite(first)) return [axis.first, axis.last].filter((one) => one !== undefined);
  return Array.from({ length: Math.min(axis.count, 20_000) }, (_, index) =>
    Number((first + index * step).toPrecision(12)),
  );
}

/** What one layer shows at one time. */
export interface Shown {
  iso: string;
  query: Record<string, string>;
  then?: { iso: string; query: Record<string, string>; mix: number };
  /** The time asked for is none of its steps. */
  isOther: boolean;
}

/** The step at a time: the one of that name, else that before it, or blended with the next. Null: nothing is known there. */
export function shownAt(steps: Steps, iso: string | null, position: number, blend: boolean): Shown | null {
  const exact = iso === null ? -1 : steps.named(iso);
  if (exact >= 0) return { iso: steps.iso(exact), query: steps.query(exact), isOther: false };
  // one step alone is always there: it says its own time
  if (steps.count === 1) return { iso: steps.iso(0), query: steps.query(0), isOther: true };
  const index = steps.before(position);
  const margin = steps.usual * 1.05;
  if (index < 0) return position >= steps.at(0) - margin / 2 ? one(steps, 0) : null;
  const here = steps.at(index);
  if (Math.abs(here - position) <= TOLERANCE) return { ...one(steps, index), isOther: false };
  if (index === steps.count - 1) return position - here <= margin ? one(steps, index) : null;
  const gap = steps.at(index + 1) - here;
  // over a hole in the data nothing is made up
  if (gap > 3 * steps.usual) return position - here <= margin ? one(steps, index) : null;
  if (!blend) return one(steps, index);
  const mix = (position - here) / gap;
  return {
    ...one(steps, index),
    then: { iso: steps.iso(index + 1), query: steps.query(index + 1), mix: Math.round(mix * 1000) / 1000 },
  };
}

const one = (steps: Steps, index: number): Shown => ({
  iso: steps.iso(index),
  query: steps.query(index),
  isOther: true,
});

/** Several layers' steps as one sorted line without doubles. */
export class Line {
  readonly places: Float64Array;
  readonly #names: (index: number) => string;

  constructor(all: readonly Steps[]) {
    const total = all.reduce((sum, one) => sum + one.count, 0);
    const flat = new Float64Array(total);
    let next = 0;
    for (const steps of all) for (let index = 0; index < steps.count; index++) flat[next++] = steps.at(index);
    flat.sort();
    let kept = 0;
    for (let index = 0; index < flat.length; index++)
      if (kept === 0 || flat[index]! - flat[kept - 1]! > TOLERANCE / 2) flat[kept++] = flat[index]!;
    this.places = flat.slice(0, kept);
    this.#names = (index) => {
      const place = this.places[index]!;
      for (const steps of all) {
        const found = steps.before(place);
        if (found >= 0 && Math.abs(steps.at(found) - place) <= TOLERANCE) return steps.iso(found);
      }
      return isoOf(place);
    };
  }
  get count(): number {
    return this.places.length;
  }
  /** The name of a step, as the first of the layers that has it calls it. */
  iso(index: number): string {
    return this.#names(index);
  }
  /** The last step at or before; -1 before the first. */
  before(position: number): number {
    let [low, high] = [-1, this.count - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this.places[middle]! <= position + TOLERANCE / 2) low = middle;
      else high = middle - 1;
    }
    return low;
  }
  /** The step nearest to a position; -1 where there is none. */
  nearest(position: number): number {
    const low = this.before(position);
    if (low < 0) return this.count ? 0 : -1;
    if (low === this.count - 1) return low;
    return position - this.places[low]! <= this.places[low + 1]! - position ? low : low + 1;
  }
}

/** Where a time lies on the line of these layers: at the step of that name, else where our calendar has it. */
export function placeOf(iso: string, all: readonly Steps[]): number {
  for (const steps of all) {
    const found = steps.named(iso);
    if (found >= 0) return steps.at(found);
  }
  return positionOf(iso);
}
