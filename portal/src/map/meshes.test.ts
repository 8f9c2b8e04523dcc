import { geoDistance } from "d3-geo";
import { describe, expect, it } from "vitest";
import { patchesOf } from "./choosing";
import { CORNER, meshesOf, type Mesh, type View } from "./meshes";
import { projectionFor } from "./projection";
import { childrenOf, northOf, ROOTS, spanOf, westOf, type Quad } from "./quads";
import type { Camera, LonLat, ProjectionName } from "./types";

const [width, height] = [800, 600];
const see = (projection: ProjectionName, lon: number, lat: number, zoom: number): View => ({
  camera: { lon, lat, zoom, projection },
  width,
  height,
});

interface Corner {
  place: LonLat;
  pixel: [number, number];
  facing: number;
}

function cornersOf({ quad, corners }: Mesh): Corner[] {
  const span = spanOf(quad.z);
  return Array.from({ length: corners.length / CORNER }, (_, at) => {
    const [x, y, facing, u, v] = corners.subarray(at * CORNER, (at + 1) * CORNER);
    return { place: [westOf(quad) + u! * span, northOf(quad) - v! * span], pixel: [x!, y!], facing: facing! };
  });
}

/** d3's pixel relative to the middle of the pane. */
function byD3(camera: Camera, place: LonLat): [number, number] {
  const [x, y] = projectionFor(camera, width, height)(place)!;
  return [x - width / 2, y - height / 2];
}

const everyQuad = (z: number): Quad[] => (z === 0 ? [...ROOTS] : everyQuad(z - 1).flatMap(childrenOf));

describe("corners lie where d3 projects them", () => {
  const views: [ProjectionName, number, number][] = [
    ["globe", 10, 25],
    ["globe", 179.5, -60],
    ["globe", 0, 90],
    ["globe", -33, -90],
    ["flat", 0, 0],
    ["flat", 170, 40],
    ["mercator", -100, 60],
    ["equalearth", 77, -20],
    ["north", 30, 80],
    ["north", 0, 90],
    ["south", 100, -85],
  ];
  it.each(views)("%s at %d %d", (projection, lon, lat) => {
    const view = see(projection, lon, lat, 1.5);
    let [compared, furthest] = [0, 0];
    for (const mesh of everyQuad(2).flatMap((quad) => meshesOf(view, quad))) {
      for (const { place, pixel, facing } of cornersOf(mesh)) {
        // on the seam d3 chooses a side, at the horizon it clips
        const turn = Math.abs(((((place[0] - lon) % 360) + 540) % 360) - 180);
        const isSeam = projection !== "globe" && projection !== "north" && projection !== "south" && turn > 179.9;
        if (isSeam || facing < 0.01) continue;
        const [x, y] = byD3(view.camera, place);
        furthest = Math.max(furthest, Math.hypot(pixel[0] - x, pixel[1] - y));
        compared++;
      }
    }
    // shares of a tile's side are float32: 1e-5 degrees
    expect(furthest).toBeLessThan(0.01);
    expect(compared).toBeGreaterThan(50);
  });

  it("faces us as far as it is near the middle", () => {
    const view = see("globe", 40, 30, 1);
    for (const { place, facing } of meshesOf(view, { z: 1, row: 0, column: 2 }).flatMap(cornersOf)) {
      expect(facing).toBeCloseTo(Math.cos(geoDistance([40, 30], place)), 5);
    }
  });
});

describe("far in", () => {
  it.each(["globe", "flat", "mercator", "equalearth", "north"] as const)(
    "%s is exact to a hundredth of a pixel",
    (projection) => {
      const lon = 8.123456789;
      const lat = projection === "north" ? 78.98765 : 46.98765;
      const view = see(projection, lon, lat, 17.5);
      const patches = patchesOf(view);
      expect(patches.length).toBeGreaterThan(3);
      expect(patches.length).toBeLessThan(60);
      for (const { quad, meshes } of patches) {
        const span = spanOf(quad.z);
        for (const { corners } of meshes) {
          for (let at = 0; at < corners.length; at += CORNER) {
            const place: LonLat = [westOf(quad) + corners[at + 3]! * span, northOf(quad) - corners[at + 4]! * span];
            const [x, y] = byD3(view.camera, place);
            expect(Math.abs(corners[at]!)).toBeLessThan(3000);
            expect(Math.hypot(corners[at]! - x, corners[at + 1]! - y)).toBeLessThan(0.01);
          }
        }
      }
    },
  );
});

describe("the seam", () => {
  it("cuts a tile in two that end there", () => {
    const view = see("flat", 20, 0, 1);
    // -180 to -90 holds the seam at -160
    const [right, left, ...more] = meshesOf(view, { z: 1, row: 0, column: 0 });
    expect(more).toEqual([]);
    const half = (180 * 512) / 180;
    expect(Math.max(...cornersOf(right!).map(({ pixel }) => pixel[0]))).toBeCloseTo(half, 3);
    expect(Math.min(...cornersOf(left!).map(({ pixel }) => pixel[0]))).toBeCloseTo(-half, 3);
    expect(Math.max(...cornersOf(right!).map(({ place }) => place[0]))).toBeCloseTo(-160, 4);
    expect(Math.min(...cornersOf(left!).map(({ place }) => place[0]))).toBeCloseTo(-160, 4);
  });

  it("lies on the edge of tiles where the middle does", () => {
    const meshes = everyQuad(1).flatMap((quad) => meshesOf(see("flat", 0, 0, 1), quad));
    expect(meshes.length).toBe(8);
  });

  it("is nowhere on globes and polar maps", () => {
    for (const projection of ["globe", "south"] as const) {
      expect(meshesOf(see(projection, 20, -80, 1), { z: 1, row: 1, column: 0 }).length).toBe(1);
    }
  });
});

describe("poles and rims", () => {
  it("has one pixel for a pole", () => {
    for (const lat of [90, 60, 0]) {
      const view = see("globe", 33, lat, 2);
      const tops = everyQuad(2)
        .filter(({ row }) => row === 0)
        .flatMap((quad) => meshesOf(view, quad).flatMap(cornersOf))
        .filter(({ place }) => place[1] === 90);
      const [x, y] = byD3(view.camera, [0, 90]);
      for (const { pixel } of tops) expect(Math.hypot(pixel[0] - x, pixel[1] - y)).toBeLessThan(1e-3);
    }
  });

  it("ends polar maps beyond the equator, and Mercator's where d3 does", () => {
    const south = meshesOf(see("north", 0, 90, 0), { z: 1, row: 1, column: 0 }).flatMap(cornersOf);
    expect(Math.min(...south.map(({ place }) => place[1]))).toBeCloseTo(-30, 4);
    expect(meshesOf(see("north", 0, 90, 0), { z: 2, row: 3, column: 0 })).toEqual([]);
    const top = meshesOf(see("mercator", 0, 0, 0), { z: 1, row: 0, column: 0 }).flatMap(cornersOf);
    expect(Math.max(...top.map(({ place }) => place[1]))).toBeCloseTo(85.0511, 3);
    expect(top.every(({ pixel }) => Number.isFinite(pixel[1]))).toBe(true);
  });
});

describe("triangles follow curves", () => {
  it.each(["globe", "mercator", "equalearth", "north"] as const)("of %s within half a pixel", (projection) => {
    const view = see(projection, 10, projection === "north" ? 80 : 40, 1.7);
    let furthest = 0;
    for (const { meshes } of patchesOf(view)) {
      for (const mesh of meshes) {
        const corners = cornersOf(mesh);
        for (let row = 0; row < mesh.down; row++) {
          for (let column = 0; column < mesh.across; column++) {
            const first = corners[row * (mesh.across + 1) + column]!;
            // the diagonal of each cell, as it is cut in two triangles
            const right = corners[row * (mesh.across + 1) + column + 1]!;
            const below = corners[(row + 1) * (mesh.across + 1) + column]!;
            if (Math.min(first.facing, right.facing, below.facing) < 0.1) continue;
            const place: LonLat = [(right.place[0] + below.place[0]) / 2, (right.place[1] + below.place[1]) / 2];
            // on the seam d3 chooses a side
            if (Math.abs(((((place[0] - 10) % 360) + 540) % 360) - 180) > 179.9) continue;
            const [x, y] = byD3(view.camera, place);
            const off = Math.hypot(
              (right.pixel[0] + below.pixel[0]) / 2 - x,
              (right.pixel[1] + below.pixel[1]) / 2 - y,
            );
            furthest = Math.max(furthest, off);
          }
        }
      }
    }
    expect(furthest).toBeLessThan(0.75);
  });
});
