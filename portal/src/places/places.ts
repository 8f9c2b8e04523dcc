/** Names of places: towns and countries, as /places answers them. */
import { at } from "../api/root";
import { json } from "../api/http";
import { turned, type Place } from "./place";

export { boxAround, placeText, type Place } from "./place";

interface Answer {
  places: Place[];
  attribution: string;
}

const USUAL = 8;

/** Places whose names begin so. Throws Failure, AbortError. */
export const placesNamed = async (q: string, limit = USUAL, signal?: AbortSignal): Promise<Place[]> =>
  (await json<Answer>(at("places", { q, limit }), signal ? { signal } : {})).places;

/** Towns of a time zone, the one that it is named after first. */
export const placesInZone = async (tz: string, limit = 1, signal?: AbortSignal): Promise<Place[]> =>
  (await json<Answer>(at("places", { tz, limit }), signal ? { signal } : {})).places;

/** The towns nearest to a place. */
export const placesNear = async (lon: number, lat: number, limit = 1, signal?: AbortSignal): Promise<Place[]> =>
  (await json<Answer>(at("places", { lon: turned(lon), lat, limit }), signal ? { signal } : {})).places;

/** A first guess of where the visitor is: the town that their clock is named after; null where nothing is known. */
export async function ownPlace(signal?: AbortSignal): Promise<Place | null> {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  // UTC and its like are named after no place
  if (!zone.includes("/") || zone.startsWith("Etc/")) return null;
  try {
    return (await placesInZone(zone, 1, signal))[0] ?? null;
  } catch {
    return null; // a guess is no loss
  }
}
