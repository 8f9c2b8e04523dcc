/** Names of countries and degrees of the graticule: where they stand, and which of them give way. */
import { geoArea, geoCentroid, geoContains } from "d3-geo";
import type { Country } from "./atlas";
import { angle, vector, type Vector } from "./caps";
import type { Graticule } from "./graticule";
import type { Ink } from "./ink";
import { placeAt, radiusOf } from "./projection";
import type { Frame, LonLat } from "./types";

export interface Name {
  /** One or two lines. */
  lines: string[];
  at: LonLat;
  on: Vector;
  /** Side of a square as large as the country's largest part, in radians. */
  side: number;
}

/** Pixels: left, top, right, bottom. */
export type Box = readonly [number, number, number, number];

const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif';
const APART = 3;
/** A name may be wider than its country, but not by much. */
const OVERHANG = 1.5;

/** Names at the middle of the largest part of each country; the largest first. */
export function namesOf(countries: Country[]): Name[] {
  return countries
    .filter((one) => one.rings.length)
    .map(({ name, rings }) => {
      const polygon: GeoJSON.Polygon = { type: "Polygon", coordinates: rings };
      const at = standing(polygon);
      return { lines: broken(name), at, on: vector(at), side: Math.sqrt(geoArea(polygon)) };
    })
    .sort((a, b) => b.side - a.side);
}

/** The centroid, or where a bent country has most room in an east-west direction. */
function standing(polygon: GeoJSON.Polygon): LonLat {
  const centre = geoCentroid(polygon) as LonLat;
  return geoContains(polygon, centre) ? centre : (widest(polygon, centre[1]) ?? centre);
}

/** The middle of the widest part of a parallel within a polygon. */
function widest(polygon: GeoJSON.Polygon, lat: number): LonLat | null {
  const crossings: number[] = [];
  for (const ring of polygon.coordinates)
    ring.forEach((place, index) => {
      const before = ring[index - 1];
      if (!before || before[1]! > lat === place[1]! > lat || Math.abs(before[0]! - place[0]!) > 180) return;
      crossings.push(before[0]! + ((lat - before[1]!) / (place[1]! - before[1]!)) * (place[0]! - before[0]!));
    });
  crossings.sort((a, b) => a - b);
  let [best, wide]: [LonLat | null, number] = [null, 0];
  for (let n = 0; n + 1 < crossings.length; n += 2) {
    const [west, east] = [crossings[n]!, crossings[n + 1]!];
    if (east - west > wide) [best, wide] = [[(west + east) / 2, lat], east - west];
  }
  return best;
}

/** Long names in two lines. */
export function broken(name: string): string[] {
  if (name.length < 13 || !name.includes(" ")) return [name];
  const gaps = [...name.matchAll(/ /g)].map((gap) => gap.index);
  const [gap] = gaps.sort((a, b) => Math.abs(a - name.length / 2) - Math.abs(b - name.length / 2));
  return [name.slice(0, gap), name.slice(gap! + 1)];
}

const overlap = (a: Box, b: Box): boolean =>
  a[0] < b[2] + APART && b[0] < a[2] + APART && a[1] < b[3] + APART && b[1] < a[3] + APART;

/** Those that fit, of boxes in the order of their weight; `taken` is free for nobody. */
export function fitting<One extends { box: Box }>(wanted: One[], taken: readonly Box[] = []): One[] {
  const kept: One[] = [];
  for (const one of wanted) {
    if (taken.some((box) => overlap(box, one.box)) || kept.some(({ box }) => overlap(box, one.box))) continue;
    kept.push(one);
  }
  return kept;
}

/** Angle from the middle of the projection within which names are read, not seen edge on. */
const READABLE = { globe: 1.26, north: 1.9, south: 1.9 } as const;

/** Names that a pane has room for, with their pixels. */
export function placed(
  names: Name[],
  frame: Frame,
  widthOf: (line: string, size: number) => number,
): { name: Name; x: number; y: number; size: number; box: Box }[] {
  const { camera, projection, width, height } = frame;
  const radius = radiusOf(camera.zoom);
  const middle =
    camera.projection === "north"
      ? vector([0, 90])
      : camera.projection === "south"
        ? vector([0, -90])
        : vector([camera.lon, camera.lat]);
  const readable = READABLE[camera.projection as keyof typeof READABLE] ?? Math.PI;
  const found = [];
  for (const name of names) {
    const away = angle(middle, name.on);
    if (name.side * radius < 14) break;
    if (away > readable) continue;
    // towards the limb of the globe there is less room
    const room = name.side * radius * (camera.projection === "globe" ? Math.sqrt(Math.cos(away)) : 1);
    const at = projection(name.at);
    if (!at || at[0] < 0 || at[1] < 0 || at[0] > width || at[1] > height) continue;
    const size = room > 160 ? 13 : room > 60 ? 12 : 11;
    const wide = Math.max(...name.lines.map((line) => widthOf(line, size)));
    if (wide > room * OVERHANG) continue;
    const high = size * 1.15 * name.lines.length;
    const [x, y] = at;
    found.push({ name, x, y, size, box: [x - wide / 2, y - high / 2, x + wide / 2, y + high / 2] as const });
  }
  return found;
}

const widths = new Map<string, number>();

export function drawNames(
  ctx: CanvasRenderingContext2D,
  frame: Frame,
  names: Name[],
  ink: Ink,
  taken: readonly Box[],
): void {
  const widthOf = (line: string, size: number): number => {
    const key = `${size} ${line}`;
    let wide = widths.get(key);
    if (wide === undefined) {
      ctx.font = fontOf(size);
      widths.set(key, (wide = ctx.measureText(line).width));
    }
    return wide;
  };
  prepare(ctx, ink);
  for (const { name, x, y, size } of fitting(placed(names, frame, widthOf), taken)) {
    ctx.font = fontOf(size);
    const step = size * 1.15;
    name.lines.forEach((line, index) => write(ctx, line, x, y + (index - (name.lines.length - 1) / 2) * step));
  }
}

const fontOf = (size: number): string => `500 ${size}px ${FONT}`;

function prepare(ctx: CanvasRenderingContext2D, ink: Ink): void {
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  ctx.lineJoin = "round";
  ctx.strokeStyle = ink.halo;
  ctx.fillStyle = ink.name;
  ctx.lineWidth = 3;
}

function write(ctx: CanvasRenderingContext2D, line: string, x: number, y: number): void {
  ctx.strokeText(line, x, y);
  ctx.fillText(line, x, y);
}

/** 30°W, 45.5°N. */
export function degrees(value: number, [positive, negative]: readonly [string, string]): string {
  const turned = ((((value + 180) % 360) + 360) % 360) - 180;
  const seen = positive === "E" ? turned : value;
  const side = Math.abs(seen) < 1e-9 || Math.abs(seen) === 180 ? "" : seen > 0 ? positive : negative;
  return `${Number(Math.abs(seen).toFixed(4))}°${side}`;
}

/** Degrees beside the lines of a graticule; returns the room that they take. */
export function drawDegrees(ctx: CanvasRenderingContext2D, frame: Frame, { lons, lats }: Graticule, ink: Ink): Box[] {
  const { projection, width, height, camera } = frame;
  const isCylinder = camera.projection === "flat" || camera.projection === "mercator";
  // degrees stand along the two lines nearest to the middle; on a cylinder at the edges
  const lon = nearest(lons, camera.lon, 360);
  const low =
    camera.projection === "north" || camera.projection === "south"
      ? placeAt(projection, width / 2, height * 0.85)?.[1]
      : undefined;
  const lat = nearest(lats, low ?? camera.lat, Infinity);
  const at = (place: LonLat): [number, number] | null => {
    const [x, y] = projection(place) ?? [NaN, NaN];
    const back = placeAt(projection, x, y);
    return back && angle(vector(back), vector(place)) < 1e-3 ? [x, y] : null;
  };
  const wanted: { text: string; x: number; y: number }[] = [];
  for (const one of lats) {
    const spot = at([lon, one]);
    if (spot) wanted.push({ text: degrees(one, ["N", "S"]), x: isCylinder ? 24 : spot[0], y: spot[1] });
  }
  for (const one of lons) {
    const spot = at([one, lat]);
    if (spot) wanted.push({ text: degrees(one, ["E", "W"]), x: spot[0], y: isCylinder ? height - 12 : spot[1] });
  }
  prepare(ctx, ink);
  ctx.font = fontOf(10);
  const boxes = wanted
    .map((one) => {
      const half = ctx.measureText(one.text).width / 2;
      return { ...one, box: [one.x - half, one.y - 6, one.x + half, one.y + 6] as const };
    })
    .filter(({ box }) => box[0] > 2 && box[1] > 2 && box[2] < width - 2 && box[3] < height - 2);
  const kept = fitting(boxes);
  for (const { text, x, y } of kept) write(ctx, text, x, y);
  return kept.map(({ box }) => box);
}

function nearest(values: number[], to: number, turn: number): number {
  const off = (value: number): number => {
    const away = Math.abs(value - to);
    return Number.isFinite(turn) ? Math.min(away % turn, turn - (away % turn)) : away;
  };
  return values.reduce((best, value) => (off(value) < off(best) ? value : best), values[0] ?? 0);
}
