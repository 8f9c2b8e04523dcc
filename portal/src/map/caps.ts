/** Circles on the sphere: what lies in one, and which part of the Earth a pane shows. Unit vectors; angles in radians. */
import type { GeoProjection } from "d3-geo";
import { placeAt } from "./projection";
import type { LonLat } from "./types";

const DEGREE = Math.PI / 180;

export type Vector = readonly [number, number, number];

/** All places at most `radius` away from `middle`. */
export interface Cap {
  middle: Vector;
  radius: number;
}

export function vector([lon, lat]: readonly [number, number] | number[]): Vector {
  const across = Math.cos(lat! * DEGREE);
  return [across * Math.cos(lon! * DEGREE), across * Math.sin(lon! * DEGREE), Math.sin(lat! * DEGREE)];
}

export const lonLat = ([x, y, z]: Vector): LonLat => [
  Math.atan2(y, x) / DEGREE,
  Math.atan2(z, Math.hypot(x, y)) / DEGREE,
];

export const angle = (a: Vector, b: Vector): number =>
  2 * Math.asin(Math.min(1, Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]) / 2));

export const meet = (a: Cap, b: Cap): boolean => angle(a.middle, b.middle) <= a.radius + b.radius;
export const holds = (outer: Cap, inner: Cap): boolean =>
  angle(outer.middle, inner.middle) + inner.radius <= outer.radius;

/** A circle around places (not the smallest, but about their middle). */
export function around(places: readonly number[][]): Cap {
  const vectors = places.map(vector);
  let [x, y, z] = [0, 0, 0];
  for (const one of vectors) ((x += one[0]), (y += one[1]), (z += one[2]));
  const long = Math.hypot(x, y, z);
  if (long < 1e-9) return { middle: [1, 0, 0], radius: Math.PI };
  const middle: Vector = [x / long, y / long, z / long];
  let radius = 0;
  for (const one of vectors) radius = Math.max(radius, angle(middle, one));
  return { middle, radius };
}

const EDGE = 6;

/** The part of the Earth that a pane shows; null where its edge lies beside the Earth: then anything may be seen. */
export function seen(projection: GeoProjection, width: number, height: number): Cap | null {
  const centre = placeAt(projection, width / 2, height / 2);
  if (!centre) return null;
  const middle = vector(centre);
  let radius = 0;
  for (let step = 0; step < EDGE * 4; step++) {
    const along = (step % EDGE) / EDGE;
    const [x, y] = [
      [along, 0],
      [1, along],
      [1 - along, 1],
      [0, 1 - along],
    ][Math.floor(step / EDGE)] as [number, number];
    const place = placeAt(projection, x * width, y * height);
    if (!place) return null;
    radius = Math.max(radius, angle(middle, vector(place)));
  }
  // an edge is a little farther away between two places than at them
  return { middle, radius: radius * 1.05 + 1e-6 };
}
