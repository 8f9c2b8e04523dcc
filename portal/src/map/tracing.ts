/**
 * From pieces of the Earth to a path. What lies wholly on the side that is seen is projected here, from unit vectors and
 * without trigonometry; what the horizon cuts goes through d3, which clips polygons on the sphere. Other projections: d3 for all.
 */
import { geoPath, type GeoProjection } from "d3-geo";
import type { Piece } from "./atlas";
import { angle, vector, type Vector } from "./caps";
import type { Camera } from "./types";

const DEGREE = Math.PI / 180;

/** Azimuthal projections as linear forms of a unit vector: x and y over `1 + curve * away`. */
interface Plane {
  middle: Vector;
  right: Vector;
  down: Vector;
  /** 1: stereographic; 0: orthographic. */
  curve: 0 | 1;
  /** Angle from the middle up to which anything is drawn, as clipAngle has it. */
  reach: number;
}

function planeOf({ projection, lon, lat }: Camera): Plane | null {
  if (projection === "north")
    return { middle: [0, 0, 1], right: [0, 1, 0], down: [1, 0, 0], curve: 1, reach: 120 * DEGREE };
  if (projection === "south")
    return { middle: [0, 0, -1], right: [0, 1, 0], down: [-1, 0, 0], curve: 1, reach: 120 * DEGREE };
  if (projection !== "globe") return null;
  const [sinLon, cosLon, sinLat, cosLat] = [
    Math.sin(lon * DEGREE),
    Math.cos(lon * DEGREE),
    Math.sin(lat * DEGREE),
    Math.cos(lat * DEGREE),
  ];
  return {
    middle: vector([lon, lat]),
    right: [-sinLon, cosLon, 0],
    down: [sinLat * cosLon, sinLat * sinLon, -cosLat],
    curve: 0,
    reach: Math.PI / 2,
  };
}

/** Pixels that two vertices are apart at least, across or down. */
const APART = 0.7;

/** A path without the vertices that nobody could tell apart; only the ends of lines are always kept. */
class Thinned {
  readonly path = new Path2D();
  #x = NaN;
  #y = NaN;
  #left: [number, number] | null = null;

  moveTo(x: number, y: number): void {
    this.end();
    this.path.moveTo((this.#x = x), (this.#y = y));
  }

  lineTo(x: number, y: number): void {
    if (Math.abs(x - this.#x) < APART && Math.abs(y - this.#y) < APART) this.#left = [x, y];
    else {
      this.#left = null;
      this.path.lineTo((this.#x = x), (this.#y = y));
    }
  }

  closePath(): void {
    this.#left = null;
    this.path.closePath();
  }

  end(): Path2D {
    if (this.#left) this.path.lineTo(...this.#left);
    this.#left = null;
    return this.path;
  }
}

/** Pieces as a path, on a projection that was made for the camera. */
export function traced(pieces: readonly Piece[] | undefined, camera: Camera, projection: GeoProjection): Path2D {
  const path = new Thinned();
  if (!pieces?.length) return path.end();
  const plane = planeOf(camera);
  const rest: Piece[] = [];
  for (const one of pieces) {
    if (!plane) {
      rest.push(one);
      continue;
    }
    const away = angle(plane.middle, one.cap.middle);
    if (away - one.cap.radius > plane.reach) continue;
    if (away + one.cap.radius < plane.reach - 1e-3)
      project(one, plane, projection.scale(), projection.translate(), path);
    else rest.push(one);
  }
  if (rest.length) geoPath(projection, path as unknown as CanvasRenderingContext2D)(geometry(rest));
  return path.end();
}

function geometry(pieces: Piece[]): GeoJSON.Geometry {
  return pieces[0]!.isArea
    ? { type: "MultiPolygon", coordinates: pieces.map((one) => one.lines) }
    : { type: "MultiLineString", coordinates: pieces.flatMap((one) => one.lines) };
}

function project(
  piece: Piece,
  plane: Plane,
  scale: number,
  [left, top]: readonly [number, number],
  path: Thinned,
): void {
  const { middle, right, down, curve } = plane;
  piece.vectors ??= piece.lines.map(vectors);
  for (const line of piece.vectors) {
    for (let n = 0; n < line.length; n += 3) {
      const [a, b, c] = [line[n]!, line[n + 1]!, line[n + 2]!];
      const factor = curve ? scale / (1 + a * middle[0] + b * middle[1] + c * middle[2]) : scale;
      const x = left + factor * (a * right[0] + b * right[1] + c * right[2]);
      const y = top + factor * (a * down[0] + b * down[1] + c * down[2]);
      if (n) path.lineTo(x, y);
      else path.moveTo(x, y);
    }
    if (piece.isArea) path.closePath();
  }
}

function vectors(line: number[][]): Float64Array {
  const made = new Float64Array(line.length * 3);
  line.forEach((place, index) => made.set(vector(place), index * 3));
  return made;
}
