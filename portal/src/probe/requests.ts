/** From a probe and a layer to the one request that answers it. Pure. */
import type { Asked } from "../api/edr";
import type { Axis } from "../api/tilesets";
import { unitOf } from "../color/units";
import { chosenAxes, placeOn, suggested, type Drawn } from "../explore/scene";
import { axesOf, isTime } from "../state/steps";
import type { TileVariable } from "../api/tilesets";
import type { ProbeView } from "../state/view";
import { lengthOf, stations, type Station } from "./lines";
import { shapeOf, vertices, wkt } from "./shapes";

/** One variable of one layer, as the charts show it. */
export interface Subject {
  key: string;
  drawn: Drawn;
  variable: TileVariable;
  /** Number of its colour. */
  color: number;
}

/** The axis along which a series runs: `t`, or an axis by its name (month). */
export interface Along {
  name: string;
  kind: "time" | "month" | "number";
  title: string;
  units: string;
  count: number;
}

/** Bands of one layer are subjects of their own, and so are both sides of a difference. */
export function subjectsOf(drawn: readonly Drawn[]): Subject[] {
  const found: Subject[] = [];
  for (const one of drawn.flatMap(sides))
    for (const variable of one.bands ?? [one.variable]) {
      const key = one.bands ? `${one.key}.${variable.name}` : one.key;
      if (!found.some((other) => other.key === key)) found.push({ key, drawn: one, variable, color: found.length });
    }
  return found;
}

/** A difference is drawn in units without a zero point; its sides are read in their own. */
function sides(one: Drawn): Drawn[] {
  const { minus, layer, variable } = one;
  if (!minus) return [one];
  const unit = unitOf(variable.units, layer.unit, variable.range);
  const own: Drawn = { ...one, unit, range: layer.range ?? suggested(variable), colors: minus.colors, minus: null };
  return [own, minus];
}

const axes = ({ drawn, variable }: Subject): Axis[] => axesOf(drawn.tileset, variable);

export function alongOf(subject: Subject): Along | null {
  const all = axes(subject);
  const times = all.filter((axis) => isTime(axis, all));
  const count = times.reduce((most, one) => Math.max(most, one.count), 0) || (subject.drawn.steps?.count ?? 0);
  if (count > 1) return { name: "t", kind: "time", title: "", units: "", count };
  const other = all.find((axis) => axis.count > 1 && !isTime(axis, all) && !["vertical", "number"].includes(axis.kind));
  if (!other) return null;
  const isMonth = other.name === "month" && other.count === 12;
  return {
    name: other.name,
    kind: isMonth ? "month" : "number",
    title: other.name,
    units: other.units,
    count: other.count,
  };
}

/** The ensemble's axis; null where there is one member or none. */
export const membersOf = (subject: Subject): Axis | null =>
  axes(subject).find((axis) => axis.kind === "number" && axis.count > 1) ?? null;

/** The vertical axis; null where there is one level or none. */
export const levelsOf = (subject: Subject): Axis | null =>
  axes(subject).find((axis) => axis.kind === "vertical" && axis.count > 1) ?? null;

const parameterOf = (axis: Axis): string => (axis.kind === "vertical" ? "z" : axis.name);

/** The place on every axis but time and those that are asked for whole. */
export function placesOf(subject: Subject, whole: readonly string[]): Record<string, string> {
  const { drawn, variable } = subject;
  const fixed = chosenAxes(drawn.tileset, variable).filter((axis) => axis.count > 1 && !whole.includes(axis.name));
  return Object.fromEntries(fixed.map((axis) => [parameterOf(axis), placeOn(axis, drawn.layer.axes[axis.name])]));
}

/** The query and the parameters that say where. */
function where(probe: ProbeView): Pick<Asked, "query"> & { parameters: Record<string, string> } {
  if (probe.region) return { query: "area", parameters: { region: probe.region } };
  const coords = probe.geometry ? wkt(probe.geometry) : "";
  return { query: shapeOf(probe) === "point" ? "position" : "area", parameters: { coords } };
}

const isArea = (probe: ProbeView): boolean => shapeOf(probe) === "area";

export interface Wish {
  /** All members of an ensemble rather than the chosen one. */
  members: boolean;
  /** A further reduction after that over space. */
  reduce?: string;
}

/** A series at a place, or of the mean over an area. */
export function seriesRequest(subject: Subject, probe: ProbeView, wish: Wish): Asked {
  const along = alongOf(subject);
  const members = wish.members ? membersOf(subject) : null;
  const whole = [along?.name, members?.name].filter((one) => one !== undefined);
  const reduce = [isArea(probe) ? "mean:space" : "", wish.reduce ?? ""].filter(Boolean).join(",");
  return made(subject, probe, placesOf(subject, whole), reduce);
}

function made(subject: Subject, probe: ProbeView, places: Record<string, string>, reduce: string): Asked {
  const { query, parameters } = where(probe);
  return {
    collection: subject.drawn.tileset.id,
    query,
    parameters: { ...parameters, "parameter-name": subject.variable.name, ...places, ...(reduce && { reduce }) },
  };
}

/** The time that a layer shows, as query parameters. */
export const timeOf = (subject: Subject): Record<string, string> => subject.drawn.shown?.query ?? {};

/** All levels at the current time. */
export function profileRequest(subject: Subject, probe: ProbeView): Asked {
  const levels = levelsOf(subject);
  const places = { ...placesOf(subject, levels ? [levels.name] : []), ...timeOf(subject) };
  return made(subject, probe, places, isArea(probe) ? "mean:space" : "");
}

/** Corners that a line may have in one request. */
const MOST_STATIONS = 240;

/** Kilometres of the finest cell that tiles are made of. */
export function fineness(subject: Subject): number {
  const zoom = subject.drawn.tileset.zooms.WorldCRS84Quad ?? 0;
  return (180 / (256 * 2 ** zoom)) * 111.2;
}

/** Where values are taken along a line: about each cell, and at its corners. */
export function stationsOf(subject: Subject, line: GeoJSON.LineString, most = MOST_STATIONS): Station[] {
  const corners = line.coordinates.map((one): [number, number] => [one[0]!, one[1]!]);
  const finest = Math.max(fineness(subject) / 2, lengthOf(corners) / most);
  return stations(corners, most, finest);
}

/** Numbers that a picture of distance and time is made of at most; a browser draws no more than it has pixels. */
const MOST_NUMBERS = 250_000;
const LEAST_STATIONS = 60;

/** Places along a line for all times: fewer where there are many times. */
export const stationsOverTime = (subject: Subject, line: GeoJSON.LineString): Station[] =>
  stationsOf(
    subject,
    line,
    Math.max(LEAST_STATIONS, Math.min(MOST_STATIONS, Math.floor(MOST_NUMBERS / (alongOf(subject)?.count ?? 1)))),
  );

/** Whether there are so many times that months are drawn instead. */
export const isThinned = (subject: Subject): boolean => {
  const along = alongOf(subject);
  return along?.kind === "time" && along.count * LEAST_STATIONS > MOST_NUMBERS;
};

/** Values along a line, at the current time or at all times. */
export function lineRequest(subject: Subject, line: GeoJSON.LineString, times: "now" | "all"): Asked {
  const along = alongOf(subject);
  const whole = times === "all" && along ? [along.name] : [];
  const places = { ...placesOf(subject, whole), ...(times === "now" ? timeOf(subject) : {}) };
  if (times === "all" && isThinned(subject)) places.reduce = "mean:time:month";
  const found = times === "all" ? stationsOverTime(subject, line) : stationsOf(subject, line);
  const coordinates = found.map((one) => one.place);
  const coords = wkt({ type: "LineString", coordinates });
  return {
    collection: subject.drawn.tileset.id,
    query: "trajectory",
    parameters: { coords, "parameter-name": subject.variable.name, ...places },
  };
}

/** What statistics of an area at the current time are asked with. */
export function statisticsParameters(subject: Subject, probe: ProbeView): Record<string, string> {
  const { parameters } = where(probe);
  return { ...parameters, "parameter-name": subject.variable.name, ...placesOf(subject, []), ...timeOf(subject) };
}

/** About how many numbers a request takes; above some it is better to ask what it costs first. */
export function weightOf(subject: Subject, probe: ProbeView, members: boolean): number {
  const along = alongOf(subject)?.count ?? 1;
  const numbers = along * (members ? (membersOf(subject)?.count ?? 1) : 1);
  return numbers * (isArea(probe) ? cellsWithin(subject, probe) : 1);
}

/** Cells of the box around an area; all of them where only its name is known. */
function cellsWithin(subject: Subject, probe: ProbeView): number {
  const size = fineness(subject) / 111.2;
  if (!probe.geometry || vertices(probe.geometry) < 3) return (360 / size) * (180 / size) * 0.05;
  const flat = (probe.geometry.coordinates as unknown[]).flat(4) as number[];
  const pairs = flat.length / 2;
  const [lons, lats] = [
    Array.from({ length: pairs }, (_, n) => flat[2 * n]!),
    Array.from({ length: pairs }, (_, n) => flat[2 * n + 1]!),
  ];
  const span = (values: number[]): number =>
    values.reduce((a, b) => Math.max(a, b), -Infinity) - values.reduce((a, b) => Math.min(a, b), Infinity);
  return Math.max(1, (span(lons) / size) * (span(lats) / size));
}
