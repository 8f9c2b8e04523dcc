/** Shapes as EDR takes them and people read them. Pure. */
import type { ProbeView } from "../state/view";
import { spokenPlace } from "../color/numbers";
import { text } from "../text/en";

type Place = readonly number[];

const number = (value: number): string => String(Number(value.toFixed(6)));
const pair = (place: Place): string => `${number(place[0]!)} ${number(place[1]!)}`;
const ring = (places: readonly Place[]): string => `(${places.map(pair).join(",")})`;
const rings = (polygon: readonly (readonly Place[])[]): string => `(${polygon.map(ring).join(",")})`;

/** Well-known text; longitude first. */
export function wkt(geometry: NonNullable<ProbeView["geometry"]>): string {
  switch (geometry.type) {
    case "Point":
      return `POINT(${pair(geometry.coordinates)})`;
    case "LineString":
      return `LINESTRING${ring(geometry.coordinates)}`;
    case "Polygon":
      return `POLYGON${rings(geometry.coordinates)}`;
    case "MultiPolygon":
      return `MULTIPOLYGON(${geometry.coordinates.map(rings).join(",")})`;
  }
}

export type Shape = "point" | "line" | "area";

export function shapeOf(probe: ProbeView): Shape {
  if (probe.geometry?.type === "Point") return "point";
  return probe.geometry?.type === "LineString" ? "line" : "area";
}

/** What a probe is called: its own name, else where it is or what it is. */
export function nameOf(probe: ProbeView): string {
  if (probe.label) return probe.label;
  if (probe.region) return probe.region.includes(":") ? probe.region.split(":").slice(1).join(":") : probe.region;
  const shape = shapeOf(probe);
  if (probe.geometry?.type === "Point") return spokenPlace(probe.geometry.coordinates as [number, number]);
  return text.probe.named[shape](probe.id);
}

/** Number of a probe's colour: by its id, so that it stays when others go. */
export function colorOf({ id }: ProbeView): number {
  if (/^\d+$/.test(id)) return Math.max(0, Number(id) - 1);
  return [...id.toLowerCase()].reduce((all, one) => all * 26 + Math.max(0, one.charCodeAt(0) - 97), 0);
}

/** The next id that is free: 1, 2, 3 ... */
export function freeNumber(taken: readonly string[]): string {
  for (let n = 1; ; n++) if (!taken.includes(String(n))) return String(n);
}

/** The four corners of a box, anticlockwise, closed. */
export const boxRing = (w: number, s: number, e: number, n: number): number[][] => [
  [w, s],
  [e, s],
  [e, n],
  [w, n],
  [w, s],
];

/** Vertices of an area; 0 for named ones. */
export function vertices(geometry: ProbeView["geometry"]): number {
  if (!geometry || geometry.type === "Point") return geometry ? 1 : 0;
  if (geometry.type === "LineString") return geometry.coordinates.length;
  const polygons = geometry.type === "Polygon" ? [geometry.coordinates] : geometry.coordinates;
  return polygons.reduce((all, polygon) => all + polygon.reduce((some, one) => some + one.length, 0), 0);
}
