/** What somebody wants to take away, as a question in the words of EDR. Pure. */
import type { Asked, Query } from "../api/edr";
import type { Axis, Tileset, TileVariable } from "../api/tilesets";
import type { Steps } from "../state/steps";
import { wkt } from "../probe/shapes";
import type { ProbeView } from "../state/view";

export type ShapeChoice =
  | { kind: "whole" }
  | { kind: "box"; box: [number, number, number, number] }
  | { kind: "place"; place: [number, number] }
  | { kind: "probe"; probe: ProbeView };

/** All times, the one on the map, or from one to another (both included). */
export type TimeChoice = { kind: "now" } | { kind: "all" } | { kind: "span"; from: string; to: string };

export const HOWS = ["mean", "min", "max", "std", "median"] as const;
export type How = "" | (typeof HOWS)[number];
export const PERIODS = ["", "day", "month", "season", "year", "climatology-month"] as const;
export type Period = (typeof PERIODS)[number];

export interface Wanted {
  collection: string;
  variables: string[];
  shape: ShapeChoice;
  time: TimeChoice;
  /** Values of each axis but time, as its axis writes them; none: all of them. */
  axes: Record<string, string[]>;
  reduce: { members: How; time: How; period: Period; space: How };
  format: string;
}

/** What is known of the data that a question is about. */
export interface Subject {
  tileset: Tileset;
  variable: TileVariable;
  /** Axes but time. */
  axes: Axis[];
  steps: Steps | null;
  /** The step that the map shows. */
  step: number;
}

/** Whether the answer is of many cells, and can be made one number. */
export function isField(shape: ShapeChoice): boolean {
  if (shape.kind === "place") return false;
  if (shape.kind !== "probe") return true;
  return shape.probe.region !== null || /Polygon$/.test(shape.probe.geometry?.type ?? "");
}

/** The question; null while a number is missing. */
export function askedOf(wanted: Wanted, subject: Subject): Asked | null {
  const shaped = shapeOf(wanted.shape, subject.tileset);
  if (!shaped || !wanted.variables.length) return null;
  const [query, shape] = shaped;
  const parameters: Record<string, string> = { ...shape, "parameter-name": wanted.variables.map(quoted).join(",") };
  for (const axis of subject.axes) {
    const values = wanted.axes[axis.name] ?? [];
    if (values.length) parameters[axis.kind === "vertical" ? "z" : axis.name] = values.join(",");
  }
  Object.assign(parameters, timeOf(wanted, subject));
  const reduce = reduceOf(wanted, subject);
  if (reduce) parameters.reduce = reduce;
  return { collection: wanted.collection, query, parameters };
}

/** The same as the site writes it out for every client: the map as a whole has no shape there. */
export function viewOf(
  wanted: Wanted,
  subject: Subject,
  drawn: Record<string, string> = {},
): Record<string, unknown> | null {
  const asked = askedOf(wanted, subject);
  if (!asked) return null;
  const { bbox, ...rest } = asked.parameters;
  const shape = wanted.shape.kind === "whole" || bbox === undefined ? {} : { bbox };
  return { collection: wanted.collection, ...rest, ...shape, ...drawn };
}

/** A name with commas or quotes is one name only in quotes. */
const quoted = (name: string): string => (name.includes(",") ? `"${name}"` : name);

const plain = (value: number): string => String(Number(value.toFixed(6)));

function shapeOf(shape: ShapeChoice, tileset: Tileset): [Query, Record<string, string>] | null {
  if (shape.kind === "whole") return ["cube", { bbox: tileset.bounds.map(plain).join(",") }];
  if (shape.kind === "box")
    return shape.box.every(Number.isFinite) ? ["cube", { bbox: shape.box.map(plain).join(",") }] : null;
  if (shape.kind === "place") {
    const [lon, lat] = shape.place;
    return Number.isFinite(lon) && Number.isFinite(lat)
      ? ["position", { coords: `POINT(${plain(lon)} ${plain(lat)})` }]
      : null;
  }
  const { geometry, region } = shape.probe;
  if (region) return ["area", { region }];
  if (!geometry) return null;
  const query = geometry.type === "Point" ? "position" : geometry.type === "LineString" ? "trajectory" : "area";
  return [query, { coords: wkt(geometry) }];
}

function timeOf({ time }: Wanted, { steps, step }: Subject): Record<string, string> {
  if (!steps?.count) return {};
  if (time.kind === "now") return steps.query(Math.max(0, Math.min(step, steps.count - 1)));
  // of a forecast the run stays the chosen one
  const { datetime, step: lead, ...run } = steps.query(0);
  (void datetime, lead);
  return time.kind === "all" ? run : { ...run, datetime: `${time.from || ".."}/${time.to || ".."}` };
}

/** Whether there are several times to make one of. */
export const hasTimes = (wanted: Wanted, { steps }: Subject): boolean =>
  (steps?.count ?? 0) > 1 && wanted.time.kind !== "now";

/** Over members first, then over time, then over space. */
function reduceOf(wanted: Wanted, subject: Subject): string {
  const { members, time, period, space } = wanted.reduce;
  const made: string[] = [];
  const ensemble = memberAxis(subject);
  if (members && ensemble && (wanted.axes[ensemble.name] ?? []).length !== 1) made.push(`${members}:${ensemble.name}`);
  if (time && hasTimes(wanted, subject)) {
    const over = subject.variable.axes.includes("time") || !subject.variable.axes.includes("step") ? "time" : "step";
    made.push(`${time}:${over}${period && over === "time" ? `:${period}` : ""}`);
  }
  if (space && isField(wanted.shape)) made.push(`${space}:space`);
  return made.join(",");
}

export const memberAxis = ({ axes }: Subject): Axis | undefined => axes.find((one) => one.kind === "number");

/** The format that suits: a table of few places, a file of many. */
export function suits(wanted: Wanted, formats: readonly string[]): string {
  const best = isField(wanted.shape) && !wanted.reduce.space ? ["NetCDF", "GeoTIFF"] : ["CSV", "CoverageJSON"];
  return best.find((one) => formats.includes(one)) ?? formats[0] ?? "CoverageJSON";
}

const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"];
/** Bytes as people read them: 1.2 MB. */
export function spokenBytes(bytes: number): string {
  if (!(bytes >= 1000)) return `${Math.max(0, Math.round(bytes || 0))} B`;
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** power;
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${UNITS[power]}`;
}

/** A while as people read it: under a second, 12 s, 3 min. */
export function spokenSeconds(seconds: number): string {
  if (seconds < 1) return "< 1 s";
  if (seconds < 90) return `${Math.round(seconds)} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}
