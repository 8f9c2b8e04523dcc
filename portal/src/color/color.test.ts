import { describe, expect, it } from "vitest";
import { decimalsFor, niceTicks, spokenNumber, spokenPlace, typed } from "./numbers";
import { choices, colorAt, colorsOf, shareOf } from "./palettes";
import { differenceInUnit, fromUnit, inUnit, unitLabel, unitOf, unitsFor } from "./units";

const labels = (units: string, range: [number, number] | null = null): string[] =>
  unitsFor(units, range).map((one) => one.label);
const turned = (value: number, units: string, id: string): number => inUnit(value, unitOf(units, id));

describe("units", () => {
  it("are known in the spellings of UDUNITS, CF and old files", () => {
    for (const spelling of ["K", "kelvin", "degK", "degrees_K"]) expect(labels(spelling)).toEqual(["K", "°C", "°F"]);
    for (const spelling of ["degree_C", "degC", "celsius", "DEG C", "Deg C", "°C"])
      expect(labels(spelling)[0]).toBe("°C");
    for (const spelling of ["m s-1", "m s**-1", "m/s", "M/S"])
      expect(labels(spelling)).toEqual(["m/s", "km/h", "kn", "mph"]);
    expect(labels("millibars")[0]).toBe("hPa");
    expect(labels("kg m-2 s-1")).toContain("mm per day");
    expect(labels("%")).toEqual(["%", "0 to 1"]);
  });

  it("turn numbers as their definitions say", () => {
    expect(turned(299.15, "K", "°C")).toBe(26);
    expect(turned(273.15, "K", "°F")).toBeCloseTo(32, 9);
    expect(turned(0, "degC", "K")).toBe(273.15);
    expect(turned(-40, "degree_C", "°F")).toBeCloseTo(-40, 9);
    expect(turned(10, "m s-1", "km/h")).toBeCloseTo(36, 9);
    expect(turned(10, "knots", "m/s")).toBeCloseTo(5.14444, 5);
    expect(turned(101325, "Pa", "hPa")).toBe(1013.25);
    expect(turned(1e-5, "kg m-2 s-1", "mm per day")).toBeCloseTo(0.864, 9);
    expect(turned(0.25, "(0 - 1)", "%")).toBe(25);
    for (const unit of unitsFor("K")) expect(fromUnit(inUnit(287.3, unit), unit)).toBeCloseTo(287.3, 9);
    expect(differenceInUnit(5, unitOf("K", "°F"))).toBeCloseTo(9, 9);
  });

  it("are not guessed", () => {
    for (const unknown of ["", "1", "widgets", "Mm", "mK", "W m-2", "k"]) expect(unitsFor(unknown)).toHaveLength(1);
    expect(labels("1", [0, 1])).toContain("%");
    expect(unitsFor("1", [0, 4.75])).toHaveLength(1);
    expect(unitOf("K", "kn").id).toBe("");
  });

  it("are printed with raised powers", () => {
    expect(unitLabel("kg m-2 s-1")).toBe("kg m⁻² s⁻¹");
    expect(unitLabel("m**2 s**-2")).toBe("m² s⁻²");
    expect(unitLabel("W m^-2")).toBe("W m⁻²");
    expect(unitLabel("degree_C")).toBe("°C");
    expect(unitLabel("1")).toBe("");
    expect(unitLabel("<b>x</b>")).toBe("<b>x</b>");
  });
});

describe("numbers", () => {
  it("have as many digits as are known", () => {
    expect(decimalsFor(0.05)).toBe(2);
    expect(decimalsFor(0.0016)).toBe(4);
    expect(decimalsFor(28)).toBe(0);
    expect(spokenNumber(15.3456789, 0.0016)).toBe("15.3457");
    expect(spokenNumber(-1.8, 0.1)).toBe("−1.8");
    expect(spokenNumber(-0.0001, 0.1)).toBe("0.0");
    expect(spokenNumber(101325, 1)).toBe("101\u202f325");
    expect(spokenNumber(1.6848e-5, 1.17e-9)).toMatch(/^1\.6848\d* × 10⁻⁵$/);
    expect(spokenNumber(3.2e-31, 6.1e-35)).toMatch(/× 10⁻³¹$/);
    expect(spokenNumber(NaN, 1)).toBe("–");
  });

  it("make ticks that are round", () => {
    expect(niceTicks(-1.8, 30.3, 5).values).toEqual([0, 10, 20, 30]);
    expect(niceTicks(30, 0, 3).values).toEqual([0, 10, 20, 30]);
    expect(niceTicks(2.03e-32, 9.8e-31, 6).values.length).toBeGreaterThan(2);
    expect(niceTicks(5, 5, 4).values).toEqual([5]);
    expect(niceTicks(NaN, 5, 4).values).toEqual([]);
  });

  it("are read as people type them", () => {
    expect([typed("1,5"), typed("−3"), typed(" 1e-30 "), typed("10 000"), typed(""), typed("x")]).toEqual([
      1.5,
      -3,
      1e-30,
      10000,
      null,
      null,
    ]);
    expect(spokenPlace([190, -12.5])).toBe("12.50° S, 170.00° W");
  });
});

describe("palettes", () => {
  const palettes = { two: ["#000000", "#ff8000"], viridis: ["#440154", "#fde725"] };

  it("become the bytes of 256 colours, once", () => {
    const colors = colorsOf(palettes, "two");
    expect([...colors.slice(0, 3), ...colors.slice(765)]).toEqual([0, 0, 0, 255, 128, 0]);
    expect([...colorsOf(palettes, "two_r").slice(0, 3)]).toEqual([255, 128, 0]);
    expect(colorsOf(palettes, "two")).toBe(colors);
    expect(colorsOf(palettes, "unheard").length).toBe(768);
  });

  it("colour shares as the server's PNG tiles do, in classes evenly over the ramp", () => {
    const colors = Uint8Array.from({ length: 768 }, (_, index) => Math.floor(index / 3));
    expect(colorAt(colors, 0.5)[0]).toBe(128);
    expect([0, 0.24, 0.26, 0.99, 1, 7, -3].map((share) => colorAt(colors, share, 4)[0])).toEqual([
      0, 0, 85, 255, 255, 255, 0,
    ]);
    expect([shareOf(5, [0, 10]), shareOf(5, [10, 0]), shareOf(1, [1, 1])]).toEqual([0.5, 0.5, 0.5]);
  });

  it("are offered with the trustworthy ones first", () => {
    expect(choices(["jet", "viridis", "diverging"]).map((one) => one.name)).toEqual(["viridis", "diverging", "jet"]);
  });
});
