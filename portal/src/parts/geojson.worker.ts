/** Reads a file of GeoJSON beside the page, which stays quick meanwhile. */
import { readGeoJson, type Kind } from "./geojson";

self.onmessage = async ({ data }: MessageEvent<{ source: Blob | string; kinds: Kind[] }>): Promise<void> => {
  const said = typeof data.source === "string" ? data.source : await data.source.text();
  self.postMessage(readGeoJson(said, data.kinds));
};
