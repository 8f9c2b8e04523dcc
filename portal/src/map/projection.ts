import {
  geoEqualEarth,
  geoEquirectangular,
  geoMercator,
  geoOrthographic,
  geoStereographic,
  type GeoProjection,
} from "d3-geo";
import type { Camera, LonLat, ProjectionName } from "./types";

/** Zooms that the camera may have. */
export const ZOOMS = { least: -1.5, most: 18 } as const;
export const MERCATOR_LIMIT = 85.051129;

/** CSS pixels of the Earth's radius: at zoom z a degree is 256 * 2^z / 180 of them. */
export const radiusOf = (zoom: number): number => ((256 * 2 ** zoom) / 180) * (180 / Math.PI);

/** What d3 calls scale: pixels of a unit of the raw projection. A stereographic one is drawn at half its size there. */
export const scaleOf = ({ zoom, projection }: Camera): number =>
  radiusOf(zoom) * (projection === "north" || projection === "south" ? 2 : 1);

/** Half the width and height of the whole Earth at a radius of 1; of polar maps as far as the equator. */
const HALVES: Record<ProjectionName, [number, number]> = {
  globe: [1, 1],
  flat: [Math.PI, Math.PI / 2],
  mercator: [Math.PI, Math.PI],
  equalearth: [2.7066, 1.3173],
  north: [2, 2],
  south: [2, 2],
};

/** The zoom at which the whole Earth (of a polar map its half) fits into a pane, with a little room. */
export function fittingZoom(width: number, height: number, projection: ProjectionName): number {
  const [across, down] = HALVES[projection];
  return Math.log2((0.96 * Math.min(width / across, height / down)) / 2 / radiusOf(0));
}

/**
 * d3's projection for a camera and the size of a pane in CSS pixels: the camera's place lies in the middle.
 * Spherical (radius 1), clipped as d3 clips polygons on the sphere: at the horizon, or cut at the antimeridian of the middle.
 */
export function projectionFor(camera: Camera, width: number, height: number): GeoProjection {
  const made = unplaced(camera).scale(scaleOf(camera)).translate([0, 0]).precision(0.3);
  const [x, y] = made([camera.lon, camera.lat]) ?? [0, 0];
  return made.translate([width / 2 - x, height / 2 - y]);
}

function unplaced({ lon, lat, projection }: Camera): GeoProjection {
  switch (projection) {
    case "globe":
      return geoOrthographic().rotate([-lon, -lat]).clipAngle(90);
    case "flat":
      return geoEquirectangular().rotate([-lon, 0]);
    case "equalearth":
      return geoEqualEarth().rotate([-lon, 0]);
    case "mercator":
      return geoMercator().rotate([-lon, 0]);
    case "north":
      return geoStereographic().rotate([0, -90]).clipAngle(120);
    case "south":
      return geoStereographic().rotate([0, 90]).clipAngle(120);
  }
}

/** A camera within what its projection can show. */
export function within(camera: Camera): Camera {
  const most = camera.projection === "mercator" ? MERCATOR_LIMIT : 90;
  return {
    ...camera,
    // what is in place stays to the last digit
    lon: camera.lon >= -180 && camera.lon < 180 ? camera.lon : ((((camera.lon + 180) % 360) + 360) % 360) - 180,
    lat: Math.max(-most, Math.min(most, camera.lat)),
    zoom: Math.max(ZOOMS.least, Math.min(ZOOMS.most, camera.zoom)),
  };
}

/** The place under a pixel; null beside the Earth. */
export function placeAt(projection: GeoProjection, x: number, y: number): LonLat | null {
  const found = projection.invert?.([x, y]);
  if (!found || !Number.isFinite(found[0]) || !Number.isFinite(found[1]) || Math.abs(found[1]) > 90) return null;
  // an azimuthal inverse answers beyond the horizon too: only what comes back to the pixel is there
  const back = projection(found);
  if (!back || Math.hypot(back[0] - x, back[1] - y) > 0.5) return null;
  return [found[0], found[1]];
}
