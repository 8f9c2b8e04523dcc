/** Puts probes on the map and shows what they say. */
import type { LonLat } from "../map/types";
import { boxAround, placeText, type Place } from "../places/places";
import { probing } from "../probe/probing.svelte";
import { portal } from "../state/portal.svelte";
import { flyTo, flyToPlace } from "./flying";

/** A place becomes a probe and its series opens. */
export function probeAt([lon, lat]: LonLat, label = ""): void {
  probing.add({ type: "Point", coordinates: [Number(lon.toFixed(5)), Number(lat.toFixed(5))] }, label);
  portal.view.panel = "probe";
}

/** A place that was found by its name: a town is probed, of a country all is shown. */
export function goTo(place: Place): void {
  if (place.kind === "country") return flyTo(boxAround(place));
  const at: LonLat = [place.lon, place.lat];
  flyToPlace(at, Math.max(3, portal.view.camera.zoom));
  probeAt(at, placeText(place));
}
