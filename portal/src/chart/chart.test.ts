import { describe, expect, it } from "vitest";
import type { Ink } from "./colors";
import { extentOf, frameOf, placeX, placeY, rangeOf } from "./layout";
import { indexAt, inWords, nameFor, nearestIndex, positions, wordsAt } from "./reading";
import { fileName, spanOf } from "./saving";
import { barsSvg, chartSvg, colorIndex, edges, escaped, footer, heatSvg } from "./svg";
import { barsCsv, csvOf, heatCsv, heatTable, tableOf } from "./table";
import { numberTicks, plain, roomFor, timeTicks } from "./ticks";
import { shown, type BarsData, type ChartData, type HeatData, type Line, type Unit } from "./types";

const kelvin: Unit = { from: "K", label: "K", scale: 1, offset: 0 };
const celsius: Unit = { from: "K", label: "°C", scale: 1, offset: -273.15 };
const ink: Ink = {
  lines: ["#111111", "#222222"],
  ink: "#000000",
  faint: "#555555",
  grid: "#dddddd",
  edge: "#888888",
  panel: "#ffffff",
  marker: "#0000ff",
  missing: "#eeeeee",
};

function line(more: Partial<Line> = {}): Line {
  const words = ["2024-03-01T00:00:00Z", "2024-03-01T06:00:00Z", "2024-03-01T12:00:00Z"];
  return {
    key: "1/a",
    what: "Air temperature",
    where: "Lisbon",
    which: "",
    unit: kelvin,
    color: 0,
    dash: 0,
    weight: "usual",
    x: words.map((one) => Date.parse(one)),
    words,
    y: [281.5, null, 27.708733],
    facts: { collection: "c", place: 'Lisbon, "old"', longitude: -9.1 },
    ...more,
  };
}

const chart = (...lines: Line[]): ChartData => ({
  title: "Air <temperature> & more",
  x: { kind: "time", title: "", units: "", upright: false, down: false },
  lines,
  credits: [{ source: "Somebody", licence: "CC-BY-4.0", receipt: "c, version 1, request ab" }],
  notes: ["Means over an area."],
});

describe("ticks", () => {
  it("are round numbers within the range", () => {
    expect(numberTicks(0.1, 4.9, 5).map((one) => one.at)).toEqual([1, 2, 3, 4]);
    expect(numberTicks(7, 7, 5)).toHaveLength(1);
    expect(numberTicks(0, 1e-30, 4).every((one) => one.at >= 0 && one.at <= 1e-30)).toBe(true);
    expect(numberTicks(NaN, 1, 4)).toEqual([]);
  });

  it("of times are where calendars have them", () => {
    const day = timeTicks(Date.UTC(2024, 2, 1), Date.UTC(2024, 2, 2), 4);
    expect(day.map((one) => one.words)).toEqual(["00:00\n1 Mar 2024", "06:00", "12:00", "18:00", "00:00\n2 Mar 2024"]);
    const years = timeTicks(Date.UTC(1860, 5, 1), Date.UTC(2099, 5, 1), 6);
    expect(years[0]!.words).toBe("1900");
    const months = timeTicks(Date.UTC(2011, 7, 16), Date.UTC(2012, 0, 16), 3);
    expect(months.map((one) => one.words)).toContain("Jan\n2012");
    expect(timeTicks(0, 1000, 3).length).toBeGreaterThan(1);
  });

  it("leave room around values", () => {
    expect(roomFor([5, null])).toEqual([4.75, 5.25]);
    expect(roomFor([0])).toEqual([-1, 1]);
    expect(roomFor([null])).toEqual([0, 1]);
    const [low, high] = roomFor([0, 1e-30]);
    expect(low < 0 && high > 1e-30 && high < 2e-30).toBe(true);
  });

  it("write numbers for people", () => {
    expect(plain(27.708733)).toBe("27.7087");
    expect(plain(-0.5)).toBe("−0.5");
    expect(plain(1e-30)).toMatch(/10⁻³⁰/);
  });
});

describe("lines", () => {
  it("are read at the nearest value, if it is near", () => {
    const one = line();
    expect(nearestIndex(one.x, one.x[1]! + 1)).toBe(1);
    expect(nearestIndex([], 1)).toBe(-1);
    expect(indexAt(one, one.x[2]! + 86_400_000, 1000)).toBe(-1);
    expect(wordsAt(chart(one), one.x[2]!)).toBe("2024-03-01T12:00:00Z");
  });

  it("share their positions", () => {
    const other = line({ key: "2", x: [line().x[0]!, line().x[0]! + 1000], words: ["a", "b"], y: [1, 2] });
    expect(positions([line(), other])).toHaveLength(4);
    expect(positions([line(), line({ key: "2" })])).toHaveLength(3);
  });

  it("are called by what tells them apart", () => {
    const [a, b] = [line(), line({ key: "2", where: "Porto" })];
    expect(nameFor(a, [a, b])).toBe("Lisbon");
    expect(nameFor(a, [a])).toBe("Lisbon");
    expect(nameFor(line({ which: "member 3" }), [a])).toBe("member 3");
  });

  it("are told in words", () => {
    const [said] = inWords(chart(line()));
    expect(said).toContain("3 values");
    expect(said).toContain("1 of them missing");
    expect(said).toContain("281.5 K");
    expect(inWords(chart(line({ y: [null, null, null] })))[0]).toContain("no value");
  });

  it("have an axis for each unit", () => {
    const data = chart(line(), line({ key: "2", unit: celsius }), line({ key: "3", unit: { ...kelvin, label: "mm" } }));
    const frame = frameOf(data, 600, 300);
    expect(frame.axes.map((one) => one.key)).toEqual(["K", "°C", "mm"]);
    expect(placeX(frame, data, extentOf(data)[0])).toBe(frame.plot.left);
    const [low] = rangeOf(data.lines, "°C");
    expect(placeY(frame, data, frame.axes[1]!, low)).toBeCloseTo(frame.plot.top + frame.plot.height);
  });

  it("stand pressure downwards", () => {
    const base = chart(line({ x: [500, 850, 1000], words: [], y: [1, 2, 3] }));
    const data = { ...base, x: { ...base.x, kind: "number" as const, upright: true, down: true } };
    const frame = frameOf(data, 400, 300);
    expect(placeX(frame, data, 1000)).toBeGreaterThan(placeX(frame, data, 500));
  });
});

describe("units", () => {
  it("are converted without dust", () => {
    expect(shown(299.15, celsius)).toBe(26);
    expect(shown(0.1, kelvin)).toBe(0.1);
  });
});

describe("files", () => {
  it("of values are exactly what the server wrote", () => {
    const rows = csvOf(chart(line())).split("\n");
    expect(rows[0]).toBe("collection,place,longitude,unit,time,value");
    expect(rows[1]).toBe('c,"Lisbon, ""old""",-9.1,K,2024-03-01T00:00:00Z,281.5');
    expect(rows[2]).toMatch(/06:00:00Z,$/);
    expect(rows[3]).toMatch(/,27\.708733$/);
  });

  it("keep the data's unit where another is shown", () => {
    const data = chart(line({ unit: celsius }));
    expect(csvOf(data).split("\n")[1]).toContain(",K,2024-03-01T00:00:00Z,281.5");
    expect(tableOf(data).row(0)).toEqual(["1 Mar 2024, 00:00 UTC", "8.35"]);
  });

  it("have names that every system takes", () => {
    expect(fileName(["terrella", "São Paulo / <b>", null, "2024-03-01"], "csv")).toBe(
      "terrella_Sao-Paulo-b_2024-03-01.csv",
    );
    expect(fileName(["../../etc/passwd"], "nc")).toBe("etc-passwd.nc");
    expect(fileName(["", null], "svg")).toBe("terrella.svg");
    expect(fileName(["x".repeat(500)], "png").length).toBeLessThan(130);
    expect(spanOf(["2024-03-01T00:00:00Z", "2024-03-02T00:00:00Z"])).toEqual(["2024-03-01", "2024-03-02"]);
  });
});

describe("SVG", () => {
  const wellFormed = (svg: string): void => {
    const stack: string[] = [];
    for (const [, end, name, empty] of svg.matchAll(/<(\/?)([a-zA-Z]+)[^<>]*?(\/?)>/g)) {
      if (end) expect(stack.pop()).toBe(name);
      else if (!empty) stack.push(name!);
    }
    expect(stack).toEqual([]);
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
  };

  it("has a title, whom to thank and what it was asked with, all harmless", () => {
    const svg = chartSvg(
      chart(line(), line({ key: "2", where: "<script>alert(1)</script>", low: [1, null, 2], high: [3, null, 4] })),
      ink,
    );
    wellFormed(svg);
    expect(svg).toContain("Air &#60;temperature&#62; &#38; more");
    expect(svg).not.toContain("<script");
    expect(svg).toContain("Source: Somebody. Licence: CC-BY-4.0.");
    expect(svg).toContain("c, version 1, request ab");
  });

  it("leaves gaps where values are missing, and shows lonely values as dots", () => {
    const svg = chartSvg(chart(line()), ink);
    expect(svg.match(/<circle/g)).toHaveLength(2);
  });

  it("breaks long notes", () => {
    const said = { notes: ["word ".repeat(60)], credits: [] };
    expect(footer(said, 300).length).toBeGreaterThan(3);
    expect(footer({ notes: ["x".repeat(500)], credits: [] }, 300).every((one) => one.length < 60)).toBe(true);
    expect(escaped("a\u0000b\u000bc")).toBe("abc");
  });

  it("draws pictures of distance and time", () => {
    const heat: HeatData = {
      title: "Along",
      what: "T",
      unit: kelvin,
      x: [0, 10, 20],
      xTitle: "Distance",
      xUnits: "km",
      y: [Date.UTC(2024, 0, 1), Date.UTC(2024, 1, 1)],
      yKind: "time",
      yTitle: "Time",
      words: ["2024-01-01", "2024-02-01"],
      values: [1, 2, null, 4, 5, 6],
      colors: Uint8Array.from({ length: 768 }, (_, n) => Math.floor(n / 3)),
      range: [1, 6],
      credits: [],
      notes: [],
    };
    const svg = heatSvg(heat, ink);
    wellFormed(svg);
    expect(svg).toContain('fill="rgb(255,255,255)"');
    expect(heatCsv(heat).split("\n")[3]).toBe("2024-01-01,20,");
    expect(heatTable(heat).row(5)).toEqual(["1 Feb 2024", "20", "6"]);
    expect(edges([0, 10, 20])).toEqual([-5, 5, 15, 25]);
    expect([colorIndex([0, 10], -5), colorIndex([0, 10], 50), colorIndex([3, 3], 3), colorIndex([10, 0], 10)]).toEqual([
      0, 255, 255, 0,
    ]);
  });

  it("draws histograms", () => {
    const bars: BarsData = {
      title: "Spread",
      what: "T",
      unit: celsius,
      edges: [273.15, 274.15, 275.15],
      shares: [0.25, 0.75],
      yTitle: "Share",
      marks: [{ label: "mean", value: 274.5 }],
      credits: [],
      notes: [],
    };
    wellFormed(barsSvg(bars, ink));
    expect(barsCsv(bars)).toBe("from,to,share_of_area\n273.15,274.15,0.25\n274.15,275.15,0.75\n");
  });
});
