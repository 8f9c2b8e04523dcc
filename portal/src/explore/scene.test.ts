import { describe, expect, it, vi } from "vitest";
import type { Axis, Tileset, TileVariable } from "../api/tilesets";
import { emptyView, newLayer, type LayerView, type View } from "../state/view";
import { clockOf, drawnPanes, fieldsAhead, mapLayer, sceneOf, trueColor, type Known } from "./scene";

// addresses are of the page, and here is none
vi.hoisted(() => void vi.stubGlobal("location", { href: "http://h/" }));

const variable = (name: string, axes: string[], more: Partial<TileVariable> = {}): TileVariable => ({
  name,
  title: name,
  units: "K",
  axes,
  scale: 0.01,
  offset: 200,
  exact: false,
  range: [240, 320],
  palette: "viridis",
  ...more,
});
const tileset = (id: string, variables: TileVariable[], axes: Axis[] = []): Tileset => ({
  id,
  title: id,
  attribution: "",
  license: "",
  bounds: [-180, -90, 180, 90],
  variables,
  axes,
  tiles: { values: "", png: "" },
  zooms: {},
});
const months = (...names: string[]): Axis => ({
  name: "time",
  kind: "time",
  count: names.length,
  units: "",
  values: names,
});

const TIMES = months("2015-01-16T00:00:00Z", "2015-02-16T00:00:00Z", "2015-03-16T00:00:00Z");
const ODD = months("2015-02-29T00:00:00Z", "2015-02-30T00:00:00Z", "2015-03-01T00:00:00Z");
const known = (...sets: Tileset[]): Known => ({
  tileset: (id) => sets.find((one) => one.id === id) ?? null,
  days: (id) => (id === "images" ? ["2023-06-01", "2023-06-04"] : null),
  palettes: { viridis: ["#000000", "#ffffff"], diverging: ["#0000ff", "#ff0000"] },
});
const layer = (id: string, collection: string, look: Partial<LayerView> = {}): LayerView => ({
  ...newLayer(id, collection),
  ...look,
});
const view = (layers: LayerView[], more: Partial<View> = {}): View => ({ ...emptyView(), layers, ...more });
const field = (made: ReturnType<typeof sceneOf>, index = 0) => {
  const found = made.panes[0]!.layers[index]!;
  if (found.kind !== "field") throw new Error(found.kind);
  return found;
};

const sea = tileset("sea", [variable("sst", ["time"])], [TIMES]);

describe("a scene", () => {
  it("shows the latest time of the first layer until a time is chosen", () => {
    expect(field(sceneOf(view([layer("a", "sea")]), known(sea))).field.at).toEqual({
      datetime: "2015-03-16T00:00:00Z",
    });
    const chosen = view([layer("a", "sea")], { time: "2015-01-16T00:00:00Z" });
    expect(field(sceneOf(chosen, known(sea))).field.at).toEqual({ datetime: "2015-01-16T00:00:00Z" });
  });

  it("blends between steps, or shows the one before", () => {
    const between = view([layer("a", "sea")], { time: "2015-02-02T12:00:00Z" });
    const made = field(sceneOf(between, known(sea))).field;
    expect(made.at).toEqual({ datetime: "2015-01-16T00:00:00Z" });
    expect(made.then?.at).toEqual({ datetime: "2015-02-16T00:00:00Z" });
    expect(made.then?.mix).toBeCloseTo(17.5 / 31, 3);
    expect(field(sceneOf({ ...between, blend: false }, known(sea))).field.then).toBeUndefined();
  });

  it("keeps days that our calendar does not have", () => {
    const odd = tileset("odd", [variable("t", ["time"])], [ODD]);
    const made = sceneOf(
      view([layer("a", "odd"), layer("b", "sea")], { time: "2015-02-30T00:00:00Z" }),
      known(odd, sea),
    );
    expect(field(made).field.at).toEqual({ datetime: "2015-02-30T00:00:00Z" });
    expect(field(made).field.then).toBeUndefined();
    expect(field(made, 1).field.at).toEqual({ datetime: "2015-02-16T00:00:00Z" });
  });

  it("leaves out what is hidden, not yet known, gone, empty, or has nothing at this time", () => {
    const empty = tileset("empty", [variable("none", [], { range: null as unknown as [number, number] })]);
    const layers = [
      layer("a", "sea", { shown: false }),
      layer("b", "unheard"),
      layer("c", "sea", { variable: "gone" }),
      layer("d", "empty"),
      layer("e", "sea"),
    ];
    const far = view(layers, { time: "1999-01-01T00:00:00Z" });
    expect(sceneOf(far, known(sea, empty)).panes[0]!.layers).toEqual([]);
    const drawn = drawnPanes(far, known(sea, empty))[0]!;
    expect(drawn.map((one) => [one.key, one.isAway])).toEqual([
      ["a", true],
      ["d", false],
      ["e", true],
    ]);
  });

  it("asks for the chosen places on all axes, and for the first where none or a wrong one is named", () => {
    const axes: Axis[] = [
      { name: "number", kind: "number", count: 2, units: "", values: [1, 2] },
      { name: "pressure", kind: "vertical", count: 2, units: "hPa", values: [500, 850] },
      TIMES,
    ];
    const members = tileset("members", [variable("t", ["number", "time", "pressure"])], axes);
    const at = (chosen: Record<string, string>) =>
      field(sceneOf(view([layer("a", "members", { axes: chosen })]), known(members))).field.at;
    expect(at({ pressure: "850", number: "2" })).toEqual({ number: "2", z: "850", datetime: "2015-03-16T00:00:00Z" });
    expect(at({ pressure: "7", height: "2" })).toEqual({ number: "1", z: "500", datetime: "2015-03-16T00:00:00Z" });
  });

  it("of a forecast asks for run and lead time", () => {
    const axes: Axis[] = [
      {
        name: "reference_time",
        kind: "reference_time",
        count: 2,
        units: "",
        values: ["2016-01-01T00:00:00Z", "2016-02-01T00:00:00Z"],
      },
      { name: "step", kind: "step", count: 2, units: "", values: [0, 24] },
    ];
    const runs = tileset("runs", [variable("t", ["reference_time", "step"])], axes);
    expect(field(sceneOf(view([layer("a", "runs")]), known(runs))).field.at).toEqual({
      reference_time: "2016-02-01T00:00:00Z",
      step: "24",
    });
    const first = view([layer("a", "runs", { axes: { reference_time: "2016-01-01T00:00:00Z" } })], {
      time: "2016-01-01T00:00:00Z",
    });
    expect(field(sceneOf(first, known(runs))).field.at).toEqual({ reference_time: "2016-01-01T00:00:00Z", step: "0" });
  });

  it("takes the days of images from the catalogue, and bands as red, green and blue", () => {
    const bands = ["B02", "B03", "B04"].map((name) => variable(name, ["time"], { range: [0, 3000] }));
    const images = tileset("images", bands);
    expect(trueColor(images)).toEqual(["B04", "B03", "B02"]);
    expect(trueColor(sea)).toBeNull();
    const look = { rgb: ["B04", "B03", "B02"] as [string, string, string], gamma: 1.2 };
    const made = sceneOf(view([layer("a", "images", look)]), known(images)).panes[0]!.layers[0]!;
    expect(made).toMatchObject({
      kind: "rgb",
      gamma: 1.2,
      ranges: [
        [0, 3000],
        [0, 3000],
        [0, 3000],
      ],
    });
    if (made.kind === "rgb")
      expect(made.fields.map((one) => [one.variable, one.at.datetime])).toEqual([
        ["B04", "2023-06-04"],
        ["B03", "2023-06-04"],
        ["B02", "2023-06-04"],
      ]);
  });

  it("draws classes without anything between them", () => {
    const land = tileset("land", [variable("class", ["time"], { classes: [{ value: 1, name: "wood" }] })], [TIMES]);
    const made = field(sceneOf(view([layer("a", "land")], { time: "2015-02-01T00:00:00Z" }), known(land)));
    expect(made.style.smooth).toBe(false);
    expect(made.field.then).toBeUndefined();
  });

  it("has everything that a look says in its style", () => {
    const look = {
      palette: "viridis_r",
      range: [1e-30, 2e-30] as [number, number],
      classes: 5,
      contour: 2,
      smooth: false,
      opacity: 0.5,
      mask: [0, 1] as [number, number],
    };
    const { style } = field(sceneOf(view([layer("a", "sea", look)]), known(sea)));
    expect(style).toMatchObject({
      range: [1e-30, 2e-30],
      classes: 5,
      contour: 2,
      smooth: false,
      opacity: 0.5,
      mask: [0, 1],
    });
    expect([...style.colors.slice(0, 3)]).toEqual([255, 255, 255]);
  });
});

describe("what comes next", () => {
  it("are the fields of the steps ahead, around again at the end", () => {
    const look = view([layer("a", "sea")], { time: "2015-02-16T00:00:00Z" });
    const have = known(sea);
    const [drawn] = drawnPanes(look, have)[0]!;
    const times = fieldsAhead(drawn!, clockOf(look, have).position, 9).map((step) => step[0]!.at.datetime);
    expect(times).toEqual(["2015-02-16T00:00:00Z", "2015-03-16T00:00:00Z", "2015-01-16T00:00:00Z"]);
    expect(mapLayer(drawn!)).not.toBeNull();
  });

  it("is nothing for a layer with a time of its own", () => {
    const look = view([layer("a", "sea", { time: "2015-02-16T00:00:00Z" })]);
    const [drawn] = drawnPanes(look, known(sea))[0]!;
    expect(fieldsAhead(drawn!, 0, 5)).toEqual([]);
  });
});
