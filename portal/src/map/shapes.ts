/**
 * Shapes that people draw, and their GeoJSON.
 *
 * The server takes the edges of polygons as straight in longitude and latitude (as RFC 7946, 3.1.1 has them), so they are drawn
 * along these: what lies inside on the map is what lies inside there. Lines are great circles, as the server measures along them.
 * Longitudes of a shape over the antimeridian count on beyond 180, within -360..360; a polygon around a pole is closed over it.
 */
import { geoInterpolate } from "d3-geo";
import type { LonLat } from "./types";

export type Tool = "point" | "line" | "polygon" | "box";

/** A shape by its vertices, in the order they were drawn; of a box two opposite corners. */
export interface Shape {
  tool: Tool;
  vertices: LonLat[];
}

/** Vertices that a tool needs at least. */
export const LEAST: Record<Tool, number> = { point: 1, line: 2, polygon: 3, box: 2 };

const near = (a: readonly number[], b: readonly number[]): boolean =>
  Math.abs(a[0]! - b[0]!) < 1e-9 && Math.abs(a[1]! - b[1]!) < 1e-9;

/** The nearer way around from one longitude to another, in -180..180. */
export const turn = (from: number, to: number): number => ((((to - from) % 360) + 540) % 360) - 180;

/** The same places, each at the longitude nearest to the one before. */
export function unwrapped(places: readonly LonLat[]): LonLat[] {
  const made: LonLat[] = [];
  for (const [lon, lat] of places) {
    const before = made.at(-1);
    made.push([before ? before[0] + turn(before[0], lon) : lon, lat]);
  }
  return made;
}

/** Moved around the Earth as a whole so that longitudes lie in -360..360, the west end in -180..180 where that is possible. */
function shifted(places: LonLat[]): LonLat[] {
  const [west, east] = ends(places);
  let by = -360 * Math.floor((west + 180) / 360);
  if (east + by > 360) by -= 360;
  return by ? places.map(([lon, lat]) => [lon + by, lat]) : places;
}

const ends = (places: readonly LonLat[]): [west: number, east: number] => [
  Math.min(...places.map(([lon]) => lon)),
  Math.max(...places.map(([lon]) => lon)),
];

const rounded = (value: number): number => Number(value.toFixed(6));
const round = ([lon, lat]: LonLat): LonLat => [rounded(lon), rounded(lat)];

/** GeoJSON of a shape; null while it has too few vertices. */
export function geometryOf({ tool, vertices }: Shape): GeoJSON.Geometry | null {
  const places = distinct(vertices).map(round);
  if (places.length < LEAST[tool]) return null;
  switch (tool) {
    case "point":
      return { type: "Point", coordinates: [rounded(turn(0, places[0]![0])), places[0]![1]] };
    case "line":
      return { type: "LineString", coordinates: shifted(unwrapped(places)).map(round) };
    case "box":
      return box(places[0]!, places[1]!);
    case "polygon":
      return { type: "Polygon", coordinates: [ring(places).map(round)] };
  }
}

const distinct = (vertices: readonly LonLat[]): LonLat[] =>
  vertices.filter((one, index) => index === 0 || !near(one, vertices[index - 1]!));

/** Along parallels and meridians from corner to corner; `bbox` as RFC 7946 has it, west beyond east over the antimeridian. */
function box(one: LonLat, other: LonLat): GeoJSON.Polygon | null {
  const wide = Math.min(360, Math.abs(other[0] - one[0]));
  const [south, north] = [Math.min(one[1], other[1]), Math.max(one[1], other[1])];
  if (!wide || south === north) return null;
  const west = wide === 360 ? -180 : rounded(turn(0, Math.min(one[0], other[0])));
  const east = rounded(west + wide);
  const corners: LonLat[] = [
    [west, south],
    [east, south],
    [east, north],
    [west, north],
    [west, south],
  ];
  return {
    type: "Polygon",
    bbox: [west, south, east > 180 ? rounded(east - 360) : east, north],
    coordinates: [corners],
  };
}

/** A closed ring, counterclockwise in longitude and latitude (RFC 7946, 3.1.6). */
function ring(vertices: LonLat[]): LonLat[] {
  const open = unwrapped(vertices);
  const closing = open.at(-1)![0] + turn(open.at(-1)![0], open[0]![0]);
  const around = Math.round((closing - open[0]![0]) / 360);
  const closed = around ? overPole(open, around) : shifted([...open, open[0]!]);
  return area(closed) < 0 ? closed.reverse() : closed;
}

/** Twice the area of a ring in the plane of longitude and latitude; positive counterclockwise. */
export function area(ring: readonly (readonly number[])[]): number {
  let sum = 0;
  for (let n = 0; n + 1 < ring.length; n++) sum += ring[n]![0]! * ring[n + 1]![1]! - ring[n + 1]![0]! * ring[n]![1]!;
  return sum;
}

/** A ring that goes once around the Earth, cut at the antimeridian and closed over the pole that is nearer to it. */
function overPole(open: LonLat[], around: number): LonLat[] {
  const eastward = around > 0 ? open : [...open].reverse();
  const [first] = eastward;
  const turned = unwrapped([...eastward, first!]);
  // the place where the ring passes the antimeridian, then all of it from there, in -180..180
  const seam = Math.ceil((turned[0]![0] - 180) / 360) * 360 + 180;
  const index = turned.findIndex(([lon]) => lon >= seam);
  const [before, after] = [turned[index - 1] ?? turned[0]!, turned[index]!];
  const share = after[0] === before[0] ? 0 : (seam - before[0]) / (after[0] - before[0]);
  const lat = rounded(before[1] + share * (after[1] - before[1]));
  const rest = [...turned.slice(index, -1), ...turned.slice(0, index).map(([lon, at]): LonLat => [lon + 360, at])];
  const pole = eastward.reduce((sum, [, at]) => sum + at, 0) >= 0 ? 90 : -90;
  const along = rest
    .map(([lon, at]): LonLat => [rounded(lon - seam - 180), at])
    .filter(([lon]) => lon > -180 && lon < 180);
  return [[-180, lat], ...along, [180, lat], [180, pole], [-180, pole], [-180, lat]];
}

/** Vertices up to which a shape is changed by hand: with more there is no telling them apart. */
const MOST_EDITED = 200;

/** The shape of a geometry, to be edited; null for what cannot be (holes, several parts, an outline of a country). */
export function shapeOf(geometry: GeoJSON.Geometry): Shape | null {
  const made = anyShapeOf(geometry);
  return made && made.vertices.length <= MOST_EDITED ? made : null;
}

function anyShapeOf(geometry: GeoJSON.Geometry): Shape | null {
  switch (geometry.type) {
    case "Point":
      return { tool: "point", vertices: [flat(geometry.coordinates)] };
    case "LineString":
      return { tool: "line", vertices: geometry.coordinates.map(flat) };
    case "Polygon":
      return geometry.coordinates.length === 1
        ? polygonShape(geometry.coordinates[0]!.map(flat), geometry.bbox !== undefined)
        : null;
    default:
      return null;
  }
}

const flat = (place: number[]): LonLat => [place[0]!, place[1]!];

function polygonShape(ring: LonLat[], mayBeBox: boolean): Shape {
  const open = ring.slice(0, -1);
  const [west, east] = ends(open);
  const isBox = mayBeBox && open.length === 4 && open.every(([lon]) => lon === west || lon === east);
  if (isBox) return { tool: "box", vertices: [open[0]!, open[2]!] };
  const pole = open.findIndex(([, lat]) => Math.abs(lat) === 90);
  if (pole < 0) return { tool: "polygon", vertices: open };
  // the seam to the pole was not drawn by anybody
  return { tool: "polygon", vertices: open.filter(([lon, lat]) => Math.abs(lat) !== 90 && Math.abs(lon) !== 180) };
}

/** A shape with one vertex elsewhere; a corner of a box by its number takes its two sides along. */
export function moved(shape: Shape, index: number, to: LonLat): Shape {
  const vertices = [...shape.vertices];
  if (shape.tool === "box") {
    const [one, other] = vertices as [LonLat, LonLat];
    const at = (before: number): number => before + turn(before, to[0]);
    const isFirst = { lon: index === 0 || index === 3, lat: index === 0 || index === 1 };
    vertices[0] = [isFirst.lon ? at(one[0]) : one[0], isFirst.lat ? to[1] : one[1]];
    vertices[1] = [isFirst.lon ? other[0] : at(other[0]), isFirst.lat ? other[1] : to[1]];
  } else {
    const before = vertices[index]!;
    vertices[index] = [before[0] + turn(before[0], to[0]), to[1]];
  }
  return { ...shape, vertices };
}

/** What can be taken hold of: the vertices, of a box its four corners. */
export function holds({ tool, vertices }: Shape): LonLat[] {
  if (tool !== "box" || vertices.length < 2) return vertices;
  const [one, other] = vertices as [LonLat, LonLat];
  return [one, [other[0], one[1]], other, [one[0], other[1]]];
}

/** Middles of the edges, at which a vertex may be added; the one after vertex `index` at `index`. */
export function middles({ tool, vertices }: Shape): LonLat[] {
  if (tool !== "line" && tool !== "polygon") return [];
  const edges = tool === "line" ? vertices.length - 1 : vertices.length;
  return Array.from({ length: Math.max(0, edges) }, (_, index) => {
    const [a, b] = [vertices[index]!, vertices[(index + 1) % vertices.length]!];
    return tool === "line" ? geoInterpolate(a, b)(0.5) : [a[0] + turn(a[0], b[0]) / 2, (a[1] + b[1]) / 2];
  });
}

/** Shapes for d3: polygons with their edges along straight lines in longitude and latitude, and wound as d3 wants them. */
export function spherical(geometry: GeoJSON.Geometry, step: number): GeoJSON.Geometry {
  if (geometry.type === "Polygon") return { type: "Polygon", coordinates: wound(geometry.coordinates, step) };
  if (geometry.type === "MultiPolygon")
    return { type: "MultiPolygon", coordinates: geometry.coordinates.map((one) => wound(one, step)) };
  if (geometry.type === "GeometryCollection")
    return { type: "GeometryCollection", geometries: geometry.geometries.map((one) => spherical(one, step)) };
  return geometry;
}

/** In d3 the outer ring goes clockwise, and the interior of a ring is what lies to its right: also more than half of the Earth. */
const wound = (rings: number[][][], step: number): number[][][] =>
  rings.map((ring, index) => {
    const dense = densified(ring, step);
    return area(ring) > 0 === (index === 0) ? dense.reverse() : dense;
  });

const MOST_BETWEEN = 400;

/** Points along straight edges, so that d3 does not take great circles. Poles are left by a hair: all meridians meet in them. */
export function densified(ring: number[][], step: number): number[][] {
  const made: number[][] = [];
  ring.forEach((place, index) => {
    const before = ring[index - 1];
    if (before) {
      const parts = Math.min(MOST_BETWEEN, Math.ceil(Math.abs(place[0]! - before[0]!) / step));
      for (let n = 1; n < parts; n++)
        made.push([
          before[0]! + ((place[0]! - before[0]!) * n) / parts,
          before[1]! + ((place[1]! - before[1]!) * n) / parts,
        ]);
    }
    made.push([place[0]!, Math.max(-89.9999, Math.min(89.9999, place[1]!))]);
  });
  return made;
}

/** The outline of a polygon without the seams at which it is cut: along the antimeridian, and in a pole. */
export function outline(rings: number[][][], step: number): GeoJSON.MultiLineString {
  const lines: number[][][] = [];
  for (const ring of rings) {
    let line: number[][] = [];
    const close = (): void => {
      if (line.length > 1) lines.push(densified(line, step));
      line = [];
    };
    ring.forEach((place, index) => {
      const before = ring[index - 1];
      if (before && isSeam(before, place)) close();
      line.push(place);
    });
    close();
  }
  return { type: "MultiLineString", coordinates: lines };
}

const isSeam = (a: number[], b: number[]): boolean =>
  (Math.abs(a[0]!) === 180 && a[0] === b[0]) || (Math.abs(a[1]!) === 90 && a[1] === b[1]);
