import { describe, expect, it } from "vitest";
import type { Axis, Tileset, TileVariable } from "../api/tilesets";
import { isoOf, positionOf, positionsOf, spoken, spokenSpan } from "./instants";
import { Line, listed, placeOf, shownAt, stepsOf } from "./steps";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

const variable = (axes: string[]): TileVariable => ({
  name: "t",
  title: "t",
  units: "K",
  axes,
  scale: 1,
  offset: 0,
  exact: true,
  range: [0, 1],
  palette: "viridis",
});
const tiles = (axes: Axis[]): Tileset => ({
  id: "c",
  title: "c",
  attribution: "",
  license: "",
  bounds: [-180, -90, 180, 90],
  variables: [variable(axes.map((one) => one.name))],
  axes,
  tiles: { values: "", png: "" },
  zooms: {},
});
const steps = (axes: Axis[], run?: string) => stepsOf(tiles(axes), variable(axes.map((one) => one.name)), null, run);

describe("instants", () => {
  it("are those of Date where Date has them", () => {
    for (const iso of [
      "1970-01-01T00:00:00Z",
      "1860-06-01T00:00:00Z",
      "0079-08-24T12:00:00Z",
      "2099-12-31T23:59:59Z",
    ]) {
      expect(positionOf(iso)).toBe(Date.parse(iso));
      expect(isoOf(Date.parse(iso))).toBe(iso);
    }
    expect(positionOf("-0044-03-15T00:00:00Z")).toBe(Date.parse("-000044-03-15T00:00:00Z"));
    expect(isoOf(positionOf("-000044-03-15T06:00:00Z"))).toBe("-000044-03-15T06:00:00Z");
    expect(positionOf("2015-01-16T12:00+02:00")).toBe(Date.parse("2015-01-16T10:00:00Z"));
    expect(positionOf("2018-01-01T10:54:41.026Z")).toBe(Date.parse("2018-01-01T10:54:41.026Z"));
  });

  it("of other calendars keep their order and their names", () => {
    const february = Array.from({ length: 30 }, (_, day) => `2015-02-${String(day + 1).padStart(2, "0")}`);
    const names = ["2015-01-30", ...february, "2015-03-01"];
    const places = positionsOf(names);
    for (let index = 1; index < places.length; index++) expect(places[index]!).toBeGreaterThan(places[index - 1]!);
    expect(places.at(-1)).toBe(Date.UTC(2015, 2, 1));
    expect(spoken("2015-02-30T00:00:00Z", "day")).toBe("30 Feb 2015");
  });

  it("are not made of what is none", () => {
    for (const bad of ["", "yesterday", "2015", "2015-13-01", "2015-00-01", "2015-01-32", "<b>"])
      expect(positionOf(bad)).toBeNaN();
    expect(spoken("yesterday")).toBe("yesterday");
  });

  it("are spoken as finely as the data tell them apart", () => {
    expect(spoken("2015-01-16T00:00:00Z", "month")).toBe("Jan 2015");
    expect(spoken("2015-01-16T06:30:00Z", "hour")).toBe("16 Jan 2015, 06:30 UTC");
    expect(spokenSpan("2015-08-16T00:00:00Z", "2015-09-16T00:00:00Z", "month")).toBe("Aug → Sep 2015");
    expect(spokenSpan("2015-12-16T00:00:00Z", "2016-01-16T00:00:00Z", "month")).toBe("Dec 2015 → Jan 2016");
    expect(spokenSpan("2015-01-16T06:00:00Z", "2015-01-16T12:00:00Z", "hour")).toBe("16 Jan 2015, 06:00 → 12:00 UTC");
    expect(spokenSpan("2015-01-16T18:00:00Z", "2015-01-17T00:00:00Z", "hour")).toBe(
      "16 Jan 2015, 18:00 UTC → 17 Jan 2015, 00:00 UTC",
    );
    expect(spokenSpan("2015-01-01", "2016-01-01", "year")).toBe("2015 → 2016");
    expect(spoken("-0043-03-15T00:00:00Z", "year")).toBe("44 BC");
  });
});

describe("steps of a layer", () => {
  it("are listed, or counted from the first", () => {
    const even = steps([
      { name: "time", kind: "time", count: 10_000, units: "", first: "1990-01-01T00:00:00Z", last: "", step: 6 * HOUR },
    ])!;
    expect(even.count).toBe(10_000);
    expect(even.iso(9_999)).toBe("1996-11-04T18:00:00Z");
    expect(even.query(1)).toEqual({ datetime: "1990-01-01T06:00:00Z" });
    expect(even.named("1990-01-02T00:00:00Z")).toBe(4);
    expect(even.named("1990-01-02T01:00:00Z")).toBe(-1);
    expect([even.before(even.at(7) + 5), even.before(even.at(0) - DAY), even.before(1e15)]).toEqual([7, -1, 9_999]);
    const list = listed(["2015-03-16T00:00:00Z", "2015-01-16T00:00:00Z"]);
    expect([list.iso(0), list.iso(1)]).toEqual(["2015-01-16T00:00:00Z", "2015-03-16T00:00:00Z"]);
  });

  it("of a forecast are the times that it is for, of the chosen run", () => {
    const axes: Axis[] = [
      {
        name: "reference_time",
        kind: "reference_time",
        count: 2,
        units: "",
        values: ["2016-01-01T00:00:00Z", "2016-02-01T00:00:00Z"],
      },
      { name: "step", kind: "step", count: 2, units: "", values: [0, 744] },
    ];
    expect(steps(axes)!.query(1)).toEqual({ reference_time: "2016-02-01T00:00:00Z", step: "744" });
    const first = steps(axes, "2016-01-01T00:00:00Z")!;
    expect([first.iso(0), first.iso(1)]).toEqual(["2016-01-01T00:00:00Z", "2016-02-01T00:00:00Z"]);
  });

  it("are none where there is no time", () => {
    expect(steps([{ name: "month", kind: "other", count: 12, units: "", first: 1, last: 12, step: 1 }])).toBeNull();
    expect(steps([{ name: "time", kind: "time", count: 0, units: "", values: [] }])).toBeNull();
  });
});

describe("what is shown at a time", () => {
  const days = listed(["2015-01-01", "2015-01-02", "2015-01-03", "2015-01-20", "2015-01-21"]);
  const at = (iso: string, blend = true) => shownAt(days, iso, positionOf(iso), blend);

  it("is the step itself, the one before, or a blend", () => {
    expect(at("2015-01-02")).toMatchObject({ iso: "2015-01-02", isOther: false });
    expect(at("2015-01-02T06:00:00Z")).toMatchObject({ iso: "2015-01-02", then: { iso: "2015-01-03", mix: 0.25 } });
    expect(at("2015-01-02T06:00:00Z", false)).toMatchObject({ iso: "2015-01-02", isOther: true });
    expect(at("2015-01-02T06:00:00Z", false)).not.toHaveProperty("then");
  });

  it("is nothing outside of the data and in their holes", () => {
    expect(at("2014-12-01")).toBeNull();
    expect(at("2015-01-10")).toBeNull();
    expect(at("2015-01-03T12:00:00Z")).toMatchObject({ iso: "2015-01-03" });
    expect(at("2015-01-03T12:00:00Z")).not.toHaveProperty("then");
    expect(at("2015-01-22")).toMatchObject({ iso: "2015-01-21" });
    expect(at("2016-01-01")).toBeNull();
  });

  it("of a layer with a single step is always that", () => {
    expect(shownAt(listed(["2099-06-01"]), "1860-01-01", positionOf("1860-01-01"), true)).toMatchObject({
      iso: "2099-06-01",
    });
  });

  it("finds 30 February by its name", () => {
    const odd = listed([
      "2015-02-28T00:00:00Z",
      "2015-02-29T00:00:00Z",
      "2015-02-30T00:00:00Z",
      "2015-03-01T00:00:00Z",
    ]);
    const place = placeOf("2015-02-30T00:00:00Z", [odd]);
    expect(shownAt(odd, "2015-02-30T00:00:00Z", place, true)).toMatchObject({
      iso: "2015-02-30T00:00:00Z",
      isOther: false,
    });
    expect(odd.before(place)).toBe(2);
  });
});

describe("one line for all layers", () => {
  it("has each instant once, in order, by the name its layer gives it", () => {
    const odd = listed(["2015-02-29T00:00:00Z", "2015-02-30T00:00:00Z"]);
    const line = new Line([listed(["2015-01-16T00:00:00Z", "2015-03-16T00:00:00Z"]), odd, listed(["2015-01-16"])]);
    expect(Array.from({ length: line.count }, (_, index) => line.iso(index))).toEqual([
      "2015-01-16T00:00:00Z",
      "2015-02-29T00:00:00Z",
      "2015-02-30T00:00:00Z",
      "2015-03-16T00:00:00Z",
    ]);
    expect([line.nearest(0), line.nearest(1e15), line.before(0)]).toEqual([0, 3, -1]);
  });
});
