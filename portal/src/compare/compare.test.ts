import { describe, expect, it, vi } from "vitest";
import type { Tileset, TileVariable } from "../api/tilesets";
import { clockOf, drawnOf, drawnPanes, sceneOf, type Known } from "../explore/scene";
import { listed } from "../state/steps";
import { emptyView, newLayer, type CompareView } from "../state/view";
import { conversion, later, shifted } from "./panes";
import { ofCatalogue, ofItself, type Card } from "./suggestions";

// addresses are of the page, and here is none
vi.hoisted(() => void vi.stubGlobal("location", { href: "http://h/" }));

const variable = (name: string, units: string, more: Partial<TileVariable> = {}): TileVariable => ({
  name,
  title: name,
  units,
  axes: ["time"],
  scale: 0.01,
  offset: 200,
  exact: false,
  range: [230, 300],
  palette: "viridis",
  ...more,
});

function tileset(id: string, one: TileVariable, times: string[], more: Partial<Tileset> = {}): Tileset {
  return {
    id,
    title: id,
    attribution: "",
    license: "",
    bounds: [-180, -90, 180, 90],
    version: "1.x",
    variables: [one],
    axes: [{ name: "time", kind: "time", count: times.length, units: "", values: times }],
    tiles: { values: `http://h/${id}?variable={variable}`, png: "" },
    zooms: { WorldCRS84Quad: 2 },
    ...more,
  };
}

const months = Array.from(
  { length: 30 },
  (_, k) => `${2006 + Math.floor(k / 12)}-${String((k % 12) + 1).padStart(2, "0")}-16T00:00:00Z`,
);
const kelvin = tileset("k", variable("t", "K"), months);
const celsius = tileset("c", variable("tos", "degree_C", { offset: -40, scale: 0.002, range: [-2, 30] }), months);
const rain = tileset("r", variable("pr", "kg m-2 s-1"), months);
const known: Known = {
  tileset: (id) => [kelvin, celsius, rain].find((one) => one.id === id) ?? null,
  days: () => null,
  palettes: { viridis: ["#000000", "#ffffff"], diverging: ["#0000ff", "#ffffff", "#ff0000"] },
  spread: 3,
};

function view(compare: Partial<CompareView>) {
  const made = emptyView();
  made.layers = [newLayer("a", "k", "t")];
  made.compare = {
    mode: "difference",
    a: "a",
    b: newLayer("b", "c", "tos"),
    at: 0.5,
    range: null,
    shift: null,
    ...compare,
  };
  return made;
}

describe("units of two sides", () => {
  it("go over into each other where they can", () => {
    const [k, c] = [variable("", "K"), variable("", "degree_C")];
    expect(conversion(c, k)).toEqual({ scale: 1, offset: 273.15 });
    expect(conversion(k, c)!.offset).toBeCloseTo(-273.15);
    expect(conversion(k, variable("", "degF"))!.scale).toBeCloseTo(1.8);
    expect(conversion(variable("", "degK"), k)).toEqual({ scale: 1, offset: 0 });
    expect(conversion(variable("", "hPa"), variable("", "Pa"))).toEqual({ scale: 100, offset: 0 });
  });

  it("are refused where they cannot", () => {
    expect(conversion(variable("", "K"), variable("", "m"))).toBeNull();
    expect(conversion(variable("", ""), variable("", "K"))).toBeNull();
    expect(conversion(variable("", "furlong"), variable("", "fortnight"))).toBeNull();
    expect(conversion(variable("", "furlong"), variable("", "furlong"))).toEqual({ scale: 1, offset: 0 });
    expect(conversion(variable("", "1", { classes: [{ value: 1, name: "a" }] }), variable("", "1"))).toBeNull();
  });
});

describe("a difference", () => {
  it("is taken in A's unit, whatever B is stored in", () => {
    const [layer] = sceneOf(view({}), known).panes[0]!.layers;
    if (layer?.kind !== "difference") throw new Error(layer?.kind);
    const b = layer.minus.tileset.variables.find((one) => one.name === layer.minus.variable)!;
    // number 20000 of B is 0 °C
    expect(20000 * b.scale + b.offset).toBeCloseTo(273.15);
    expect(layer.style.range).toEqual([-3, 3]);
    expect(layer.minus.tileset.tiles.values).toBe(celsius.tiles.values);
    expect(layer.minus.at).toEqual({ datetime: months.at(-1) });
  });

  it("has a range of its own, and no zero point", () => {
    const drawn = drawnPanes(view({ range: [-1, 1] }), known)[0]![0]!;
    expect(drawn.range).toEqual([-1, 1]);
    expect(drawn.minus?.unit.label).toBe("K");
    const shown = view({});
    shown.layers[0]!.unit = "°C";
    expect(drawnPanes(shown, known)[0]![0]!.unit).toMatchObject({ label: "°C", offset: 0 });
  });

  it("of units that have nothing in common is not drawn", () => {
    const panes = drawnPanes(view({ b: newLayer("b", "r", "pr") }), known);
    expect(panes[0]![0]!.minus).toBeNull();
  });
});

describe("two sides", () => {
  it("have the same colours and the same unit", () => {
    const [left, right] = drawnPanes(view({ mode: "swipe" }), known);
    expect(right![0]!.range).toEqual(left![0]!.range);
    expect(right![0]!.colors).toBe(left![0]!.colors);
    expect(right![0]!.unit.label).toBe("K");
    expect(right![0]!.variable.units).toBe("K");
  });

  it("have their own where B says so, or is of another kind", () => {
    const own = { ...newLayer("b", "c", "tos"), range: [0, 10] as [number, number] };
    expect(drawnPanes(view({ mode: "side", b: own }), known)[1]![0]!.range).toEqual([273.15, 283.15]);
    expect(drawnPanes(view({ mode: "side", b: newLayer("b", "r", "pr") }), known)[1]![0]!.variable.units).toBe(
      "kg m-2 s-1",
    );
  });
});

describe("times of B", () => {
  const steps = listed(months);
  const clock = { iso: months[20]!, position: steps.at(20), steps: [] };
  it("go so far back from the common time", () => {
    expect(shifted(clock, { count: -1, unit: "year" }, steps).iso).toBe(months[8]);
    expect(shifted(clock, { count: -3, unit: "step" }, steps).iso).toBe(months[17]);
    expect(shifted(clock, null, steps)).toBe(clock);
  });

  it("beyond the ends are none", () => {
    const made = view({ mode: "side", b: newLayer("b", "k", "t"), shift: { count: -12, unit: "step" } });
    made.time = months[3]!;
    expect(drawnPanes(made, known)[1]![0]!.isAway).toBe(true);
    made.time = months[13]!;
    expect(drawnPanes(made, known)[1]![0]!.shown?.iso).toBe(months[1]);
  });

  it("keep the calendar", () => {
    expect(later("2016-02-29T00:00:00Z", { count: -1, unit: "year" })).toBe("2015-02-28T00:00:00Z");
    expect(later("2099-02-30T00:00:00Z", { count: -1, unit: "year" })).toBe("2098-02-30T00:00:00Z");
    expect(later("2015-01-31T12:30:00Z", { count: 1, unit: "month" })).toBe("2015-02-28T12:30:00Z");
    expect(later("2015-01-31T12:30:00Z", { count: -1, unit: "day" })).toBe("2015-01-30T12:30:00Z");
    expect(later("nonsense", { count: 1, unit: "year" })).toBeNull();
  });
});

describe("suggestions", () => {
  const a = () => {
    const made = emptyView();
    made.layers = [newLayer("a", "k", "t")];
    return drawnOf(made.layers[0]!, "a", made, clockOf(made, known), known)!;
  };
  it("name other times of a series", () => {
    expect(ofItself(a()).map((one) => one.key)).toEqual(["year", "step", "first"]);
  });

  it("find the same kind of variable elsewhere, the same name first", () => {
    const card = (id: string, name: string, units: string, kind = name, more: Partial<Card> = {}): Card => ({
      id,
      title: id,
      variables: [{ name, title: name, units, id: kind }],
      has: ["cube"],
      bbox: [-180, -90, 180, 90],
      ...more,
    });
    const cards = [
      card("k", "t", "K", "air_temperature"),
      card("other", "tas", "degC", "air_temperature"),
      card("sea", "sst", "degree_C", "sea_surface_temperature"),
      card("rain", "pr", "mm", "precipitation"),
      card("far", "t", "K", "air_temperature", { bbox: [0, 95, 1, 96] }),
      card("files", "t", "K", "air_temperature", { has: ["items"] }),
    ];
    expect(ofCatalogue(a(), cards).map((one) => one.title)).toEqual(["other", "sea"]);
  });
});
