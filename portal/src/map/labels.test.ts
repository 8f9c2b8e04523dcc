import { readFileSync } from "node:fs";
import { geoContains } from "d3-geo";
import { describe, expect, test } from "vitest";
import { prepared } from "./atlas";
import { broken, degrees, fitting, namesOf, placed } from "./labels";
import { projectionFor } from "./projection";
import type { Camera, Frame } from "./types";

const world = JSON.parse(
  readFileSync(new URL("../../node_modules/world-atlas/countries-110m.json", import.meta.url), "utf8"),
);
const atlas = await prepared(world);
const names = namesOf(atlas.countries());
const named = (name: string) => names.find((one) => one.lines.join(" ") === name)!;

const frameOf = (camera: Camera): Frame => ({
  camera,
  projection: projectionFor(camera, 800, 600),
  width: 800,
  height: 600,
  pixelRatio: 1,
  moving: false,
  dark: false,
  basemap: { land: true, borders: true, graticule: false, labels: true },
});
const shown = (camera: Camera): string[] =>
  fitting(placed(names, frameOf(camera), (line, size) => line.length * size * 0.55)).map((one) =>
    one.name.lines.join(" "),
  );

describe("names", () => {
  test("stand within their country, in its largest part", () => {
    for (const { name, rings } of atlas.countries()) {
      const one = named(name);
      expect(geoContains({ type: "Polygon", coordinates: rings }, one.at), name).toBe(true);
    }
    expect(named("France").at[1]).toBeGreaterThan(40);
    expect(Math.abs(named("Russia").at[0] - 95)).toBeLessThan(15);
  });
  test("the larger country wins where two would overlap", () => {
    const box = [0, 0, 50, 12] as const;
    expect(
      fitting([
        { box, n: 1 },
        { box: [40, 5, 90, 17] as const, n: 2 },
        { box: [60, 30, 90, 42] as const, n: 3 },
      ]).map((one) => one.n),
    ).toEqual([1, 3]);
    expect(fitting([{ box }], [[45, 0, 60, 10]])).toEqual([]);
  });
  test("never overlap, and never lie beyond the horizon", () => {
    for (const lon of [0, 60, 120, 180, -120, -60]) {
      const camera: Camera = { lon, lat: 20, zoom: 1.76, projection: "globe" };
      const kept = fitting(placed(names, frameOf(camera), (line, size) => line.length * size * 0.55));
      expect(kept.length).toBeGreaterThan(5);
      for (const [n, one] of kept.entries())
        for (const other of kept.slice(n + 1)) {
          const apart =
            one.box[2] <= other.box[0] ||
            other.box[2] <= one.box[0] ||
            one.box[3] <= other.box[1] ||
            other.box[3] <= one.box[1];
          expect(apart).toBe(true);
        }
      for (const one of kept) expect(Math.hypot(one.x - 400, one.y - 300)).toBeLessThan(276);
    }
    expect(shown({ lon: 10, lat: 20, zoom: 1.76, projection: "globe" })).not.toContain("Australia");
    expect(shown({ lon: 10, lat: 20, zoom: 1.76, projection: "globe" })).toContain("Algeria");
  });
  test("long ones take two lines", () => {
    expect(broken("United States of America")).toEqual(["United States", "of America"]);
    expect(broken("Liechtenstein")).toEqual(["Liechtenstein"]);
    expect(broken("Chad")).toEqual(["Chad"]);
  });
});

test("degrees say their side", () => {
  expect(degrees(-30, ["E", "W"])).toBe("30°W");
  expect(degrees(190, ["E", "W"])).toBe("170°W");
  expect(degrees(45.5, ["N", "S"])).toBe("45.5°N");
  expect([degrees(0, ["E", "W"]), degrees(180, ["E", "W"]), degrees(-180, ["E", "W"])]).toEqual(["0°", "180°", "180°"]);
});
