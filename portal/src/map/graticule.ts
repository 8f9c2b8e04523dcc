/** Meridians and parallels, as close together as the view can take. */
import type { GeoProjection } from "d3-geo";
import { placeAt } from "./projection";
import type { LonLat } from "./types";

const STEPS = [30, 20, 10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01];
/** Pixels between two lines, at least. */
const APART = 70;

export interface Graticule {
  step: number;
  lines: GeoJSON.MultiLineString;
  /** The meridians and parallels in it, in degrees. */
  lons: number[];
  lats: number[];
}

/** Degrees between two lines at a scale (pixels of the Earth's radius). */
export const stepFor = (radius: number): number =>
  STEPS.findLast((step) => (step * Math.PI * radius) / 180 >= APART) ?? 30;

interface Bounds {
  west: number;
  south: number;
  east: number;
  north: number;
}

/** Lines in the part that a pane shows; `radius` of the Earth in pixels. */
export function graticuleFor(projection: GeoProjection, radius: number, width: number, height: number): Graticule {
  const step = stepFor(radius);
  const { west, south, east, north } = bounds(projection, width, height, step);
  const [lons, lats] = [
    places(west, east, step).slice(0, 360 / step),
    places(south, north, step).filter((lat) => Math.abs(lat) < 90),
  ];
  // towards the poles meridians would run into one another: only every third or so goes there
  const cap = 90 - Math.max(step, 1);
  const lines = [
    ...lons.map((lon) => {
      const isMain = Math.abs(lon % 90) < 1e-9;
      return line((at) => [lon, at], Math.max(south, isMain ? -90 : -cap), Math.min(north, isMain ? 90 : cap), step);
    }),
    ...lats.map((lat) => line((at) => [at, lat], west, east, step)),
  ];
  return { step, lons, lats, lines: { type: "MultiLineString", coordinates: lines.filter((one) => one.length > 1) } };
}

function places(from: number, to: number, step: number): number[] {
  const found: number[] = [];
  for (let n = Math.ceil(from / step - 1e-9); n * step <= to + 1e-9; n++) found.push(Number((n * step).toFixed(6)));
  return found;
}

/** A parallel is no great circle: points along it, close enough for it to look like one. */
function line(place: (at: number) => LonLat, from: number, to: number, step: number): LonLat[] {
  const parts = Math.max(1, Math.ceil((to - from) / Math.min(2.5, Math.max(step / 4, (to - from) / 60))));
  return to <= from ? [] : Array.from({ length: parts + 1 }, (_, n) => place(from + ((to - from) * n) / parts));
}

const SAMPLES = 12;

function bounds(projection: GeoProjection, width: number, height: number, step: number): Bounds {
  const all = { west: -180, south: -90, east: 180, north: 90 };
  const middle = placeAt(projection, width / 2, height / 2);
  if (!middle || step > 10) return all;
  const found = { west: 0, south: middle[1], east: 0, north: middle[1] };
  for (let n = 0; n <= SAMPLES; n++)
    for (let m = 0; m <= SAMPLES; m++) {
      const place = placeAt(projection, (width * n) / SAMPLES, (height * m) / SAMPLES);
      if (!place) return all;
      const east = ((((place[0] - middle[0]) % 360) + 540) % 360) - 180;
      found.west = Math.min(found.west, east);
      found.east = Math.max(found.east, east);
      found.south = Math.min(found.south, place[1]);
      found.north = Math.max(found.north, place[1]);
    }
  // a pole between the samples: all meridians meet there
  for (const pole of [90, -90]) {
    const at = projection([0, pole]);
    if (at && at[0] >= 0 && at[0] <= width && at[1] >= 0 && at[1] <= height && placeAt(projection, at[0], at[1]))
      return { ...all, south: pole > 0 ? found.south - step : -90, north: pole > 0 ? 90 : found.north + step };
  }
  return {
    west: middle[0] + Math.max(-180, found.west - step),
    east: middle[0] + Math.min(180, found.east + step),
    south: Math.max(-90, found.south - step),
    north: Math.min(90, found.north + step),
  };
}
