import { describe, expect, it } from "vitest";
import { COARSENESS, patchesOf } from "./choosing";
import type { View } from "./meshes";
import { placeAt, projectionFor } from "./projection";
import { ancestorOf, holds, keyOf, SIDE, spanOf, type Quad } from "./quads";
import type { ProjectionName } from "./types";

const see = (projection: ProjectionName, lon: number, lat: number, zoom: number): View => ({
  camera: { lon, lat, zoom, projection },
  width: 800,
  height: 600,
});

const views: [ProjectionName, number, number, number][] = [
  ["globe", 10, 25, 1.7],
  ["globe", 180, 0, 0],
  ["globe", 20, 90, 3.2],
  ["globe", -70, -89, 5],
  ["globe", 8, 47, 9.4],
  ["flat", 0, 0, 0.5],
  ["flat", 179, 80, 4],
  ["mercator", -170, 70, 2.5],
  ["equalearth", 60, 30, 2],
  ["equalearth", 0, 85, 3],
  ["north", 100, 75, 1.5],
  ["north", 0, 90, -1],
  ["south", 0, -90, 4],
];

describe.each(views)("%s at %d %d, zoom %d", (...at) => {
  const view = see(...at);
  const patches = patchesOf(view);

  it("covers every pixel of the Earth once", () => {
    const projection = projectionFor(view.camera, view.width, view.height);
    for (let x = 3; x < view.width; x += 13) {
      for (let y = 3; y < view.height; y += 13) {
        const place = placeAt(projection, x, y);
        const isCut =
          (view.camera.projection === "north" && place && place[1] < -30) ||
          (view.camera.projection === "mercator" && place && Math.abs(place[1]) > 85.05);
        if (!place || isCut) continue;
        expect(patches.filter(({ quad }) => holds(quad, place)).length, `${place}`).toBe(1);
      }
    }
  });

  it("takes no more tiles than it needs", () => {
    expect(patches.length).toBeLessThan(80);
    expect(new Set(patches.map(({ quad }) => keyOf(quad))).size).toBe(patches.length);
    for (const { quad } of patches) {
      for (const other of patches) expect(isAbove(other.quad, quad)).toBe(false);
    }
  });

  it("has cells of about a pixel in the middle, and begins there", () => {
    const first = patches[0]!.quad;
    const projection = projectionFor(view.camera, view.width, view.height);
    const { lon, lat } = view.camera;
    const up = lat > 0 ? -0.001 : 0.001;
    const [one, other] = [projection([lon, lat])!, projection([lon, lat + up])!];
    const pixels = (Math.hypot(one[0] - other[0], one[1] - other[1]) / 0.001) * (spanOf(first.z) / SIDE);
    expect(pixels).toBeLessThan(COARSENESS * (Math.abs(lat) > 70 ? 2 : 1.2));
    if (first.z > 0) expect(pixels).toBeGreaterThan(COARSENESS / 16);
    expect(patches.every(({ distance }, at) => at === 0 || distance >= patches[at - 1]!.distance)).toBe(true);
  });
});

const isAbove = (one: Quad, other: Quad): boolean => one.z < other.z && keyOf(ancestorOf(other, one.z)) === keyOf(one);
