/**
 * Tiles as triangles on a projected map: the same formulas as d3-geo's, in float64 and relative to the middle of the pane, so
 * that what is left for float32 is small at every zoom. Rows and columns are projected apart: no formula here needs more.
 */
import { geoEqualEarthRaw } from "d3-geo";
import { MERCATOR_LIMIT, radiusOf, scaleOf } from "./projection";
import { northOf, spanOf, westOf, wrapped, type Quad } from "./quads";
import type { Camera, LonLat } from "./types";

const DEGREE = Math.PI / 180;
/** Pixels by which an edge of a triangle may miss the curve that it stands for. */
const MISS = 0.35;
const MOST_PARTS = 64;
/** Polar maps end so far beyond the equator (degrees), as projectionFor clips them. */
const POLAR_END = 30;

/** What a pane shows, in CSS pixels. */
export interface View {
  camera: Camera;
  width: number;
  height: number;
}

/** A tile, or the part of it on one side of the seam, as a grid of (down + 1) rows of (across + 1) corners. */
export interface Mesh {
  quad: Quad;
  across: number;
  down: number;
  /**
   * Of each corner: pixels right of and below the middle of the pane; on the globe the cosine of its distance from the
   * middle (below 0 it is behind the horizon), else 1; place within the tile, 0 to 1 from the west and from the north.
   */
  corners: Float32Array;
  /** Least x and y, greatest x and y of what is on this side. */
  box: [number, number, number, number];
}

export const CORNER = 5;

/** Positions along one side: degrees (of longitude from the middle), and the share of the tile's side there. */
interface Stops {
  degrees: Float64Array;
  shares: Float64Array;
}

/** Pixels of each corner of rows and columns: x, y and how far it faces us. */
type Placing = (rows: Float64Array, columns: Float64Array, put: (x: number, y: number, facing: number) => void) => void;

/** A tile's triangles: none where the projection shows nothing of it, two where the seam opposite the middle cuts it. */
export function meshesOf(view: View, quad: Quad, parts: [number, number] = partsOf(view, quad)): Mesh[] {
  const [across, down] = parts;
  const rows = rowsOf(view.camera, quad, down);
  if (!rows) return [];
  return columnsOf(view.camera, quad, across).map((columns) => mesh(view, quad, rows, columns));
}

function mesh(view: View, quad: Quad, rows: Stops, columns: Stops): Mesh {
  const across = columns.degrees.length - 1;
  const down = rows.degrees.length - 1;
  const corners = new Float32Array((across + 1) * (down + 1) * CORNER);
  const box: Mesh["box"] = [Infinity, Infinity, -Infinity, -Infinity];
  let at = 0;
  const put = (x: number, y: number, facing: number): void => {
    const number = at / CORNER;
    corners[at++] = x;
    corners[at++] = y;
    corners[at++] = facing;
    corners[at++] = columns.shares[number % (across + 1)]!;
    corners[at++] = rows.shares[Math.floor(number / (across + 1))]!;
    box[0] = Math.min(box[0], x);
    box[1] = Math.min(box[1], y);
    box[2] = Math.max(box[2], x);
    box[3] = Math.max(box[3], y);
  };
  placing(view.camera)(rows.degrees, columns.degrees, put);
  return { quad, across, down, corners, box };
}

function rowsOf({ projection }: Camera, quad: Quad, down: number): Stops | null {
  const span = spanOf(quad.z);
  const top = northOf(quad);
  const least = projection === "north" ? -POLAR_END : projection === "mercator" ? -MERCATOR_LIMIT : -90;
  const most = projection === "south" ? POLAR_END : projection === "mercator" ? MERCATOR_LIMIT : 90;
  if (top <= least || top - span >= most) return null;
  const degrees = Float64Array.from({ length: down + 1 }, (_, at) => {
    return Math.max(least, Math.min(most, top - (at / down) * span));
  });
  return { degrees, shares: degrees.map((lat) => (top - lat) / span) };
}

function columnsOf({ lon, projection }: Camera, quad: Quad, across: number): Stops[] {
  const span = spanOf(quad.z);
  const west = projection === "north" || projection === "south" ? westOf(quad) : wrapped(westOf(quad) - lon);
  const within = (shift: number): Stops => {
    const degrees = Float64Array.from({ length: across + 1 }, (_, at) => {
      return Math.max(-180, Math.min(180, west + shift + (at / across) * span));
    });
    return { degrees, shares: degrees.map((one) => (one - west - shift) / span) };
  };
  const isCut = projection === "flat" || projection === "mercator" || projection === "equalearth";
  if (isCut) return west + span > 180 + 1e-12 ? [within(0), within(-360)] : [within(0)];
  const degrees = Float64Array.from({ length: across + 1 }, (_, at) => west + (at / across) * span);
  return [{ degrees, shares: Float64Array.from({ length: across + 1 }, (_, at) => at / across) }];
}

/** Parts along each side of a tile, so that no edge of a triangle misses its curve: chord height = length^2 / 8 radii. */
function partsOf({ camera }: View, quad: Quad): [number, number] {
  const radius = radiusOf(camera.zoom);
  const step = (bend: number): number => Math.sqrt((8 * MISS) / (radius * bend));
  const count = (bend: number): number => {
    const exact = (spanOf(quad.z) * DEGREE) / step(bend);
    return Math.min(MOST_PARTS, 2 ** Math.max(0, Math.ceil(Math.log2(exact))));
  };
  switch (camera.projection) {
    case "flat":
      return [1, 1];
    case "mercator": {
      const furthest = Math.min(
        MERCATOR_LIMIT,
        Math.max(Math.abs(northOf(quad)), Math.abs(northOf(quad) - spanOf(quad.z))),
      );
      return [1, count(Math.max(0.1, Math.tan(furthest * DEGREE) / Math.cos(furthest * DEGREE)))];
    }
    case "equalearth":
    case "north":
    case "south":
      return [count(4), count(4)];
    default:
      return [count(1), count(1)];
  }
}

function placing(camera: Camera): Placing {
  if (camera.projection === "globe") return onGlobe(camera);
  if (camera.projection === "north") return onPole(camera, 1);
  if (camera.projection === "south") return onPole(camera, -1);
  const scale = scaleOf(camera);
  const raw = RAW[camera.projection];
  const middle = raw(camera.lat * DEGREE)[1];
  return (rows, columns, put) => {
    for (const lat of rows) {
      const [wide, high] = raw(lat * DEGREE);
      for (const lon of columns) put(scale * wide * lon * DEGREE, scale * (middle - high), 1);
    }
  };
}

/** Of a latitude in radians: x of a radian of longitude, and y. */
const RAW = {
  flat: (lat: number): LonLat => [1, lat],
  mercator: (lat: number): LonLat => [1, Math.asinh(Math.tan(lat))],
  equalearth: (lat: number): LonLat => geoEqualEarthRaw(1, lat),
};

/** Orthographic (Snyder, Map Projections: A Working Manual, 20-3 to 20-5). */
function onGlobe(camera: Camera): Placing {
  const scale = scaleOf(camera);
  const [sin0, cos0] = [Math.sin(camera.lat * DEGREE), Math.cos(camera.lat * DEGREE)];
  return (rows, columns, put) => {
    const sines = columns.map((lon) => Math.sin(lon * DEGREE));
    const cosines = columns.map((lon) => Math.cos(lon * DEGREE));
    for (const lat of rows) {
      const up = Math.sin(lat * DEGREE);
      const out = Math.abs(lat) === 90 ? 0 : Math.cos(lat * DEGREE);
      for (let at = 0; at < columns.length; at++) {
        const near = out * cosines[at]!;
        put(scale * out * sines[at]!, scale * (sin0 * near - cos0 * up), sin0 * up + cos0 * near);
      }
    }
  };
}

/** Stereographic about a pole (Snyder 21-5 to 21-12), as d3 turns it: the meridian of Greenwich runs down from the north pole. */
function onPole(camera: Camera, pole: 1 | -1): Placing {
  const scale = scaleOf(camera);
  const far = (lat: number): number => scale * Math.tan((Math.PI / 2 - pole * lat * DEGREE) / 2);
  const [x0, y0] = [
    far(camera.lat) * Math.sin(camera.lon * DEGREE),
    pole * far(camera.lat) * Math.cos(camera.lon * DEGREE),
  ];
  return (rows, columns, put) => {
    const sines = columns.map((lon) => Math.sin(lon * DEGREE));
    const cosines = columns.map((lon) => Math.cos(lon * DEGREE));
    for (const lat of rows) {
      const away = far(lat);
      for (let at = 0; at < columns.length; at++) put(away * sines[at]! - x0, pole * away * cosines[at]! - y0, 1);
    }
  };
}
