import { describe, expect, it } from "vitest";
import { boxText, intervalText, moment, onEarth, resolutionText, within } from "./showing";

describe("cards in words", () => {
  it.each([
    [null, ""],
    [10, "10 m"],
    [9.988, "10 m"],
    [300.4, "300 m"],
    [1002.2, "1 km"],
    [9266.3, "9.3 km"],
    [277987.7, "278 km"],
  ])("a resolution of %s m is %s", (metres, expected) => expect(resolutionText(metres)).toBe(expected));

  it("intervals are days, open ends say so", () => {
    expect(intervalText(["2014-02-24T00:00:00Z", "2014-02-28T18:00:00Z"])).toBe("2014-02-24 – 2014-02-28");
    expect(intervalText(["2014-02-24T00:00:00Z", "2014-02-24T18:00:00Z"])).toBe("2014-02-24");
    expect(intervalText(["2014-02-24T00:00:00Z", null])).toContain("2014-02-24");
    expect(intervalText([null, null])).not.toBe("");
  });

  it("boxes have sides of the world", () => {
    expect(boxText([-10, 35.25, 30, 60])).toBe("10°W–30°E, 35.3°N–60°N");
    expect(boxText([170, -20, -170, 0])).toBe("170°E–170°W, 20°S–0°");
  });
});

describe("coverage", () => {
  it("places an interval in a span", () => {
    const span: [string, string] = ["2000-01-01T00:00:00Z", "2010-01-01T00:00:00Z"];
    const [from, to] = within(["2000-01-01T00:00:00Z", "2005-01-01T00:00:00Z"], span)!;
    expect(from).toBe(0);
    expect(to).toBeCloseTo(0.5, 2);
    expect(within([null, null], span)).toEqual([0, 1]);
    const [one, other] = within(["2010-01-01T00:00:00Z", "2010-01-01T00:00:00Z"], span)!;
    expect(other).toBe(1);
    expect(other - one).toBeGreaterThan(0.01);
    expect(within(["2000-01-01T00:00:00Z", null], [null, null])).toBeNull();
  });

  it("knows early years and odd calendars", () => {
    expect(moment("0850-01-01T00:00:00Z")!).toBeLessThan(moment("1859-12-01T00:00:00Z")!);
    expect(moment("2001-02-30T00:00:00Z")).not.toBeNull();
    expect(moment("soon")).toBeNull();
  });

  it("cuts boxes at the antimeridian", () => {
    expect(onEarth([-180, -90, 180, 90])).toEqual([[0, 0, 100, 100]]);
    const parts = onEarth([170, -45, -170, 45]);
    expect(parts).toHaveLength(2);
    expect(parts[0]![0] + parts[0]![2]).toBeCloseTo(100);
    expect(parts[1]![0]).toBe(0);
  });
});
