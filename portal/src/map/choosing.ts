/** Which tiles a pane is drawn of: small enough that a cell is about a pixel, and only those in sight. */
import { meshesOf, type Mesh, type View } from "./meshes";
import { MERCATOR_LIMIT, radiusOf, scaleOf } from "./projection";
import { childrenOf, northOf, ROOTS, SIDE, spanOf, westOf, type Quad } from "./quads";

const DEGREE = Math.PI / 180;
/** Pixels that a cell may have before finer tiles are taken. */
export const COARSENESS = 1.75;
const DEEPEST = 24;
/** Corners along a side by which a tile is found to be in sight. */
const PROBES = 4;

export interface Patch {
  quad: Quad;
  meshes: Mesh[];
  /** Pixels between the middle of the pane and the tile's. */
  distance: number;
}

/** The tiles of a pane, from the middle outwards. */
export function patchesOf(view: View, coarseness = COARSENESS): Patch[] {
  const found: Patch[] = [];
  const look = (quad: Quad): void => {
    if (!isInSight(view, quad)) return;
    const pixels = (degreePixels(view, quad) * spanOf(quad.z)) / SIDE;
    if (pixels > coarseness && quad.z < DEEPEST) {
      childrenOf(quad).forEach(look);
      return;
    }
    const patch = patchOf(view, quad);
    if (patch.meshes.length > 0) found.push(patch);
  };
  ROOTS.forEach(look);
  return found.sort((one, other) => one.distance - other.distance);
}

/** A tile with its meshes that are in sight. */
export function patchOf(view: View, quad: Quad): Patch {
  const meshes = meshesOf(view, quad).filter((mesh) => overlaps(view, mesh.box));
  const distances = meshes.map(({ box }) => Math.hypot(box[0] + box[2], box[1] + box[3]) / 2);
  return { quad, meshes, distance: Math.min(...distances) };
}

export function isInSight(view: View, quad: Quad): boolean {
  if (view.camera.projection === "globe") return isOnNearSide(view, quad);
  // the box of a few corners is a little too small where edges are curved
  const room = view.camera.projection === "flat" || view.camera.projection === "mercator" ? 0 : 0.2;
  return meshesOf(view, quad, [PROBES, PROBES]).some(({ box }) => overlaps(view, box, room));
}

function overlaps({ width, height }: View, box: Mesh["box"], room = 0): boolean {
  const across = room * (box[2] - box[0]) + 1;
  const down = room * (box[3] - box[1]) + 1;
  return (
    box[0] - across < width / 2 &&
    box[2] + across > -width / 2 &&
    box[1] - down < height / 2 &&
    box[3] + down > -height / 2
  );
}

/** By the ball around a tile: before the horizon, and within the pane. */
function isOnNearSide({ camera, width, height }: View, quad: Quad): boolean {
  const span = spanOf(quad.z);
  const lat = (northOf(quad) - span / 2) * DEGREE;
  const lon = (westOf(quad) + span / 2 - camera.lon) * DEGREE;
  // half the diagonal, as an angle; more than it is near the poles
  const reach = Math.min(Math.PI / 2, span * DEGREE * Math.SQRT1_2);
  const [sin0, cos0] = [Math.sin(camera.lat * DEGREE), Math.cos(camera.lat * DEGREE)];
  const near = Math.cos(lat) * Math.cos(lon);
  const facing = sin0 * Math.sin(lat) + cos0 * near;
  if (Math.acos(Math.max(-1, Math.min(1, facing))) - reach > Math.PI / 2) return false;
  const radius = radiusOf(camera.zoom);
  const room = radius * 2 * Math.sin(reach / 2) + 1;
  const x = Math.abs(radius * Math.cos(lat) * Math.sin(lon));
  const y = Math.abs(radius * (sin0 * near - cos0 * Math.sin(lat)));
  return x - room < width / 2 && y - room < height / 2;
}

/** Pixels of a degree where the tile is largest within the pane. */
function degreePixels({ camera, width, height }: View, quad: Quad): number {
  const radius = radiusOf(camera.zoom) * DEGREE;
  const top = northOf(quad);
  const bottom = top - spanOf(quad.z);
  switch (camera.projection) {
    case "globe":
      return radius * slack(top, bottom);
    case "flat":
      return radius;
    case "equalearth":
      return radius * 1.1;
    case "mercator": {
      // the latitude furthest from the equator that the pane shows
      const middle = Math.asinh(Math.tan(camera.lat * DEGREE));
      const reach = height / 2 / radiusOf(camera.zoom);
      const seen = Math.atan(Math.sinh(Math.abs(middle) + reach)) / DEGREE;
      const furthest = Math.min(MERCATOR_LIMIT, seen, Math.max(Math.abs(top), Math.abs(bottom)));
      return radius / Math.cos(furthest * DEGREE);
    }
    case "north":
    case "south": {
      const scale = scaleOf(camera);
      const pole = camera.projection === "north" ? 1 : -1;
      const away = scale * Math.tan(((90 - pole * camera.lat) * DEGREE) / 2) + Math.hypot(width, height) / 2;
      const seen = 2 * Math.atan(away / scale);
      const far = Math.min(2.1, seen, (90 - (pole > 0 ? bottom : -top)) * DEGREE);
      return ((radius * 2) / (1 + Math.cos(far))) * slack(top, bottom);
    }
  }
}

/** Around a pole all meridians are in sight: one zoom less there keeps tiles few, of cells that are narrow anyhow. */
function slack(top: number, bottom: number): number {
  const widest = top * bottom <= 0 ? 1 : Math.cos(Math.min(Math.abs(top), Math.abs(bottom)) * DEGREE);
  return Math.max(0.5, Math.sqrt(widest));
}
