/** Values by OGC API EDR: what to ask, and CoverageJSON 1.0 as what it means. */
import { at, part } from "./root";
import { ask, Failure, json } from "./http";
import { text } from "../text/en";

export type Query = "position" | "area" | "trajectory" | "cube";

/** One data query: everything that makes it, and nothing of how it is written. */
export interface Asked {
  collection: string;
  query: Query;
  parameters: Record<string, string>;
}

/** What a query would cost, as `.../estimate` says it. */
export interface Estimate {
  cells: number;
  values: number;
  bytes_read: number;
  bytes_out: number;
  seconds: number;
  memory: number;
  limits: Record<string, number>;
  passes: boolean;
}

export type Cell = number | string | null;

export interface NdArray {
  axisNames: string[];
  shape: number[];
  values: Cell[];
}

/** A composite axis: tuples of coordinates, or polygons. */
export interface Composite {
  kind: "tuple" | "polygon";
  coordinates: string[];
  values: unknown[];
}

export interface Coverage {
  domain: string;
  /** Values of each simple axis; times as the server writes them. */
  axes: Record<string, Cell[]>;
  composite: Composite | null;
  ranges: Record<string, NdArray>;
  /** Where it stands on axes that a domain does not have: { number: 3 }. */
  labels: Record<string, string | number>;
}

export interface Parameter {
  name: string;
  title: string;
  units: string;
}

/** Where the values came from: to cite, and to ask again. */
export interface Receipt {
  collection?: string;
  version?: string;
  request?: string;
  licence?: string;
  attribution?: string;
  citation?: string;
  doi?: string;
  software?: string;
  weights_over_space?: string;
  [name: string]: unknown;
}

export interface Coverages {
  coverages: Coverage[];
  parameters: Record<string, Parameter>;
  /** "gregorian" for all that civil time can hold, else as CF names it: "360_day". */
  calendar: string;
  vertical: { title: string; units: string; down: boolean } | null;
  receipt: Receipt | null;
}

/** Values along one axis with all else fixed. */
export interface Column {
  labels: Record<string, string | number>;
  x: number | null;
  y: number | null;
  z: number | null;
  t: string | null;
  /** Positions along the axis: times as text, else numbers or text. */
  at: (string | number)[];
  values: (number | null)[];
}

/** A longer address is refused by some servers in between: its parameters travel in the body. */
const LONGEST = 4000;

export const COVERAGEJSON = "CoverageJSON";

/** The address of a query, also of one that is sent in a body. `f` names the format; none: CoverageJSON. */
export function addressOf(asked: Asked, f: string | null = COVERAGEJSON, below = ""): URL {
  const path = `ogc/collections/${part(asked.collection)}/${asked.query}${below}`;
  return at(path, { ...asked.parameters, f });
}

/** Whether a query fits into an address that one may share. */
export const fitsAddress = (asked: Asked): boolean => addressOf(asked).href.length <= LONGEST;

/** Address and options to ask with: by GET, or by POST where the shape is long. */
export function sending(asked: Asked, f: string | null = COVERAGEJSON, below = ""): [URL, RequestInit] {
  const address = addressOf(asked, f, below);
  if (address.href.length <= LONGEST) return [address, {}];
  address.search = "";
  const body = JSON.stringify(f ? { ...asked.parameters, f } : asked.parameters);
  return [address, { method: "POST", headers: { "Content-Type": "application/json" }, body }];
}

/** The values. Throws Failure, AbortError. */
export async function coverages(asked: Asked, signal?: AbortSignal): Promise<Coverages> {
  const [address, options] = sending(asked);
  const answer = await ask(address, { ...options, ...(signal && { signal }) });
  return readCoverages(await answer.json());
}

/** What the values would cost. Throws Failure, AbortError. */
export function estimated(asked: Asked, signal?: AbortSignal, f: string | null = null): Promise<Estimate> {
  const [address, options] = sending(asked, f, "/estimate");
  return json<Estimate>(address, { ...options, ...(signal && { signal }) });
}

/** The same values as a file of another format. Throws Failure, AbortError. */
export async function file(asked: Asked, f: "CSV" | "NetCDF", signal?: AbortSignal): Promise<Blob> {
  const [address, options] = sending(asked, f);
  return (await ask(address, { ...options, ...(signal && { signal }) })).blob();
}

type Doc = Record<string, unknown>;
const isDoc = (value: unknown): value is Doc => typeof value === "object" && value !== null && !Array.isArray(value);
const doc = (value: unknown): Doc => (isDoc(value) ? value : {});
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

/** Reads a Coverage or a CoverageCollection. Throws Failure for what is neither, and for tiled ranges. */
export function readCoverages(said: unknown): Coverages {
  const whole = doc(said);
  const isMany = whole.type === "CoverageCollection";
  if (!isMany && whole.type !== "Coverage") throw new Failure(text.probe.noCoverage(String(whole.type)), 200);
  const members = isMany ? list(whole.coverages).map(doc) : [whole];
  const systems = members.flatMap((one) => list(doc(one.domain).referencing)).concat(list(whole.referencing));
  return {
    coverages: members.map((one) => readCoverage(one, whole)),
    parameters: readParameters(
      members.reduce<Doc>((all, one) => ({ ...all, ...doc(one.parameters) }), { ...doc(whole.parameters) }),
    ),
    calendar: readCalendar(systems.map(doc)),
    vertical: readVertical(systems.map(doc)),
    receipt: isDoc(whole["terrella:receipt"]) ? (whole["terrella:receipt"] as Receipt) : null,
  };
}

function readCoverage(one: Doc, whole: Doc): Coverage {
  const domain = doc(one.domain);
  const axes: Record<string, Cell[]> = {};
  let composite: Composite | null = null;
  for (const [name, axis] of Object.entries(doc(domain.axes))) {
    const described = doc(axis);
    if (described.dataType === "tuple" || described.dataType === "polygon")
      composite = {
        kind: described.dataType,
        coordinates: list(described.coordinates).map(String),
        values: list(described.values),
      };
    else axes[name] = axisValues(described);
  }
  const ranges: Record<string, NdArray> = {};
  for (const [name, range] of Object.entries(doc(one.ranges))) ranges[name] = readRange(doc(range), name);
  return {
    domain: String(domain.domainType ?? whole.domainType ?? ""),
    axes,
    composite,
    ranges,
    labels: doc(one["terrella:axes"]) as Record<string, string | number>,
  };
}

/** Values of an axis, listed or as start, stop and number (both ends belong to it). */
function axisValues(axis: Doc): Cell[] {
  if (Array.isArray(axis.values)) return axis.values as Cell[];
  const [start, stop, num] = [Number(axis.start), Number(axis.stop), Number(axis.num)];
  if (!Number.isFinite(start) || !Number.isFinite(stop) || !Number.isInteger(num) || num < 1) return [];
  const step = num > 1 ? (stop - start) / (num - 1) : 0;
  return Array.from({ length: num }, (_, n) => (n === num - 1 ? stop : start + n * step));
}

function readRange(range: Doc, name: string): NdArray {
  if (range.type !== "NdArray") throw new Failure(text.probe.noRange(name, String(range.type)), 200);
  const values = list(range.values) as Cell[];
  const shape = list(range.shape).map(Number);
  if (shape.reduce((all, one) => all * one, 1) !== values.length)
    throw new Failure(text.probe.noRange(name, shape.join(" x ")), 200);
  return { axisNames: list(range.axisNames).map(String), shape, values };
}

function readParameters(parameters: Doc): Record<string, Parameter> {
  const found: Record<string, Parameter> = {};
  for (const [name, described] of Object.entries(parameters)) {
    const { observedProperty, unit } = doc(described);
    found[name] = { name, title: label(doc(observedProperty).label) || name, units: unitText(doc(unit)) };
  }
  return found;
}

/** An i18n text: English, else whatever there is. */
function label(said: unknown): string {
  if (typeof said === "string") return said;
  const texts = doc(said);
  return String(texts.en ?? Object.values(texts)[0] ?? "");
}

const unitText = (unit: Doc): string =>
  label(unit.label) || String(isDoc(unit.symbol) ? (unit.symbol.value ?? "") : (unit.symbol ?? ""));

function readCalendar(systems: Doc[]): string {
  const found = systems.map((one) => doc(one.system)).find((one) => one.type === "TemporalRS");
  const calendar = String(found?.calendar ?? "Gregorian");
  return calendar.includes("#calendar-") ? calendar.split("#calendar-")[1]! : calendar.toLowerCase();
}

function readVertical(systems: Doc[]): Coverages["vertical"] {
  const found = systems.map((one) => doc(one.system)).find((one) => one.type === "VerticalCRS");
  if (!found) return null;
  const axis = doc(list(doc(found.cs).csAxes)[0]);
  return { title: label(axis.name), units: unitText(doc(axis.unit)), down: axis.direction === "down" };
}

const single = (axis: Cell[] | undefined): number | null =>
  axis?.length === 1 && typeof axis[0] === "number" ? axis[0] : null;

/**
 * One variable along one axis (t, z, or an axis that stands in the labels: number, month): a column for each place on
 * all others. Composite axes (polygons) are one place: a number for all together stands in each of them.
 */
export function columns(answer: Coverages, variable: string, along: string): Column[] {
  const found = new Map<string, Column>();
  for (const coverage of answer.coverages) {
    const range = coverage.ranges[variable];
    if (!range) continue;
    if (along in coverage.labels) addLabelled(found, coverage, range, along);
    else if (range.axisNames.includes(along)) addAlong(found, coverage, range, along);
    else if (coverage.axes[along]?.length === 1) addAlong(found, coverage, range, along);
  }
  return [...found.values()];
}

/** The values along one axis, the others at the place that `fixed` says (0 where it does not). */
function taken(range: NdArray, along: string, fixed: Record<string, number>): (number | null)[] {
  let [start, stride, step, count] = [0, 1, 0, 1];
  for (let n = range.axisNames.length - 1; n >= 0; n--) {
    const name = range.axisNames[n]!;
    if (name === along) [step, count] = [stride, range.shape[n]!];
    else start += (fixed[name] ?? 0) * stride;
    stride *= range.shape[n]!;
  }
  return Array.from({ length: count }, (_, n) => numeric(range.values[start + n * step]));
}

const numeric = (cell: Cell | undefined): number | null =>
  typeof cell === "number" && Number.isFinite(cell) ? cell : null;

function addAlong(found: Map<string, Column>, coverage: Coverage, range: NdArray, along: string): void {
  const others = range.axisNames.filter((name) => name !== along && name !== "composite");
  for (const fixed of combinations(others.map((name) => [name, coverage.axes[name]?.length ?? 1]))) {
    const column = place(coverage, fixed, along);
    column.at = (coverage.axes[along] ?? []) as (string | number)[];
    column.values = taken(range, along, fixed);
    const known = found.get(keyOf(column));
    // an answer in several parts, one after the other
    if (known)
      [known.at, known.values] = [
        [...known.at, ...column.at],
        [...known.values, ...column.values],
      ];
    else found.set(keyOf(column), column);
  }
}

function addLabelled(found: Map<string, Column>, coverage: Coverage, range: NdArray, along: string): void {
  for (const fixed of combinations(
    range.axisNames.filter((name) => name !== "composite").map((name) => [name, coverage.axes[name]?.length ?? 1]),
  )) {
    const column = place(coverage, fixed, along);
    const { [along]: at, ...labels } = coverage.labels;
    column.labels = labels;
    const key = keyOf(column);
    const known = found.get(key) ?? column;
    found.set(key, known);
    known.at.push(at!);
    known.values.push(taken(range, "", fixed)[0]!);
  }
}

function place(coverage: Coverage, fixed: Record<string, number>, along: string): Column {
  const of = (name: string): Cell | null => (name === along ? null : (coverage.axes[name]?.[fixed[name] ?? 0] ?? null));
  const [x, y, z, t] = [of("x"), of("y"), of("z"), of("t")];
  return {
    labels: coverage.labels,
    x: typeof x === "number" ? x : null,
    y: typeof y === "number" ? y : null,
    z: typeof z === "number" ? z : null,
    t: typeof t === "string" ? t : null,
    at: [],
    values: [],
  };
}

const keyOf = (column: Column): string => JSON.stringify([column.labels, column.x, column.y, column.z, column.t]);

function* combinations(axes: [string, number][]): Generator<Record<string, number>> {
  const [first, ...rest] = axes;
  if (!first) {
    yield {};
    return;
  }
  for (let n = 0; n < first[1]; n++) for (const others of combinations(rest)) yield { [first[0]]: n, ...others };
}

/** Answers to the parts of one question, as one. */
export function together(parts: readonly Coverages[]): Coverages {
  const [first] = parts;
  if (!first) throw new Failure(text.probe.noCoverage("nothing"), 200);
  return { ...first, coverages: parts.flatMap((one) => one.coverages) };
}

/** One passage along a line: places with their values. */
export interface Track {
  labels: Record<string, string | number>;
  time: string | null;
  places: [lon: number, lat: number][];
  values: (number | null)[];
}

/** A variable along lines: Trajectory, and MultiPoint or MultiPointSeries where there is no time, or many. */
export function tracks(answer: Coverages, variable: string): Track[] {
  return answer.coverages.flatMap((coverage) => {
    const range = coverage.ranges[variable];
    if (!range || coverage.composite?.kind !== "tuple") return [];
    const [t, x, y] = ["t", "x", "y"].map((name) => coverage.composite!.coordinates.indexOf(name)) as [
      number,
      number,
      number,
    ];
    const tuples = coverage.composite.values as (number | string)[][];
    const places = tuples.map((one): [number, number] => [Number(one[x]), Number(one[y])]);
    const times = t >= 0 ? [String(tuples[0]?.[t])] : ((coverage.axes.t as string[] | undefined) ?? [null]);
    return times.map((time, n) => ({
      labels: coverage.labels,
      time,
      places,
      values: taken(range, "composite", { t: n }),
    }));
  });
}

/** Where the values of single places were taken: the middle of the cell that answered. */
export const placeOf = (coverage: Coverage): [number | null, number | null] => [
  single(coverage.axes.x),
  single(coverage.axes.y),
];
