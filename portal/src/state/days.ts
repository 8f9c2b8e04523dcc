/** Days of a collection of images: their tileset has no time axis of its own, the catalogue knows them. */
import { json } from "../api/http";
import { at, part } from "../api/root";
import type { Tileset } from "../api/tilesets";

interface Items {
  features: { properties: { datetime?: string | null; start_datetime?: string | null } }[];
  links?: { rel: string; href: string; method?: string }[];
}

const PER_PAGE = 500;
/** More images than these are not listed one by one: the newest are. */
const MOST_PAGES = 6;

/** The days on which there are images, the earliest first; null for what is no collection of images. */
export async function daysOf(tileset: Tileset): Promise<string[] | null> {
  const isImages = tileset.axes.length === 0 && tileset.variables.some((one) => one.axes.includes("time"));
  if (!isImages) return null;
  const days = new Set<string>();
  let address: string | null = at(`stac/collections/${part(tileset.id)}/items`, {
    limit: PER_PAGE,
    sortby: "-properties.datetime",
    fields: "id,properties.datetime,properties.start_datetime,-geometry,-assets",
  }).href;
  for (let page = 0; address && page < MOST_PAGES; page++) {
    const found: Items = await json<Items>(address);
    for (const { properties } of found.features) {
      const time = properties.datetime ?? properties.start_datetime;
      if (time) days.add(time.slice(0, 10));
    }
    address = found.links?.find((one) => one.rel === "next" && (one.method ?? "GET") === "GET")?.href ?? null;
  }
  return [...days].sort();
}
