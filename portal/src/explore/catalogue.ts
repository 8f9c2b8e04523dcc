/** Collections of this site that can be drawn, as its catalogue finds them. */
import { canBeDrawn, discover } from "../discover/discovery";
import { nothing } from "../discover/query";

export interface Drawable {
  id: string;
  title: string;
  description: string;
  /** West, south, east, north in degrees. */
  bbox: [number, number, number, number] | null;
  interval: [string | null, string | null];
}

export interface Drawables {
  list: Drawable[];
  /** There are no others. */
  isAll: boolean;
}

/** As many as the catalogue answers at once. */
const MOST = 200;

/** Those that words find, the best first; without words by their titles. Throws Failure, AbortError. */
export async function drawablesFor(words: string, signal?: AbortSignal): Promise<Drawables> {
  const found = await discover({ ...nothing(), q: words.trim() }, null, signal, MOST);
  return { list: found.collections.filter(canBeDrawn), isAll: found.next === null };
}

let asked: Promise<Drawables> | undefined;

/** Without any words; asked for once, and again after a failure or `again`. */
export function drawables(again = false): Promise<Drawables> {
  if (again) asked = undefined;
  asked ??= drawablesFor("").catch((error: unknown) => {
    asked = undefined;
    throw error;
  });
  return asked;
}

/** Share of the Earth's longitudes and latitudes that its box covers, 0 to 1. */
export function coverage({ bbox }: Pick<Drawable, "bbox">): number {
  if (!bbox) return 0;
  const [west, south, east, north] = bbox;
  const width = east >= west ? east - west : east - west + 360;
  return Math.min(1, width / 360) * Math.min(1, (north - south) / 180);
}
