import { geoArea, geoContains } from "d3-geo";
import { describe, expect, test } from "vitest";
import { area, geometryOf, holds, middles, moved, outline, shapeOf, spherical, turn, type Tool } from "./shapes";
import type { LonLat } from "./types";

const polygon = (tool: Tool, ...vertices: LonLat[]): GeoJSON.Polygon =>
  geometryOf({ tool, vertices }) as GeoJSON.Polygon;
const EARTH = 4 * Math.PI;
/** Of the Earth between two parallels, over some degrees of longitude. */
const zone = (south: number, north: number, wide: number): number =>
  ((Math.sin((north * Math.PI) / 180) - Math.sin((south * Math.PI) / 180)) * wide * Math.PI) / 180;
const drawn = (geometry: GeoJSON.Geometry): number => geoArea(spherical(geometry, 0.25));

describe("lines", () => {
  test("count on over the antimeridian, whichever way", () => {
    expect(
      geometryOf({
        tool: "line",
        vertices: [
          [178, 10],
          [-178, 11],
          [-170, 12],
        ],
      }),
    ).toEqual({
      type: "LineString",
      coordinates: [
        [178, 10],
        [182, 11],
        [190, 12],
      ],
    });
    expect(
      geometryOf({
        tool: "line",
        vertices: [
          [-178, 10],
          [178, 11],
        ],
      }),
    ).toEqual({
      type: "LineString",
      coordinates: [
        [182, 10],
        [178, 11],
      ],
    });
  });
  test("longitudes stay within what the server takes, also once around", () => {
    const vertices = Array.from({ length: 15 }, (_, n): LonLat => [turn(0, 100 + n * 40), n]);
    const line = geometryOf({ tool: "line", vertices }) as GeoJSON.LineString;
    const lons = line.coordinates.map((place) => place[0]!);
    expect(Math.max(...lons) - Math.min(...lons)).toBe(560);
    expect(Math.max(...lons.map(Math.abs))).toBeLessThanOrEqual(360);
  });
  test("need two places that differ", () => {
    expect(
      geometryOf({
        tool: "line",
        vertices: [
          [1, 2],
          [1, 2],
        ],
      }),
    ).toBeNull();
  });
});

describe("polygons", () => {
  test("are counterclockwise and closed, however they were drawn", () => {
    for (const vertices of [
      [
        [0, 0],
        [10, 0],
        [10, 10],
      ],
      [
        [0, 0],
        [10, 10],
        [10, 0],
      ],
    ] as LonLat[][]) {
      const [ring] = polygon("polygon", ...vertices).coordinates;
      expect(area(ring!)).toBe(100);
      expect(ring![0]).toEqual(ring!.at(-1));
    }
  });
  test("over the antimeridian stay in one piece, with longitudes that go on", () => {
    const [ring] = polygon("polygon", [170, -10], [-170, -10], [-170, 10], [170, 10]).coordinates;
    expect(ring!.map((place) => place[0])).toEqual([170, 190, 190, 170, 170]);
    expect(drawn({ type: "Polygon", coordinates: [ring!] })).toBeCloseTo(zone(-10, 10, 20), 4);
  });
  test.each([
    [70, 90],
    [-65, -90],
  ])("around the pole at latitude %d hold it", (lat, pole) => {
    for (const start of [0, 37, 100, 180, -179])
      for (const way of [1, -1]) {
        const around = Array.from({ length: 9 }, (_, n): LonLat => [turn(0, start + way * n * 40), lat]);
        const made = polygon("polygon", ...around);
        const ring = made.coordinates[0]!;
        expect(ring.every(([lon, at]) => Math.abs(lon!) <= 180 && Math.abs(at!) <= 90)).toBe(true);
        expect(area(ring) / 2).toBeCloseTo(360 * (90 - Math.abs(lat)), 6);
        expect(drawn(made)).toBeCloseTo(zone(Math.abs(lat), 90, 360), 3);
        expect(geoContains(spherical(made, 1), [12.3, pole * 0.99])).toBe(true);
        expect(geoContains(spherical(made, 1), [12.3, 0])).toBe(false);
        // what is edited is what was drawn
        const again = geometryOf(shapeOf(made)!) as GeoJSON.Polygon;
        expect(area(again.coordinates[0]!)).toBeCloseTo(area(ring), 6);
      }
  });
  test("larger than half of the Earth are not turned inside out", () => {
    const made = polygon("box", [-180, -60], [180, 89]);
    expect(drawn(made)).toBeCloseTo(zone(-60, 89, 360), 2);
  });
  test("have no outline where they are cut", () => {
    const cap = polygon("polygon", ...Array.from({ length: 9 }, (_, n): LonLat => [turn(0, n * 40), 70]));
    const lines = outline(cap.coordinates, 1).coordinates;
    expect(lines.flat().every((place) => Math.abs(place[1]! - 70) < 1e-9)).toBe(true);
  });
});

describe("boxes", () => {
  test("follow parallels", () => {
    const made = polygon("box", [10, 40], [30, 60]);
    expect(made.bbox).toEqual([10, 40, 30, 60]);
    expect(drawn(made)).toBeCloseTo(zone(40, 60, 20), 4);
  });
  test("over the antimeridian have west beyond east in their bbox", () => {
    const made = polygon("box", [190, 5], [170, -5]);
    expect(made.bbox).toEqual([170, -5, -170, 5]);
    expect(made.coordinates[0]!.map((place) => place[0])).toEqual([170, 190, 190, 170, 170]);
  });
  test("corners take their sides along", () => {
    const shape = shapeOf(polygon("box", [10, 40], [30, 60]))!;
    expect(shape.tool).toBe("box");
    expect(holds(shape)).toHaveLength(4);
    holds(shape).forEach((_, index) => {
      const bbox = (geometryOf(moved(shape, index, [20, 50])) as GeoJSON.Polygon).bbox!;
      expect((bbox[2]! - bbox[0]!) * (bbox[3]! - bbox[1]!)).toBe(100);
    });
  });
  test("without extent are none", () => {
    expect(
      geometryOf({
        tool: "box",
        vertices: [
          [1, 2],
          [1, 5],
        ],
      }),
    ).toBeNull();
  });
});

test("a vertex moved over the antimeridian takes the near way", () => {
  expect(
    moved(
      {
        tool: "line",
        vertices: [
          [170, 0],
          [179, 0],
        ],
      },
      1,
      [-178, 3],
    ).vertices[1],
  ).toEqual([182, 3]);
  expect(
    middles({
      tool: "polygon",
      vertices: [
        [170, 0],
        [-170, 0],
        [-170, 10],
      ],
    }),
  ).toEqual([
    [180, 0],
    [-170, 5],
    [-180, 5],
  ]);
  // lines are great circles
  expect(
    middles({
      tool: "line",
      vertices: [
        [0, 60],
        [180, 60],
      ],
    })[0]![1],
  ).toBeCloseTo(90, 6);
});

test("points lie in -180..180", () => {
  expect(geometryOf({ tool: "point", vertices: [[190, 5]] })).toEqual({ type: "Point", coordinates: [-170, 5] });
});

test("holes and several parts are seen but not edited", () => {
  const ring = [
    [0, 0],
    [9, 0],
    [9, 9],
    [0, 0],
  ];
  expect(shapeOf({ type: "Polygon", coordinates: [ring, ring] })).toBeNull();
  expect(shapeOf({ type: "MultiPolygon", coordinates: [[ring]] })).toBeNull();
});

test("the whole Earth is no more than itself", () => {
  expect(drawn(polygon("box", [-180, -90], [180, 90]))).toBeCloseTo(EARTH, 1);
});
