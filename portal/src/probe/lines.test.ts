import { geoDistance, geoInterpolate } from "d3-geo";
import { describe, expect, it } from "vitest";
import { EARTH_KM, between, distance, lengthOf, nearest, stations } from "./lines";

describe("lines on the sphere", () => {
  const pairs: [[number, number], [number, number]][] = [
    [
      [0, 0],
      [10, 0],
    ],
    [
      [-35, -4],
      [5, 60],
    ],
    [
      [170, 10],
      [-170, -10],
    ],
    [
      [10, 89],
      [-120, 88],
    ],
  ];

  it("are as long, and go where, d3 says", () => {
    for (const [a, b] of pairs) {
      expect(distance(a, b)).toBeCloseTo(geoDistance(a, b) * EARTH_KM, 6);
      const [lon, lat] = between(a, b, 0.3);
      const [x, y] = geoInterpolate(a, b)(0.3);
      expect(Math.cos(((lon - x) * Math.PI) / 180)).toBeCloseTo(1, 10);
      expect(lat).toBeCloseTo(y, 8);
    }
  });

  it("have their corners among their stations, and no more than asked for", () => {
    const line: [number, number][] = [
      [-35, -4],
      [-20, 2],
      [5, 0],
    ];
    const found = stations(line, 50, 10);
    expect(found.length).toBeLessThanOrEqual(50);
    for (const corner of line)
      expect(found.some(({ place }) => place[0] === corner[0] && place[1] === corner[1])).toBe(true);
    expect(found.at(-1)!.km).toBeCloseTo(lengthOf(line), 6);
    expect(found.every((one, n) => n === 0 || one.km > found[n - 1]!.km)).toBe(true);
  });

  it("count on over the antimeridian", () => {
    const found = stations(
      [
        [170, 0],
        [190, 0],
      ],
      30,
      1,
    ).map((one) => one.place[0]);
    expect(found.every((one, n) => n === 0 || one > found[n - 1]!)).toBe(true);
    const back = stations(
      [
        [170, 0],
        [-170, 0],
      ],
      30,
      1,
    ).map((one) => one.place[0]);
    expect(back.at(-1)).toBe(190);
  });

  it("may be a single place, or none", () => {
    expect(
      stations(
        [
          [1, 2],
          [1, 2],
        ],
        10,
        1,
      ),
    ).toEqual([{ place: [1, 2], km: 0 }]);
    expect(stations([], 10, 1)).toEqual([]);
  });

  it("take the cell that is nearest", () => {
    const found = stations(
      [
        [0, 0],
        [4, 0],
      ],
      9,
      1,
    );
    const cells: [number, number][] = [
      [0, 0],
      [2, 0],
      [-356, 0],
    ];
    expect(nearest(found, cells).filter((one, n, all) => one !== all[n - 1])).toEqual([0, 1, 2]);
  });
});
