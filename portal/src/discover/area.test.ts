import { describe, expect, it } from "vitest";
import { between, grown, holds, keyed, moved, placeAt, width } from "./area";
import { box, type Box } from "./query";

describe("boxes on the map", () => {
  it("lie between two places, whichever comes first", () => {
    expect(between([10, 50], [-5, 40])).toEqual([-5, 40, 10, 50]);
    expect(between([10, 50], [10.2, 40])).toBeNull();
    expect(placeAt(0.5, 0.5)).toEqual([0, 0]);
    expect(placeAt(-3, 9)).toEqual([-180, -90]);
  });

  it("move round the Earth, and stop at the poles", () => {
    expect(moved([160, 0, 175, 10], 10, 0)).toEqual([170, 0, -175, 10]);
    expect(moved([170, 0, -175, 10], -10, 0)).toEqual([160, 0, 175, 10]);
    expect(moved([0, 70, 10, 85], 0, 20)).toEqual([0, 75, 10, 90]);
    expect(moved([-180, -90, 180, 90], 50, 5)).toEqual([-180, -90, 180, 90]);
  });

  it("grow around their middle, up to the whole Earth", () => {
    expect(grown([0, 0, 10, 10], 10, 10)).toEqual([-5, -5, 15, 15]);
    expect(grown([0, 0, 300, 10], 100, 0)).toEqual([-180, 0, 180, 10]);
    expect(width(grown([170, 0, -170, 10], -30, 0))).toBeCloseTo(0.5);
  });

  it("hold places, across the antimeridian too", () => {
    const pacific: Box = [170, -10, -170, 10];
    expect([175, -175, 180, -180].map((lon) => holds(pacific, [lon, 0]))).toEqual([true, true, true, true]);
    expect(holds(pacific, [0, 0])).toBe(false);
    expect(holds([-180, -90, 180, 90], [33, 5])).toBe(true);
  });

  it("obey the arrow keys, and stay boxes that the server takes", () => {
    let it: Box = [-10, 40, 10, 60];
    for (const key of ["ArrowLeft", "ArrowUp", "ArrowRight", "ArrowDown"])
      for (let n = 0; n < 200; n++) {
        it = keyed(it, key, n % 7 === 0)!;
        expect(box(it.join(","))).toEqual(it);
      }
    expect(keyed(it, "Enter", false)).toBeNull();
  });
});
