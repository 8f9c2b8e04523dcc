/** A place, in words and as a box; no request is made here. */
export interface Place {
  name: string;
  country: string;
  lon: number;
  lat: number;
  kind: "town" | "country";
  /** West, south, east, north; of countries. West beyond east crosses the antimeridian. */
  bbox?: [number, number, number, number];
  /** What `region=` takes; of countries. */
  region?: string;
  people?: number;
  timezone?: string;
  distance_m?: number;
}

/** A place in words: the town and its country. */
export const placeText = (place: Place): string =>
  place.kind === "country" || !place.country ? place.name : `${place.name}, ${place.country}`;

/** A box to look at: the country's own, or some degrees around a town. */
export function boxAround(place: Place, degrees = 4): [number, number, number, number] {
  if (place.bbox) return place.bbox;
  const wide = degrees / Math.max(0.2, Math.cos((place.lat * Math.PI) / 180));
  const south = Math.max(-90, place.lat - degrees);
  const north = Math.min(90, place.lat + degrees);
  return [turned(place.lon - wide), south, turned(place.lon + wide), north].map(
    (one) => Math.round(one * 100) / 100,
  ) as [number, number, number, number];
}

/** A longitude in -180..180. */
export const turned = (lon: number): number =>
  lon >= -180 && lon <= 180 ? lon : ((((lon + 180) % 360) + 360) % 360) - 180;
