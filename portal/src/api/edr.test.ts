import { describe, expect, it, vi } from "vitest";
import climatology from "./fixtures/climatology.json";
import grid from "./fixtures/grid.json";
import levels from "./fixtures/levels.json";
import line from "./fixtures/line.json";
import members from "./fixtures/members.json";
import missing from "./fixtures/missing.json";
import months from "./fixtures/months.json";
import multiPolygon from "./fixtures/multiPolygon.json";
import point from "./fixtures/point.json";
import pointSeries from "./fixtures/pointSeries.json";
import polygonSeries from "./fixtures/polygonSeries.json";
import profile from "./fixtures/profile.json";
import profileOfArea from "./fixtures/profileOfArea.json";
import trajectory from "./fixtures/trajectory.json";
import { addressOf, columns, readCoverages, sending, together, tracks } from "./edr";

// without a page there is no address that the site could be at
vi.hoisted(() => vi.stubGlobal("location", new URL("http://site/explore")));

// answers of a server with the demo data, and with those of tests/portal/made.py; numbers are read off them by eye

describe("CoverageJSON as the server writes it", () => {
  it("reads a point", () => {
    const read = readCoverages(point);
    expect(read.coverages[0]!.domain).toBe("Point");
    expect(read.coverages[0]!.ranges.altitude!.values).toEqual([54]);
    expect(read.parameters.altitude).toEqual({ name: "altitude", title: "altitude", units: "m" });
    expect([read.calendar, read.vertical]).toEqual(["gregorian", null]);
    expect(read.receipt?.licence).toBe("BSD-3-Clause");
  });

  it("reads a series of another calendar, times as they are", () => {
    const read = readCoverages(pointSeries);
    expect(read.calendar).toBe("360_day");
    const [column, ...others] = columns(read, "tos", "t");
    expect(others).toEqual([]);
    expect(column!.at).toEqual(["2015-01-16T00:00:00Z", "2015-02-16T00:00:00Z", "2015-03-16T00:00:00Z"]);
    expect(column!.values).toEqual([27.708733, 27.842587, 28.259943]);
    expect([column!.x, column!.y, column!.z]).toEqual([-30.5, 0, null]);
  });

  it("keeps missing values as null", () => {
    expect(columns(readCoverages(missing), "tos", "t")[0]!.values).toEqual([null, null, null]);
  });

  it("tells members apart", () => {
    const found = columns(readCoverages(members), "surface_temperature", "t");
    expect(found.map((one) => one.labels.number)).toEqual([0, 1, 2]);
    expect(found[1]!.values).toEqual([298.13086, 297.3235, 297.50366]);
  });

  it("joins places on an axis that domains do not have", () => {
    const [column, ...others] = columns(readCoverages(months), "linke_turbidity", "month");
    expect(others).toEqual([]);
    expect(column!.at).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    expect(column!.values.slice(0, 2)).toEqual([3.55, 3.7]);
  });

  it("reads reduced values", () => {
    expect(columns(readCoverages(climatology), "surface_temperature", "t")[0]!.values).toHaveLength(12);
  });

  it("reads what is of polygons, one number for all of them", () => {
    const one = columns(readCoverages(polygonSeries), "surface_temperature", "t");
    expect(one[0]!.values).toEqual([300.84244095323476, 301.3116808711685, 302.1794110977629]);
    const several = readCoverages(multiPolygon);
    expect(several.coverages[0]!.composite?.values).toHaveLength(2);
    const found = columns(several, "surface_temperature", "t");
    expect(found.map((each) => each.values.length)).toEqual([1, 1]);
  });

  it("reads profiles, of places and of areas", () => {
    const read = readCoverages(profile);
    expect(read.vertical).toEqual({ title: "pressure", units: "hPa", down: true });
    const [column] = columns(read, "t", "z");
    expect(column!.at).toEqual([500, 850, 1000]);
    expect(column!.values.every((value) => value! > 290)).toBe(true);
    const [area, ...others] = columns(readCoverages(profileOfArea), "t", "z");
    expect(area!.at).toEqual([500, 850, 1000]);
    expect(others).toEqual([]);
  });

  it("keeps levels and members apart in a series", () => {
    const found = columns(readCoverages(levels), "t", "t");
    expect(found).toHaveLength(6);
    expect(new Set(found.map((one) => `${one.z} ${one.labels.number}`)).size).toBe(6);
    expect(found.find((one) => one.z === 850 && one.labels.number === 1)!.values[0]).toBeCloseTo(304.497, 3);
  });

  it("reads a grid along each of its axes", () => {
    const read = readCoverages(grid);
    const coverage = read.coverages[0]!;
    const [x, y] = [coverage.axes.x!.length, coverage.axes.y!.length];
    const found = columns(read, "air", "t");
    expect(found).toHaveLength(x * y);
    const values = coverage.ranges.air!.values;
    expect(found[1]!.values).toEqual([values[1], values[x * y + 1]]);
  });

  it("reads ways with and without times, over the antimeridian", () => {
    const found = tracks(readCoverages(trajectory), "tos");
    expect(found.map((one) => one.time)).toEqual([
      "2015-01-16T00:00:00Z",
      "2015-02-16T00:00:00Z",
      "2015-03-16T00:00:00Z",
    ]);
    expect(found[0]!.places).toHaveLength(3);
    expect(found[0]!.places[2]![0]).toBeGreaterThan(180);
    const [still] = tracks(readCoverages(line), "altitude");
    expect([still!.time, still!.values.length]).toEqual([null, 3]);
  });

  it("reads axes that are told by their ends", () => {
    const axes = { x: { values: [0] }, y: { values: [0] }, z: { start: 10, stop: 30, num: 3 } };
    const range = { type: "NdArray", dataType: "float", axisNames: ["z"], shape: [3], values: [1, null, 3] };
    const said = { type: "Coverage", domain: { domainType: "VerticalProfile", axes }, ranges: { t: range } };
    expect(columns(readCoverages(said), "t", "z")[0]).toMatchObject({ at: [10, 20, 30], values: [1, null, 3] });
  });

  it("says what it cannot read", () => {
    expect(() => readCoverages({ type: "FeatureCollection" })).toThrow(/CoverageJSON/);
    expect(() => readCoverages(null)).toThrow(/CoverageJSON/);
    const tiled = { type: "Coverage", domain: { axes: {} }, ranges: { t: { type: "TiledNdArray" } } };
    expect(() => readCoverages(tiled)).toThrow(/TiledNdArray/);
    const short = {
      type: "Coverage",
      domain: { axes: {} },
      ranges: { t: { type: "NdArray", shape: [3], axisNames: ["t"], values: [1] } },
    };
    expect(() => readCoverages(short)).toThrow(/cannot be read/);
  });

  it("joins the parts of one question", () => {
    const part = readCoverages(pointSeries);
    const [column] = columns(together([part, part]), "tos", "t");
    expect(column!.values).toHaveLength(6);
    // reading does not change what was read
    expect(columns(part, "tos", "t")[0]!.values).toHaveLength(3);
  });
});

describe("questions", () => {
  const asked = { collection: "a/b", query: "position" as const, parameters: { coords: "POINT(1 2)" } };

  it("are addresses", () => {
    expect(addressOf(asked, "CSV").pathname).toBe("/ogc/collections/a%2Fb/position");
    expect(addressOf(asked, "CSV").search).toBe("?coords=POINT%281+2%29&f=CSV");
    expect(sending(asked)[1]).toEqual({});
  });

  it("are sent in a body when they are long", () => {
    const [address, options] = sending({ ...asked, parameters: { coords: "x".repeat(5000) } }, "NetCDF");
    expect([address.search, options.method]).toEqual(["", "POST"]);
    expect(JSON.parse(String(options.body))).toEqual({ coords: "x".repeat(5000), f: "NetCDF" });
  });
});
