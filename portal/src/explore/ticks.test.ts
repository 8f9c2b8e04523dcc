import { describe, expect, it } from "vitest";
import { positionOf } from "../state/instants";
import { calendarTicks } from "./ticks";

const ticks = (from: string, to: string, width: number): string[] =>
  calendarTicks(positionOf(from), positionOf(to), width).map((one) => one.label);

describe("ticks of a time axis", () => {
  it("stand where the calendar has its places", () => {
    expect(ticks("2014-02-24T00:00:00Z", "2014-02-28T18:00:00Z", 400)).toEqual([
      "25 Feb",
      "26 Feb",
      "27 Feb",
      "28 Feb",
    ]);
    expect(ticks("2015-01-16", "2015-03-16", 120)).toEqual(["Feb", "Mar"]);
    expect(ticks("2011-08-16", "2012-01-16", 600)).toEqual(["Sep", "Oct", "Nov", "Dec", "2012"]);
    expect(ticks("1860-06-01", "2099-06-01", 300)).toEqual(["1900", "1950", "2000", "2050"]);
    expect(ticks("2015-02-27T20:00:00Z", "2015-02-28T08:00:00Z", 400)).toEqual(["21:00", "28 Feb", "03:00", "06:00"]);
  });

  it("never touch each other, whatever the span and the width", () => {
    for (const days of [0.01, 0.3, 2, 9, 40, 200, 900, 5000, 90_000, 3e6]) {
      for (const width of [30, 90, 250, 390, 800, 1900]) {
        const from = positionOf("-0044-03-15");
        const span = days * 86_400_000;
        const found = calendarTicks(from, from + span, width);
        for (let index = 1; index < found.length; index++) {
          const gap = ((found[index]!.at - found[index - 1]!.at) / span) * width;
          expect(gap).toBeGreaterThan(((found[index]!.label.length + found[index - 1]!.label.length) / 2) * 6.6);
        }
      }
    }
  });

  it("are none where there is no span", () => {
    expect(calendarTicks(5, 5, 500)).toEqual([]);
    expect(calendarTicks(NaN, 5, 500)).toEqual([]);
  });
});
