import { describe, expect, it } from "vitest";
import { boxAround, placeText, type Place } from "./place";

const town = (lon: number, lat: number): Place => ({ name: "T", country: "Land", lon, lat, kind: "town" });

describe("places", () => {
  it("are told with their country", () => {
    expect(placeText(town(0, 0))).toBe("T, Land");
    expect(placeText({ ...town(0, 0), name: "Fiji", country: "Fiji", kind: "country" })).toBe("Fiji");
  });

  it("have a box around them that is as wide as high on the ground", () => {
    expect(boxAround(town(10, 0), 5)).toEqual([5, -5, 15, 5]);
    const [west, south, east, north] = boxAround(town(10, 60), 5);
    expect([south, north]).toEqual([55, 65]);
    expect(east - west).toBeCloseTo(20, 1);
  });

  it("may lie at the antimeridian or at a pole", () => {
    const [west, , east] = boxAround(town(178, 0), 5);
    expect([west, east]).toEqual([173, -177]);
    expect(boxAround(town(0, 88), 5)[3]).toBe(90);
  });

  it("of countries is their own", () => {
    const bbox: Place["bbox"] = [177, -19, -178, -16];
    expect(boxAround({ ...town(178, -18), kind: "country", bbox })).toEqual(bbox);
  });
});
