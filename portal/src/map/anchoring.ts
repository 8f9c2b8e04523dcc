/** Where the camera must stand for a place to lie at a pixel: the arithmetic of dragging and of zooming about a point. */
import { geoEqualEarthRaw } from "d3-geo";
import { projectionFor, radiusOf, within } from "./projection";
import type { Camera, LonLat } from "./types";

const DEGREE = Math.PI / 180;
const POLAR_REACH = 20;

const clamp = (value: number, least: number, most: number): number => Math.max(least, Math.min(most, value));

/**
 * The camera, at its own zoom and north up, in which `place` lies `dx` pixels right of and `dy` below the middle.
 * Where there is none (beyond the limb, over a pole) the nearest that there is.
 */
export function anchored(camera: Camera, place: LonLat, dx: number, dy: number): Camera {
  const radius = radiusOf(camera.zoom);
  const [lon, lat] = middle(camera, place, dx / radius, dy / radius);
  return within({ ...camera, lon, lat });
}

/** The camera after the picture moved `dx` pixels to the right and `dy` down. */
export function panned(camera: Camera, dx: number, dy: number): Camera {
  if (camera.projection !== "globe") return anchored(camera, [camera.lon, camera.lat], dx, dy);
  const radius = radiusOf(camera.zoom);
  // near a pole one pixel would turn the globe about itself
  const across = Math.max(0.25, Math.cos(camera.lat * DEGREE));
  return within({
    ...camera,
    lon: camera.lon - clamp(dx / radius / across, -1, 1) / DEGREE,
    lat: camera.lat + clamp(dy / radius, -1, 1) / DEGREE,
  });
}

/** The camera at another zoom, with the place under a pixel where it was; about the middle where no place is under it. */
export function zoomed(camera: Camera, zoom: number, place: LonLat | null, dx: number, dy: number): Camera {
  const nearer = within({ ...camera, zoom });
  return place ? anchored(nearer, place, dx, dy) : nearer;
}

function middle(camera: Camera, place: LonLat, x: number, y: number): LonLat {
  switch (camera.projection) {
    case "globe":
      return onGlobe(camera, place, x, y);
    case "flat":
      return [place[0] - x / DEGREE, place[1] + y / DEGREE];
    case "mercator":
      return [place[0] - x / DEGREE, Math.atan(Math.sinh(Math.asinh(Math.tan(place[1] * DEGREE)) + y)) / DEGREE];
    case "equalearth":
      return onEqualEarth(place, x, y);
    case "north":
    case "south":
      return onPolarPlane(camera, place, x, y);
  }
}

/**
 * Orthographic, solved for its middle: x = cos(lat) sin(lon - lon0), y = sin(lat) cos(lat0) - cos(lat) cos(lon - lon0) sin(lat0)
 * (Snyder, Map Projections: A Working Manual, 20-3 and 20-4).
 */
function onGlobe(camera: Camera, [lon, lat]: LonLat, x: number, y: number): LonLat {
  const away = Math.hypot(x, y);
  const shrink = away > 0.999 ? 0.999 / away : 1;
  const across = Math.cos(lat * DEGREE);
  const sine = across < 1e-9 ? 0 : clamp((x * shrink) / across, -1, 1);
  const beside = Math.asin(sine);
  const up = -y * shrink;
  // the place lies on this side of the pole or beyond it: both look the same, the nearer to where we are is meant
  const both = [beside, Math.PI - beside].map((turn): LonLat => {
    const near = across * Math.cos(turn);
    const high = Math.sin(lat * DEGREE);
    const long = Math.hypot(near, high);
    const lat0 = Math.acos(clamp(long < 1e-9 ? 0 : up / long, -1, 1)) - Math.atan2(near, high);
    return [lon - turn / DEGREE, lat0 / DEGREE];
  });
  const off = ([lon0, lat0]: LonLat): number => {
    const turn = Math.abs(((((lon0 - camera.lon) % 360) + 540) % 360) - 180) * Math.cos(camera.lat * DEGREE);
    return Math.max(0, Math.abs(lat0) - 90) * 1000 + turn + Math.abs(lat0 - camera.lat);
  };
  return off(both[0]!) <= off(both[1]!) ? both[0]! : both[1]!;
}

function onEqualEarth([lon, lat]: LonLat, x: number, y: number): LonLat {
  const [wide, high] = geoEqualEarthRaw(1, lat * DEGREE);
  const most = geoEqualEarthRaw(0, Math.PI / 2)[1];
  const lat0 = geoEqualEarthRaw.invert!(0, clamp(high + y, -most, most))[1];
  return [lon - x / wide / DEGREE, lat0 / DEGREE];
}

/** A polar map only slides in its plane; its middle stays on the side of its pole, roughly. */
function onPolarPlane(camera: Camera, place: LonLat, x: number, y: number): LonLat {
  const radius = radiusOf(camera.zoom);
  const projection = projectionFor(camera, 0, 0);
  const at = projection(place) ?? [0, 0];
  const [lon, lat] = projection.invert!([at[0] - x * radius, at[1] - y * radius]) ?? [camera.lon, camera.lat];
  return [lon, camera.projection === "north" ? Math.max(lat, -POLAR_REACH) : Math.min(lat, POLAR_REACH)];
}
