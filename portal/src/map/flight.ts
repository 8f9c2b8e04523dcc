/** A camera on its way to another: over the sphere, backing off where the way is long. */
import { geoDistance, geoInterpolate } from "d3-geo";
import { radiusOf, within } from "./projection";
import type { Camera } from "./types";

const SECONDS = { least: 0.5, most: 2.2 } as const;

/** Cameras along the way at 0 to 1, and milliseconds that it should take. */
export function flight(from: Camera, to: Camera, width: number): { at: (share: number) => Camera; lasts: number } {
  const angle = geoDistance([from.lon, from.lat], [to.lon, to.lat]);
  const place = geoInterpolate([from.lon, from.lat], [to.lon, to.lat]);
  // so far away that the whole way is seen at once
  const wide = Math.log2((0.8 * width) / (Math.max(angle, 1e-9) * radiusOf(0)));
  const dip = Math.max(0, Math.min(from.zoom, to.zoom) - wide);
  const seconds = 0.4 + 0.25 * Math.abs(to.zoom - from.zoom) + 0.35 * dip + angle * 0.5;
  const at = (share: number): Camera => {
    if (share >= 1) return to;
    const eased = smooth(share);
    // where it backs off, the way is made while far away
    const sharp = dip > 0 ? smooth(Math.max(0, Math.min(1, (share - 0.2) / 0.6))) : eased;
    const [lon, lat] = place(sharp);
    const zoom = from.zoom + (to.zoom - from.zoom) * eased - dip * Math.sin(Math.PI * eased) ** 2;
    return within({ ...to, lon, lat, zoom });
  };
  return { at, lasts: 1000 * Math.max(SECONDS.least, Math.min(SECONDS.most, seconds)) };
}

const smooth = (share: number): number => share * share * share * (share * (share * 6 - 15) + 10);
