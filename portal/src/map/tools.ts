/** Cameras that buttons ask for. */
import { fittingZoom, within } from "./projection";
import type { Camera, ProjectionName } from "./types";

/** Nearer by some steps, or farther. */
export const nearer = (camera: Camera, steps: number): Camera =>
  within({ ...camera, zoom: Math.round((camera.zoom + steps) * 2) / 2 });

const ROUND: readonly ProjectionName[] = ["globe", "north", "south"];
/** Where the whole Earth is in view, flat maps are wider than globes by about this many zooms. */
const WIDER = 1.1;

/** The same place in another projection; a polar map shows its pole, and what was in view as a whole stays so. */
export function changedProjection(camera: Camera, projection: ProjectionName): Camera {
  const wasRound = ROUND.includes(camera.projection);
  const isRound = ROUND.includes(projection);
  const step = camera.zoom < 3 && wasRound !== isRound ? (isRound ? WIDER : -WIDER) : 0;
  const side = projection === "north" ? 1 : projection === "south" ? -1 : 0;
  // far out, only the pole itself makes sense of a polar map
  const lat =
    side && (camera.lat * side < 40 || camera.zoom < 3)
      ? 90 * side
      : !side && Math.abs(camera.lat) > 75
        ? Math.sign(camera.lat) * 60
        : camera.lat;
  return within({ ...camera, projection, lat, zoom: camera.zoom + step });
}

/** All of the Earth in a pane. */
export function whole(camera: Camera, width: number, height: number): Camera {
  const { projection } = camera;
  const lat = projection === "north" ? 90 : projection === "south" ? -90 : projection === "globe" ? camera.lat : 0;
  return within({ ...camera, lat, zoom: fittingZoom(width, height, projection) });
}

/** All of a box (west, south, east, north; west beyond east over the antimeridian) in a pane. */
export function fitting(
  camera: Camera,
  [west, south, east, north]: readonly [number, number, number, number],
  width: number,
  height: number,
): Camera {
  const wide = (((east - west) % 360) + 360) % 360 || 360;
  if (wide > 170 || north - south > 120) return whole(camera, width, height);
  const lat = (south + north) / 2;
  const across =
    wide * (camera.projection === "flat" || camera.projection === "mercator" ? 1 : Math.cos((lat * Math.PI) / 180));
  // 256 * 2^z / 180 pixels a degree, with a little room
  const scale = 0.85 * Math.min(width / Math.max(0.01, across), height / Math.max(0.01, north - south));
  return within({ ...camera, lon: west + wide / 2, lat, zoom: Math.min(12, Math.log2((scale * 180) / 256)) });
}
