import { describe, expect, it } from "vitest";
import type { Tileset } from "../api/tilesets";
import { listed } from "../state/steps";
import { askedOf, isField, spokenBytes, spokenSeconds, suits, viewOf, type Subject, type Wanted } from "./wanting";

const variable = { name: "t", title: "T", units: "K", axes: ["time", "number", "pressure"] };
const axes = [
  { name: "number", kind: "number", count: 3, units: "", values: [0, 1, 2] },
  { name: "pressure", kind: "vertical", count: 2, units: "hPa", values: [500, 850] },
];
const subject = {
  tileset: { id: "x", bounds: [-180, -90, 180, 90], variables: [variable], axes } as unknown as Tileset,
  variable,
  axes,
  steps: listed(["2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z", "2024-01-03T00:00:00Z"]),
  step: 1,
} as unknown as Subject;
const wanted = (more: Partial<Wanted> = {}): Wanted => ({
  collection: "x",
  variables: ["t"],
  shape: { kind: "place", place: [13.4, 52.5] },
  time: { kind: "now" },
  axes: { number: ["1"], pressure: ["500"] },
  reduce: { members: "", time: "", period: "", space: "" },
  format: "CSV",
  ...more,
});

describe("what is wanted becomes a question of EDR", () => {
  it("asks a place at the time of the map", () => {
    expect(askedOf(wanted(), subject)).toEqual({
      collection: "x",
      query: "position",
      parameters: {
        coords: "POINT(13.4 52.5)",
        "parameter-name": "t",
        number: "1",
        z: "500",
        datetime: "2024-01-02T00:00:00Z",
      },
    });
  });

  it("asks a box, all times, all members", () => {
    const asked = askedOf(
      wanted({ shape: { kind: "box", box: [170, -10, -170, 10] }, time: { kind: "all" }, axes: {} }),
      subject,
    )!;
    expect(asked.query).toBe("cube");
    expect(asked.parameters).toEqual({ bbox: "170,-10,-170,10", "parameter-name": "t" });
  });

  it("asks a span, open at an end", () => {
    const time = { kind: "span", from: "2024-01-02T00:00:00Z", to: "" } as const;
    expect(askedOf(wanted({ time }), subject)!.parameters.datetime).toBe("2024-01-02T00:00:00Z/..");
  });

  it("asks probes by their shape, and regions by name", () => {
    const probe = {
      id: "1",
      label: "",
      region: null,
      geometry: {
        type: "LineString",
        coordinates: [
          [0, 1],
          [2, 3],
        ],
      },
    };
    const line = askedOf(wanted({ shape: { kind: "probe", probe: probe as never } }), subject)!;
    expect([line.query, line.parameters.coords]).toEqual(["trajectory", "LINESTRING(0 1,2 3)"]);
    const region = { kind: "probe", probe: { id: "1", label: "", region: "nuts:FR10", geometry: null } } as const;
    expect(askedOf(wanted({ shape: region }), subject)!.parameters.region).toBe("nuts:FR10");
    expect(isField(region)).toBe(true);
    expect(isField({ kind: "probe", probe: probe as never })).toBe(false);
  });

  it("reduces members, then time, then space, and only what is there", () => {
    const reduce = { members: "mean", time: "max", period: "month", space: "mean" } as const;
    const all = wanted({ shape: { kind: "whole" }, time: { kind: "all" }, axes: {}, reduce });
    expect(askedOf(all, subject)!.parameters.reduce).toBe("mean:number,max:time:month,mean:space");
    const one = wanted({ reduce });
    expect(askedOf(one, subject)!.parameters.reduce).toBeUndefined();
  });

  it("waits for numbers and for a variable", () => {
    expect(askedOf(wanted({ shape: { kind: "place", place: [NaN, 1] } }), subject)).toBeNull();
    expect(askedOf(wanted({ variables: [] }), subject)).toBeNull();
  });

  it("has no shape as a view of the whole map", () => {
    const whole = wanted({ shape: { kind: "whole" } });
    expect(viewOf(whole, subject, { palette: "magma" })).toEqual({
      collection: "x",
      "parameter-name": "t",
      number: "1",
      z: "500",
      datetime: "2024-01-02T00:00:00Z",
      palette: "magma",
    });
    expect(viewOf(wanted({ shape: { kind: "box", box: [1, 2, 3, 4] } }), subject)!.bbox).toBe("1,2,3,4");
  });
});

describe("how it is said", () => {
  it("chooses the format that suits", () => {
    const formats = ["CoverageJSON", "CSV", "NetCDF"];
    expect(suits(wanted(), formats)).toBe("CSV");
    expect(suits(wanted({ shape: { kind: "whole" } }), formats)).toBe("NetCDF");
    expect(suits(wanted({ shape: { kind: "whole" } }), ["GeoJSON"])).toBe("GeoJSON");
  });
  it("tells sizes and whiles", () => {
    expect([0, 999, 1200, 25_000_000, NaN].map(spokenBytes)).toEqual(["0 B", "999 B", "1.2 kB", "25 MB", "0 B"]);
    expect([0.2, 12.4, 300, 9000].map(spokenSeconds)).toEqual(["< 1 s", "12 s", "5 min", "2.5 h"]);
  });
});
