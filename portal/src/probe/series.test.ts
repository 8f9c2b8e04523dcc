import { describe, expect, it, vi } from "vitest";
import climatology from "../api/fixtures/climatology.json";
import members from "../api/fixtures/members.json";
import months from "../api/fixtures/months.json";
import pointSeries from "../api/fixtures/pointSeries.json";
import profile from "../api/fixtures/profile.json";
import trajectory from "../api/fixtures/trajectory.json";
import { readCoverages } from "../api/edr";
import type { Axis, Tileset, TileVariable } from "../api/tilesets";
import { unitOf } from "../color/units";
import type { Drawn } from "../explore/scene";
import { stepsOf } from "../state/steps";
import { newLayer, type ProbeView } from "../state/view";
import { Costly, cut, partsFor } from "./careful";
import {
  alongOf,
  lineRequest,
  seriesRequest,
  stationsOf,
  stationsOverTime,
  subjectsOf,
  weightOf,
  type Subject,
} from "./requests";
import { hovmoeller, profile as profileOf, transect } from "./sections";
import { lookOf, monthsFrom, seriesLines, unitFor } from "./series";
import { seriesCharts, seriesQuestions } from "./wanted";

// without a page there is no address that the site could be at
vi.hoisted(() => vi.stubGlobal("location", new URL("http://site/explore")));

function subject(id: string, name: string, units: string, axes: Axis[], unit: string | null = null): Subject {
  const variable: TileVariable = {
    name,
    title: name,
    units,
    axes: axes.map((one) => one.name),
    scale: 0.01,
    offset: 0,
    exact: false,
    range: [0, 1],
    palette: "viridis",
  } as TileVariable;
  const tileset = {
    id,
    title: id,
    attribution: "Somebody",
    license: "CC-BY-4.0",
    bounds: [-180, -90, 180, 90],
    variables: [variable],
    axes,
    tiles: { values: "", png: "" },
    zooms: { WorldCRS84Quad: 1 },
  } as unknown as Tileset;
  const steps = stepsOf(tileset, variable, null);
  const drawn = {
    key: "a",
    layer: { ...newLayer("a", id), unit },
    tileset,
    variable,
    bands: null,
    unit: unitOf(units, unit),
    palette: "viridis",
    colors: new Uint8Array(768),
    range: [0, 1],
    steps,
    shown: steps && { iso: steps.iso(0), query: steps.query(0), isOther: false },
    isAway: false,
    minus: null,
  } as unknown as Drawn;
  return subjectsOf([drawn])[0]!;
}

const time = (...values: string[]): Axis => ({ name: "time", kind: "time", count: values.length, units: "", values });
const number = (count: number): Axis => ({
  name: "number",
  kind: "number",
  count,
  units: "",
  values: Array.from({ length: count }, (_, n) => n),
});
const place: ProbeView = { id: "1", label: "", geometry: { type: "Point", coordinates: [-30, 0] }, region: null };
const area: ProbeView = { id: "2", label: "", geometry: null, region: "France" };
const way: ProbeView = {
  id: "3",
  label: "",
  geometry: {
    type: "LineString",
    coordinates: [
      [178, 0],
      [182, 2],
    ],
  },
  region: null,
};
const ocean = subject("nemo-ocean", "tos", "degree_C", [
  time("2015-01-16T00:00:00Z", "2015-02-16T00:00:00Z", "2015-03-16T00:00:00Z"),
]);
const ensemble = subject("glosea4", "surface_temperature", "K", [
  number(3),
  time("2011-08-16T12:00:00Z", "2011-09-16T00:00:00Z", "2011-10-16T12:00:00Z"),
]);

describe("subjects", () => {
  it("are both sides of a difference, each in a unit with its zero", () => {
    const warm = subject("ostia", "t", "K", [time("2006-01-16T00:00:00Z")], "°C").drawn;
    const other = { ...ensemble.drawn, key: "a:b" };
    const found = subjectsOf([{ ...warm, unit: { ...warm.unit, offset: 0 }, minus: other }]);
    expect(found.map((one) => one.key)).toEqual(["a", "a:b"]);
    expect(unitFor(found[0]!).offset).toBeCloseTo(-273.15);
  });
});

describe("requests", () => {
  it("ask a place for its series, an area for its mean", () => {
    expect(seriesRequest(ocean, place, { members: true })).toEqual({
      collection: "nemo-ocean",
      query: "position",
      parameters: { coords: "POINT(-30 0)", "parameter-name": "tos" },
    });
    const asked = seriesRequest(ocean, area, { members: true, reduce: "mean:time:climatology-month" });
    expect(asked.query).toBe("area");
    expect(asked.parameters).toEqual({
      region: "France",
      "parameter-name": "tos",
      reduce: "mean:space,mean:time:climatology-month",
    });
  });

  it("choose the member that the map shows, unless all are wanted", () => {
    const chosen = {
      ...ensemble,
      drawn: { ...ensemble.drawn, layer: { ...ensemble.drawn.layer, axes: { number: "2" } } },
    };
    expect(seriesRequest(chosen, place, { members: false }).parameters.number).toBe("2");
    expect("number" in seriesRequest(chosen, place, { members: true }).parameters).toBe(false);
  });

  it("go along a line at one time, or at all", () => {
    const now = lineRequest(ocean, way.geometry as GeoJSON.LineString, "now");
    expect(now.parameters.datetime).toBe("2015-01-16T00:00:00Z");
    expect(now.parameters.coords).toMatch(/^LINESTRING\(178 0,.*,182 2\)$/);
    expect("datetime" in lineRequest(ocean, way.geometry as GeoJSON.LineString, "all").parameters).toBe(false);
  });

  it("know how much they are about", () => {
    expect(weightOf(ensemble, place, true)).toBe(9);
    expect(weightOf(ensemble, place, false)).toBe(3);
    const box: ProbeView = {
      ...area,
      region: null,
      geometry: {
        type: "Polygon",
        coordinates: [
          [
            [0, 0],
            [10, 0],
            [10, 10],
            [0, 0],
          ],
        ],
      },
    };
    expect(weightOf(ocean, box, false)).toBeGreaterThan(3 * 28 * 28 * 0.9);
    expect(weightOf(ocean, area, false)).toBeGreaterThan(1000);
  });
});

describe("asking with care", () => {
  const estimate = { cells: 10, values: 0, bytes_read: 0, bytes_out: 0, seconds: 1, memory: 0, passes: false };
  const limits = { values: 100, bytes_read: 100, cells: 100 };

  it("cuts time into parts that pass", () => {
    const steps = ocean.drawn.steps!;
    expect(partsFor({ ...estimate, values: 200, limits }, steps)).toBe(3);
    expect(partsFor({ ...estimate, values: 2000, limits }, steps)).toBe(0);
    expect(partsFor({ ...estimate, cells: 200, limits }, steps)).toBe(0);
    expect(partsFor({ ...estimate, values: 200, limits }, null)).toBe(0);
    const parts = cut({ collection: "a", query: "position", parameters: {} }, steps, 2);
    expect(parts.map((one) => one.parameters.datetime)).toEqual([
      "2015-01-16T00:00:00Z/2015-02-16T00:00:00Z",
      "2015-03-16T00:00:00Z/2015-03-16T00:00:00Z",
    ]);
    expect(new Costly(parts[0]!, { ...estimate, limits }, 2)).toBeInstanceOf(Error);
  });
});

describe("lines of a chart", () => {
  const made = (of: Subject, said: unknown) => ({
    subject: of,
    probe: place,
    look: lookOf(of, place, 1, ["1"]),
    title: of.variable.title,
    answer: readCoverages(said),
    normals: null,
  });

  it("hold the values as the server wrote them, and the exact words of each time", () => {
    const [line, ...others] = seriesLines(made(ocean, pointSeries));
    expect(others).toEqual([]);
    expect(line!.y).toEqual([27.708733, 27.842587, 28.259943]);
    expect(line!.words![1]).toBe("2015-02-16T00:00:00Z");
    expect(line!.x[0]).toBe(Date.UTC(2015, 0, 16));
    expect(line!.unit.label).toBe("°C");
  });

  it("of an ensemble are thin, with the member of the map, a mean and a spread", () => {
    const lines = seriesLines(made(ensemble, members));
    expect(lines.map((one) => one.weight)).toEqual(["usual", "thin", "thin", "strong"]);
    const values = lines.slice(0, 3).map((one) => one.y[0]!);
    const mean = (values[0]! + values[1]! + values[2]!) / 3;
    const spread = Math.sqrt(values.reduce((all, one) => all + (one - mean) ** 2, 0) / 3);
    expect(lines[3]!.y[0]).toBeCloseTo(mean, 10);
    expect(lines[3]!.high![0]! - lines[3]!.y[0]!).toBeCloseTo(spread, 10);
  });

  it("run along months where there are months", () => {
    const axis: Axis = {
      name: "month",
      kind: "other",
      count: 12,
      units: "",
      values: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
    };
    const turbidity = subject("linke", "linke_turbidity", "1", [axis]);
    expect(alongOf(turbidity)).toMatchObject({ name: "month", kind: "month", count: 12 });
    const [line] = seriesLines(made(turbidity, months));
    expect(line!.x).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    expect(monthsFrom(readCoverages(months), "linke_turbidity")).toEqual(line!.y);
  });

  it("become anomalies without an offset of the unit", () => {
    const normals = monthsFrom(readCoverages(climatology), "surface_temperature");
    const warm = subject(
      "ostia",
      "surface_temperature",
      "K",
      [time("2006-01-16T00:00:00Z", "2006-02-16T00:00:00Z")],
      "°C",
    );
    const [line] = seriesLines({ ...made(warm, climatology), normals: () => normals });
    expect(line!.y.every((one) => one === 0)).toBe(true);
    expect(line!.unit).toMatchObject({ label: "°C", scale: 1, offset: 0 });
    expect(unitFor(warm).offset).toBeCloseTo(-273.15);
  });

  it("are drawn in as few charts as their axes and units need", () => {
    const subjects = [ocean, { ...ensemble, key: "b", color: 1 }];
    const questions = seriesQuestions(subjects, [place], { members: true, normals: { kind: "none" } }, new Set());
    const answers = Object.fromEntries(
      questions.map((one) => {
        const value = readCoverages(one.subject === ocean ? pointSeries : members);
        return [one.wanted.slot, { key: one.wanted.key, of: one.wanted.key, value, error: null, isLoading: false }];
      }),
    );
    const { charts } = seriesCharts(subjects, [place], questions, answers, { kind: "none" });
    expect(charts).toHaveLength(1);
    expect(charts[0]!.data.lines).toHaveLength(5);
    expect(charts[0]!.data.notes.some((one) => one.includes("360_day"))).toBe(true);
    expect(charts[0]!.data.credits[0]!.receipt).toContain("nemo-ocean");
  });
});

describe("sections", () => {
  const asking = { subject: ocean, probe: way, answer: readCoverages(trajectory) };
  const line = way.geometry as GeoJSON.LineString;

  it("lay values along the line", () => {
    const data = transect([asking], [ocean], way)!;
    const [first] = data.lines;
    expect(first!.x).toHaveLength(stationsOf(ocean, line).length);
    expect(first!.x[0]).toBe(0);
    expect(new Set(first!.y).size).toBeLessThanOrEqual(3);
  });

  it("lay them over time too", () => {
    const stations = stationsOverTime(ocean, line);
    const data = hovmoeller(asking, [ocean], stations)!;
    expect(data.words).toHaveLength(3);
    expect(data.values).toHaveLength(3 * stations.length);
    expect(data.values[0]).toBe(asking.answer.coverages[0]!.ranges.tos!.values[0]);
  });

  it("stand pressure on its head", () => {
    const level: Axis = { name: "level", kind: "vertical", count: 3, units: "hPa", values: [500, 850, 1000] };
    const air = subject("members", "t", "K", [level]);
    const data = profileOf([{ subject: air, probe: place, answer: readCoverages(profile) }], [air], ["1"])!;
    expect(data.x).toMatchObject({ upright: true, down: true, units: "hPa", title: "Pressure" });
    expect(data.lines[0]!.x).toEqual([500, 850, 1000]);
  });
});
