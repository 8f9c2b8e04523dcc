/** Reading of GeoJSON that people bring, with a word for everything that can be wrong with it. Runs in a worker. */
import { area } from "../map/shapes";

export const MOST_BYTES = 20_000_000;
/** As many as the server reads. */
export const MOST_VERTICES = 20_000;
export const MOST_FEATURES = 2_000;

export type Kind = "Point" | "LineString" | "Polygon";
export type Brought = GeoJSON.Point | GeoJSON.LineString | GeoJSON.Polygon | GeoJSON.MultiPolygon;

export interface Chosen {
  name: string;
  geometry: Brought;
  vertices: number;
}

export type Fault =
  | { fault: "size"; bytes: number }
  | { fault: "empty" }
  | { fault: "json"; at: string }
  | { fault: "shape"; found: string }
  | { fault: "none"; kinds: Kind[]; found: string[] }
  | { fault: "vertices"; name: string; vertices: number }
  | { fault: "projected"; example: string; crs: string | null }
  | { fault: "numbers"; name: string };

export type Answer = { shapes: Chosen[]; left: number } | Fault;

type Json = Record<string, unknown>;
const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Shapes of the wanted kinds, or what is wrong. Never throws. */
export function readGeoJson(said: string, kinds: readonly Kind[]): Answer {
  const trimmed = said.replace(/^\uFEFF/, "").trim();
  if (!trimmed) return { fault: "empty" };
  let document: unknown;
  try {
    document = JSON.parse(trimmed);
  } catch (error) {
    return { fault: "json", at: error instanceof Error ? error.message.slice(0, 160) : "" };
  }
  return shapesOf(document, kinds);
}

function shapesOf(document: unknown, kinds: readonly Kind[]): Answer {
  if (!isObject(document) || typeof document.type !== "string")
    return { fault: "shape", found: Array.isArray(document) ? "list" : typeof document };
  const features = featuresOf(document);
  if (!features) return { fault: "shape", found: String(document.type).slice(0, 40) };
  const shapes: Chosen[] = [];
  const seen = new Set<string>();
  let firstFault: Fault | null = null;
  let left = 0;
  for (const [index, feature] of features.entries()) {
    const found = shapeOf(feature, index, kinds, seen);
    if (!found) left++;
    else if ("fault" in found) ((firstFault ??= found), left++);
    else if (shapes.length < MOST_FEATURES) shapes.push(found);
    else left++;
  }
  // a reference system concerns all of them: better nothing than shapes in the wrong place
  if (firstFault?.fault === "projected") return { ...firstFault, crs: crsOf(document) };
  if (shapes.length) return { shapes, left };
  return firstFault ?? { fault: "none", kinds: [...kinds], found: [...seen].slice(0, 5) };
}

const GEOMETRIES = [
  "Point",
  "MultiPoint",
  "LineString",
  "MultiLineString",
  "Polygon",
  "MultiPolygon",
  "GeometryCollection",
];

function featuresOf(document: Json): Json[] | null {
  if (document.type === "FeatureCollection")
    return Array.isArray(document.features) ? document.features.filter(isObject) : null;
  if (document.type === "Feature") return [document];
  return GEOMETRIES.includes(String(document.type))
    ? [{ type: "Feature", geometry: document, properties: null }]
    : null;
}

function shapeOf(feature: Json, index: number, kinds: readonly Kind[], seen: Set<string>): Chosen | Fault | null {
  const geometry = isObject(feature.geometry) ? merged(feature.geometry) : null;
  if (!geometry) return null;
  const kind = String(geometry.type).slice(0, 40);
  seen.add(kind);
  if (!kinds.includes(kind.replace("MultiPolygon", "Polygon") as Kind)) return null;
  const name = nameOf(feature, index);
  const depth = { Point: 1, LineString: 2, Polygon: 3, MultiPolygon: 4 }[kind] ?? 0;
  const counted: Counted = { vertices: 0, beyond: null };
  const coordinates = placesOf(geometry.coordinates, depth, counted);
  if (!coordinates || !counted.vertices) return { fault: "numbers", name };
  if (counted.beyond) return { fault: "projected", example: counted.beyond, crs: null };
  if (counted.vertices > MOST_VERTICES) return { fault: "vertices", name, vertices: counted.vertices };
  const made = closed({ type: kind, coordinates } as Brought);
  return made ? { name, geometry: made, vertices: counted.vertices } : { fault: "numbers", name };
}

/** A collection of polygons is one shape of many parts. */
function merged(geometry: Json): Json | null {
  if (geometry.type !== "GeometryCollection") return geometry;
  const parts = (Array.isArray(geometry.geometries) ? geometry.geometries : []).filter(isObject);
  const polygons = parts.flatMap((one) =>
    one.type === "Polygon"
      ? [one.coordinates]
      : one.type === "MultiPolygon" && Array.isArray(one.coordinates)
        ? one.coordinates
        : [],
  );
  return polygons.length && polygons.length >= parts.length
    ? { type: "MultiPolygon", coordinates: polygons }
    : parts.length === 1
      ? parts[0]!
      : geometry;
}

interface Counted {
  vertices: number;
  beyond: string | null;
}

/** Coordinates without heights, rounded to a decimetre; null where one is no number. */
function placesOf(value: unknown, depth: number, counted: Counted): unknown[] | null {
  if (!Array.isArray(value) || depth < 1) return null;
  if (depth === 1) {
    const [lon, lat] = value as unknown[];
    if (typeof lon !== "number" || typeof lat !== "number" || !Number.isFinite(lon) || !Number.isFinite(lat))
      return null;
    counted.vertices++;
    if (Math.abs(lon) > 360 || Math.abs(lat) > 90) counted.beyond ??= `${lon}, ${lat}`;
    return [Number(lon.toFixed(6)), Number(lat.toFixed(6))];
  }
  const made: unknown[] = [];
  for (const one of value) {
    const part = placesOf(one, depth - 1, counted);
    if (!part) return null;
    made.push(part);
  }
  return made;
}

/** Rings that end where they begin and go the way that RFC 7946 wants; without those that hold nothing. */
function closed(geometry: Brought): Brought | null {
  if (geometry.type === "Point") return geometry;
  if (geometry.type === "LineString") return geometry.coordinates.length > 1 ? geometry : null;
  const polygons = (geometry.type === "Polygon" ? [geometry.coordinates] : geometry.coordinates)
    .map(ringsOf)
    .filter((rings) => rings !== null);
  if (!polygons.length) return null;
  return polygons.length === 1
    ? { type: "Polygon", coordinates: polygons[0]! }
    : { type: "MultiPolygon", coordinates: polygons };
}

function ringsOf(rings: number[][][]): number[][][] | null {
  const made = rings.map((ring, index) => {
    const [first, last] = [ring[0], ring.at(-1)];
    const round = first && last && (first[0] !== last[0] || first[1] !== last[1]) ? [...ring, first] : ring;
    return area(round) < 0 === (index === 0) ? round.toReversed() : round;
  });
  const good = made.filter((ring) => ring.length > 3 && area(ring) !== 0);
  return made[0] === good[0] && good.length ? good : null;
}

const NAMES = [
  "name",
  "NAME",
  "Name",
  "title",
  "label",
  "NAME_EN",
  "name_en",
  "NAME_LATN",
  "NUTS_NAME",
  "ADMIN",
  "admin",
  "id",
  "ID",
  "code",
];

function nameOf(feature: Json, index: number): string {
  const properties = isObject(feature.properties) ? feature.properties : {};
  const found = [...NAMES.map((key) => properties[key]), feature.id, ...Object.values(properties)].find(
    (value) => (typeof value === "string" && value.trim()) || typeof value === "number",
  );
  return found === undefined ? `${index + 1}` : String(found).trim().slice(0, 80);
}

function crsOf(document: Json): string | null {
  const crs = isObject(document.crs) && isObject(document.crs.properties) ? document.crs.properties.name : null;
  return typeof crs === "string" ? crs.slice(0, 60) : null;
}
