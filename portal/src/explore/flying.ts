/** Moves the camera of the page to a place or a box. */
import { fitting, whole } from "../map/tools";
import type { Camera, LonLat } from "../map/types";
import { board } from "../state/board.svelte";
import { portal } from "../state/portal.svelte";

const size = (): [number, number] => {
  const box = board.map?.layout()[0];
  return [box?.width ?? 800, box?.height ?? 600];
};

/** To a box: west, south, east, north in degrees. */
export const flyTo = (box: readonly [number, number, number, number]): void =>
  go(fitting(portal.view.camera, box, ...size()));

/** To the whole Earth. */
export const flyHome = (): void => go(whole(portal.view.camera, ...size()));

/** To a place, near enough to know it. */
export const flyToPlace = ([lon, lat]: LonLat, zoom = 4): void => go({ ...portal.view.camera, lon, lat, zoom });

function go(camera: Camera): void {
  if (board.map) void board.map.flyTo(camera);
  else portal.view.camera = camera;
}
