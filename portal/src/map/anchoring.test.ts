import { describe, expect, test } from "vitest";
import { anchored, panned, zoomed } from "./anchoring";
import { placeAt, projectionFor, radiusOf } from "./projection";
import type { Camera, LonLat, ProjectionName } from "./types";

const WIDTH = 800;
const HEIGHT = 600;
const every: ProjectionName[] = ["globe", "flat", "mercator", "equalearth", "north", "south"];

/** Numbers between 0 and 1, the same ones each time (mulberry32). */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const bound = (projection: ProjectionName): [number, number] =>
  projection === "north"
    ? [-10, 90]
    : projection === "south"
      ? [-90, 10]
      : projection === "mercator"
        ? [-84, 84]
        : [-90, 90];

describe.each(every)("%s", (projection) => {
  const [low, high] = bound(projection);

  test("the place under the pointer stays under it", () => {
    const next = numbers(7);
    let tried = 0;
    for (let round = 0; round < 400; round++) {
      const camera: Camera = {
        lon: next() * 360 - 180,
        lat: low + next() * (high - low),
        zoom: next() * 6,
        projection,
      };
      const from = projectionFor(camera, WIDTH, HEIGHT);
      const place = placeAt(from, next() * WIDTH, next() * HEIGHT);
      if (!place) continue;
      const [x, y] = from(place)!;
      // a little way, so that the globe can still turn there with north up
      const [toX, toY] = [x + (next() - 0.5) * 60, y + (next() - 0.5) * 60];
      const after = anchored(camera, place, toX - WIDTH / 2, toY - HEIGHT / 2);
      expect(after.zoom).toBe(camera.zoom);
      expect(after.projection).toBe(projection);
      const limit = projection === "mercator" ? 85.05 : projection === "north" || projection === "south" ? 21 : 90;
      if (Math.abs(after.lat) >= limit - 0.01 && projection !== "north" && projection !== "south") continue;
      if ((projection === "north" && after.lat < -19.9) || (projection === "south" && after.lat > 19.9)) continue;
      if (projection === "globe" && !canTurn(place, toX, toY, camera.zoom)) continue;
      // beyond the cut opposite the middle a flat map goes on at its other edge
      if (!["globe", "north", "south"].includes(projection) && Math.abs(x - WIDTH / 2) + 60 > 2 * radiusOf(camera.zoom))
        continue;
      const [gotX, gotY] = projectionFor(after, WIDTH, HEIGHT)(place)!;
      expect(Math.hypot(gotX - toX, gotY - toY), JSON.stringify({ camera, place, toX, toY, after })).toBeLessThan(0.01);
      tried++;
    }
    expect(tried).toBeGreaterThan(100);
  });

  test("zooming leaves the place under the pointer", () => {
    const camera: Camera = { lon: 30, lat: projection === "south" ? -60 : 60, zoom: 2, projection };
    const from = projectionFor(camera, WIDTH, HEIGHT);
    const place = placeAt(from, 450, 260)!;
    const after = zoomed(camera, 3.3, place, 50, -40);
    expect(after.zoom).toBe(3.3);
    const [x, y] = projectionFor(after, WIDTH, HEIGHT)(place)!;
    expect(Math.hypot(x - 450, y - 260)).toBeLessThan(0.01);
  });

  test("whatever comes, the camera is finite and within its bounds", () => {
    const next = numbers(11);
    for (let round = 0; round < 300; round++) {
      const camera: Camera = {
        lon: next() * 360 - 180,
        lat: low + next() * (high - low),
        zoom: next() * 4 - 1,
        projection,
      };
      const place: LonLat = [next() * 360 - 180, next() * 180 - 90];
      for (const after of [
        anchored(camera, place, (next() - 0.5) * 3000, (next() - 0.5) * 3000),
        panned(camera, (next() - 0.5) * 3000, (next() - 0.5) * 3000),
      ]) {
        expect(Number.isFinite(after.lon) && Number.isFinite(after.lat)).toBe(true);
        expect(Math.abs(after.lat)).toBeLessThanOrEqual(90);
        expect(Math.abs(after.lon)).toBeLessThanOrEqual(180);
      }
    }
  });
});

/** Whether the globe, north up, can show a place at a pixel at all. */
function canTurn(place: LonLat, x: number, y: number, zoom: number): boolean {
  const radius = radiusOf(zoom);
  const [right, up] = [(x - WIDTH / 2) / radius, -(y - HEIGHT / 2) / radius];
  const across = Math.cos((place[1] * Math.PI) / 180);
  return (
    Math.hypot(right, up) < 0.999 &&
    Math.abs(right) < across - 1e-6 &&
    Math.abs(up) <= Math.hypot(Math.sin((place[1] * Math.PI) / 180), Math.sqrt(across ** 2 - right ** 2))
  );
}

test("panning moves the middle by as many pixels", () => {
  for (const projection of every) {
    const camera: Camera = { lon: 10, lat: projection === "south" ? -40 : 40, zoom: 3, projection };
    const after = panned(camera, 12, -7);
    const [x, y] = projectionFor(after, WIDTH, HEIGHT)([camera.lon, camera.lat])!;
    expect(Math.hypot(x - (WIDTH / 2 + 12), y - (HEIGHT / 2 - 7))).toBeLessThan(1);
  }
});
