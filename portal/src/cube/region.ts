/** The part of the Earth that a map shows, as a box. */
import { placeAt, projectionFor } from "../map/projection";
import type { Camera } from "../map/types";

export type Box = [west: number, south: number, east: number, north: number];

/** Places along each side that are looked at. */
const PROBES = 24;

/** West to east without a jump (east may lie beyond 180); null where the pane shows no Earth. */
export function seenBox(camera: Camera, width: number, height: number): Box | null {
  const projection = projectionFor(camera, width, height);
  let [west, south, east, north] = [Infinity, 90, -Infinity, -90];
  for (let row = 0; row <= PROBES; row++)
    for (let column = 0; column <= PROBES; column++) {
      const found = placeAt(projection, (column / PROBES) * width, (row / PROBES) * height);
      if (!found) continue;
      const lon = camera.lon + around(found[0] - camera.lon);
      [west, east] = [Math.min(west, lon), Math.max(east, lon)];
      [south, north] = [Math.min(south, found[1]), Math.max(north, found[1])];
    }
  if (!(west < east) || !(south < north)) return null;
  for (const pole of [90, -90]) {
    const at = projection([camera.lon, pole]);
    const isSeen = at && at[0] >= 0 && at[0] <= width && at[1] >= 0 && at[1] <= height;
    // around a pole lie all longitudes
    if (isSeen && placeAt(projection, at[0], at[1] + (pole > 0 ? 1 : -1))) {
      [west, east] = [-180, 180];
      if (pole > 0) north = 90;
      else south = -90;
    }
  }
  return east - west > 340 ? [-180, south, 180, north] : [west, south, east, north];
}

const around = (degrees: number): number => ((((degrees + 180) % 360) + 360) % 360) - 180;

/** What two boxes have in common, in the longitudes of the first; null for nothing. */
export function common(one: Box, bounds: readonly number[]): Box | null {
  const [west, south, east, north] = bounds as Box;
  const width = east - west + (east < west ? 360 : 0);
  const [low, high] = [Math.max(one[1], south), Math.min(one[3], north)];
  if (low >= high) return null;
  if (width >= 360) return [one[0], low, one[2], high];
  // the turn of the second that overlaps most
  let best: Box | null = null;
  for (const turn of [-720, -360, 0, 360, 720]) {
    const [left, right] = [Math.max(one[0], west + turn), Math.min(one[2], west + turn + width)];
    if (left < right && (!best || right - left > best[2] - best[0])) best = [left, low, right, high];
  }
  return best && homed(best);
}

/** Within what the server takes: west from -180 to 180. */
export function homed([west, south, east, north]: Box): Box {
  const turn = Math.floor((west + 180) / 360) * 360;
  return [west - turn, south, east - turn, north];
}
