/** Outlines of named regions, to draw on the map; asked once each. */
import { json } from "../api/http";
import { at, part } from "../api/root";
import { probing } from "./probing.svelte";

const asked = new Set<string>();

/** Fetches the outline of a region into `probing.outlines`; without one the region is only not drawn. */
export async function outline(collection: string, region: string): Promise<void> {
  if (asked.has(region)) return;
  asked.add(region);
  const name = region.includes(":") ? region.slice(region.indexOf(":") + 1) : region;
  try {
    const said = await json<GeoJSON.FeatureCollection>(
      at(`ogc/collections/${part(collection)}/locations`, { q: name, limit: 50 }),
    );
    const found = said.features.find((one) => String(one.id) === region);
    if (found?.geometry) probing.outlines = { ...probing.outlines, [region]: found.geometry };
  } catch {
    asked.delete(region); // asked again with the next change
  }
}
