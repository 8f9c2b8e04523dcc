import { readFileSync } from "node:fs";
import { geoContains } from "d3-geo";
import { beforeAll, describe, expect, test } from "vitest";
import { prepared, type Atlas, type Piece } from "./atlas";
import { angle, around, lonLat, meet, seen, vector } from "./caps";
import { placeAt, projectionFor } from "./projection";
import { traced } from "./tracing";
import type { Camera, LonLat } from "./types";

const world = (detail: string) =>
  JSON.parse(readFileSync(new URL(`../../node_modules/world-atlas/countries-${detail}.json`, import.meta.url), "utf8"));

/** A path that remembers where it goes. */
class Steps {
  places: [number, number][] = [];
  moveTo(x: number, y: number): void {
    this.places.push([x, y]);
  }
  lineTo(x: number, y: number): void {
    this.places.push([x, y]);
  }
  closePath(): void {}
  arc(): void {}
}
beforeAll(() => void Object.assign(globalThis, { Path2D: Steps }));

const steps = (pieces: Piece[], camera: Camera): [number, number][] =>
  (traced(pieces, camera, projectionFor(camera, 800, 600).precision(0)) as unknown as Steps).places;

test.each<Camera>([
  { lon: 10, lat: 50, zoom: 3, projection: "globe" },
  { lon: -60, lat: 80, zoom: 2, projection: "north" },
  { lon: 100, lat: -75, zoom: 2, projection: "south" },
])("what is projected without d3 lies where d3 would put it: $projection", async (camera) => {
  const { coasts } = (await prepared(world("110m"))).picture(null);
  const projection = projectionFor(camera, 800, 600);
  const front = coasts.filter((one) => angle(one.cap.middle, vector([camera.lon, camera.lat])) + one.cap.radius < 1.4);
  expect(front.length).toBeGreaterThan(20);
  const expected = front.flatMap((one) => one.lines[0]!.map((place) => projection(place as LonLat)!));
  const found = steps(front, camera);
  // vertices that fall upon one another are left out, those that are drawn lie where they should
  expect(found.length).toBeGreaterThan(expected.length / 2);
  let next = 0;
  for (const [x, y] of found) {
    while (next < expected.length && Math.hypot(x - expected[next]![0], y - expected[next]![1]) > 1e-6) next++;
    next++;
  }
  expect(next).toBeLessThanOrEqual(expected.length);
});

describe("a window", () => {
  let atlas: Atlas;
  beforeAll(async () => void (atlas = await prepared(world("110m"))));
  const holds = (pieces: Piece[], place: LonLat): boolean =>
    pieces.some((one) => geoContains({ type: "Polygon", coordinates: one.lines }, place));

  test.each<Camera>([
    { lon: 10, lat: 50, zoom: 4, projection: "globe" },
    { lon: 90, lat: 60, zoom: 5.5, projection: "flat" },
    { lon: 179.5, lat: -17, zoom: 5, projection: "mercator" },
    { lon: 180, lat: 67, zoom: 6, projection: "equalearth" },
    { lon: 0, lat: -88, zoom: 4, projection: "south" },
    { lon: -150, lat: 0, zoom: 5, projection: "globe" },
  ])("has the same land and sea as the whole: $projection at $lon, $lat", (camera) => {
    const projection = projectionFor(camera, 800, 600);
    const view = seen(projection, 800, 600)!;
    const [cut, whole] = [atlas.picture(view), atlas.picture(null)];
    expect(cut.points).toBeLessThan(whole.points);
    for (let x = 20; x < 800; x += 95)
      for (let y = 20; y < 600; y += 93) {
        const place = placeAt(projection, x, y)!;
        expect(holds(cut.land, place), String(place)).toBe(holds(whole.land, place));
      }
  });

  test("is kept while the view moves within it", () => {
    const view = seen(projectionFor({ lon: 10, lat: 50, zoom: 5, projection: "globe" }, 800, 600), 800, 600);
    const near = seen(projectionFor({ lon: 11, lat: 50, zoom: 5, projection: "globe" }, 800, 600), 800, 600);
    const far = seen(projectionFor({ lon: 60, lat: 50, zoom: 5, projection: "globe" }, 800, 600), 800, 600);
    const picture = atlas.picture(view);
    expect(atlas.ready(near)).toBe(picture);
    expect(atlas.ready(far)).toBeNull();
  });
});

test("circles on the sphere", () => {
  const cap = around([
    [170, 0],
    [-170, 0],
    [180, 10],
    [180, -10],
  ]);
  expect(lonLat(cap.middle)[0]).toBeCloseTo(180, 6);
  expect((cap.radius * 180) / Math.PI).toBeCloseTo(10, 6);
  expect(
    meet(
      cap,
      around([
        [-165, 0],
        [-160, 0],
      ]),
    ),
  ).toBe(false);
  expect(
    meet(
      cap,
      around([
        [-172, 0],
        [-160, 0],
      ]),
    ),
  ).toBe(true);
});

test("no line of a coast runs along the antimeridian", async () => {
  for (const detail of ["110m", "50m"]) {
    const { coasts, borders } = (await prepared(world(detail))).picture(null);
    const along = [...coasts, ...borders]
      .flatMap(({ lines }) => lines)
      .filter((line) =>
        line.some(
          (place, index) => index > 0 && Math.abs(place[0]!) > 179.99 && Math.abs(line[index - 1]![0]!) > 179.99,
        ),
      );
    expect(along).toEqual([]);
  }
});
