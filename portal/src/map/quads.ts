/** Tiles of WorldCRS84Quad (OGC 17-083r4, annex D): longitude by latitude, two at zoom 0, each zoom halves their side. */
import type { LonLat } from "./types";

export interface Quad {
  z: number;
  row: number;
  column: number;
}

/** Cells of a tile along each side, without its border. */
export const SIDE = 256;
/** With one more cell on each side. */
export const BORDERED = SIDE + 2;

export const ROOTS: readonly Quad[] = [
  { z: 0, row: 0, column: 0 },
  { z: 0, row: 0, column: 1 },
];

/** Degrees along each side. */
export const spanOf = (z: number): number => 180 / 2 ** z;
export const westOf = ({ z, column }: Quad): number => -180 + column * spanOf(z);
export const northOf = ({ z, row }: Quad): number => 90 - row * spanOf(z);
export const keyOf = ({ z, row, column }: Quad): string => `${z}/${row}/${column}`;

export function childrenOf({ z, row, column }: Quad): Quad[] {
  const made: Quad[] = [];
  for (const down of [0, 1]) {
    for (const across of [0, 1]) made.push({ z: z + 1, row: 2 * row + down, column: 2 * column + across });
  }
  return made;
}

/** The tile of a coarser (or the same) zoom that holds it. */
export function ancestorOf(quad: Quad, z: number): Quad {
  const times = 2 ** (quad.z - z);
  return { z, row: Math.floor(quad.row / times), column: Math.floor(quad.column / times) };
}

/** Longitude in -180 (included) to 180 (excluded). */
export const wrapped = (lon: number): number => ((((lon + 180) % 360) + 360) % 360) - 180;

/** The tile of a zoom in which a place lies. */
export function quadAt([lon, lat]: LonLat, z: number): Quad {
  const span = spanOf(z);
  const rows = 2 ** z;
  const within = (value: number, count: number): number => Math.max(0, Math.min(count - 1, Math.floor(value)));
  return { z, row: within((90 - lat) / span, rows), column: within((wrapped(lon) + 180) / span, 2 * rows) };
}

export const holds = (quad: Quad, place: LonLat): boolean => {
  const found = quadAt(place, quad.z);
  return found.row === quad.row && found.column === quad.column;
};

/** The cell of a tile in which a place lies: its place among the numbers, with the border. */
export function cellAt(quad: Quad, [lon, lat]: LonLat): number {
  const size = spanOf(quad.z) / SIDE;
  const within = (value: number): number => Math.max(0, Math.min(SIDE - 1, Math.floor(value)));
  const column = within((wrapped(lon) - westOf(quad)) / size);
  const row = within((northOf(quad) - lat) / size);
  return (row + 1) * BORDERED + column + 1;
}

/** Whether a tile shows any of a box (west, south, east, north; west may be beyond east). A box with a rim of `rim` degrees. */
export function meets(quad: Quad, [west, south, east, north]: readonly number[], rim = 0): boolean {
  const span = spanOf(quad.z);
  const top = northOf(quad);
  if (top <= south! - rim || top - span >= north! + rim) return false;
  const left = westOf(quad);
  const width = (east! >= west! ? east! - west! : east! - west! + 360) + 2 * rim;
  if (width >= 360) return true;
  const from = (((left - (west! - rim)) % 360) + 360) % 360;
  return from < width || from + span > 360;
}
