/** Boxes on a flat map of the Earth: drawn, moved and stretched. Longitudes stay in -180..180, boxes may cross 180. */
import type { Box } from "./query";

export type LonLat = [number, number];
/** Smaller ones are clicks. */
export const LEAST = 0.5;
const DIGITS = 10;

const rounded = (value: number): number => Math.round(value * DIGITS) / DIGITS;
const turned = (lon: number): number => ((((lon + 180) % 360) + 360) % 360) - 180;
const within = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));

/** Degrees from west to east. */
export const width = ([west, , east]: Box): number => (east > west ? east - west : east - west + 360);

/** The place of a point on the map, given as shares of its width and height. */
export const placeAt = (x: number, y: number): LonLat => [within(x, 0, 1) * 360 - 180, 90 - within(y, 0, 1) * 180];

/** The box between two places; null where that is hardly more than a point. */
export function between([lon, lat]: LonLat, [otherLon, otherLat]: LonLat): Box | null {
  const box: Box = [
    rounded(Math.min(lon, otherLon)),
    rounded(Math.min(lat, otherLat)),
    rounded(Math.max(lon, otherLon)),
    rounded(Math.max(lat, otherLat)),
  ];
  return box[2] - box[0] < LEAST || box[3] - box[1] < LEAST ? null : box;
}

/** Moved by degrees; it stops at the poles and goes round the Earth. */
export function moved(box: Box, lon: number, lat: number): Box {
  const wide = width(box);
  const up = within(lat, -90 - box[1], 90 - box[3]);
  if (wide >= 360) return [box[0], rounded(box[1] + up), box[2], rounded(box[3] + up)];
  const west = rounded(turned(box[0] + lon));
  const east = west + wide;
  return [west, rounded(box[1] + up), rounded(east > 180 ? east - 360 : east), rounded(box[3] + up)];
}

/** Wider and higher by degrees, around its middle. */
export function grown(box: Box, lon: number, lat: number): Box {
  const wide = within(width(box) + lon, LEAST, 360);
  const high = within(box[3] - box[1] + lat, LEAST, 180);
  const middle = within((box[1] + box[3]) / 2, -90 + high / 2, 90 - high / 2);
  const [south, north] = [rounded(middle - high / 2), rounded(middle + high / 2)];
  if (wide >= 360) return [-180, south, 180, north];
  const west = rounded(turned(box[0] + width(box) / 2 - wide / 2));
  const east = west + wide;
  return [west, south, rounded(east > 180 ? east - 360 : east), north];
}

/** Whether a place lies in a box. */
export function holds(box: Box, [lon, lat]: LonLat): boolean {
  return lat >= box[1] && lat <= box[3] && (((lon - box[0]) % 360) + 360) % 360 <= width(box);
}

/** What arrow keys do to a box: they move it, with Shift they change its size. Null: the key is for others. */
export function keyed(box: Box, key: string, isShift: boolean): Box | null {
  const step = Math.max(1, Math.round(width(box) / 10));
  const by: LonLat | undefined = (
    { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] } as Record<
      string,
      LonLat
    >
  )[key];
  if (!by) return null;
  return isShift ? grown(box, by[0], by[1]) : moved(box, by[0], by[1]);
}
