import { describe, expect, it, vi } from "vitest";
import type { Tileset } from "../api/tilesets";
import { decoded } from "./decoding";
import { addressOf, partsOf, wantedOf } from "./fields";
import { spotOf } from "./layers";
import { ancestorOf, BORDERED, cellAt, childrenOf, meets, northOf, quadAt, SIDE, spanOf, westOf } from "./quads";
import { coloring, stretch, valueOf } from "./scaling";
import type { Field, Layer, Style } from "./types";

// where the site is, is asked of the page as soon as a module of api/ is loaded
vi.hoisted(() => vi.stubGlobal("location", new URL("http://a/")));

/** A tile as the server writes it: rows as their first number, then differences modulo 65536. */
function coded(numbers: Uint16Array): ArrayBuffer {
  const made = new DataView(new ArrayBuffer(2 * numbers.length));
  numbers.forEach((number, at) =>
    made.setUint16(2 * at, at % BORDERED === 0 ? number : number - numbers[at - 1]!, true),
  );
  return made.buffer;
}

describe("decoding", () => {
  it("undoes differences, also those that wrap", () => {
    const numbers = Uint16Array.from(
      { length: BORDERED * BORDERED },
      (_, at) => (at * 40503 + (at % 7) * 9973) & 0xffff,
    );
    expect(decoded(coded(numbers))).toEqual(numbers);
  });
  it("knows a tile without data", () => expect(decoded(new ArrayBuffer(2 * BORDERED * BORDERED))).toBeNull());
  it("refuses another length", () => expect(() => decoded(new ArrayBuffer(10))).toThrow(RangeError));
});

describe("tiles", () => {
  it("have the numbers of OGC 17-083r4", () => {
    expect(quadAt([-180, 90], 0)).toEqual({ z: 0, row: 0, column: 0 });
    expect(quadAt([0, 0], 0)).toEqual({ z: 0, row: 0, column: 1 });
    expect(quadAt([11.5, 47.2], 4)).toEqual({ z: 4, row: 3, column: 17 });
    expect([westOf({ z: 4, row: 3, column: 17 }), northOf({ z: 4, row: 3, column: 17 })]).toEqual([11.25, 56.25]);
  });
  it("hold the poles, and both sides of the antimeridian", () => {
    expect(quadAt([10, -90], 3).row).toBe(7);
    expect(quadAt([180, 0], 3)).toEqual(quadAt([-180, 0], 3));
    expect(quadAt([540 - 1e-9, 0], 3).column).toBe(15);
  });
  it("know their children and ancestors", () => {
    for (const child of childrenOf({ z: 2, row: 1, column: 5 }))
      expect(ancestorOf(child, 2)).toEqual({ z: 2, row: 1, column: 5 });
    expect(ancestorOf({ z: 5, row: 31, column: 63 }, 0)).toEqual(quadAt([179, -89], 0));
  });
  it("find the cell whose pixel holds a place", () => {
    const quad = { z: 3, row: 2, column: 9 };
    const size = spanOf(3) / SIDE;
    const place: [number, number] = [westOf(quad) + 100.5 * size, northOf(quad) - 7.5 * size];
    expect(cellAt(quad, place)).toBe(8 * BORDERED + 101);
  });
});

describe("bounds", () => {
  const quad = { z: 2, row: 1, column: 0 }; // -180 to -135, 0 to 45
  it.each([
    [[-180, -90, 180, 90], true],
    [[-170, 10, -160, 20], true],
    [[-130, 10, 10, 20], false],
    [[170, -10, -170, 10], true],
    [[170, -10, 180, 10], false],
    [[-180, -90, 180, 0], false],
    [[160, 5, 200, 10], true],
  ])("%j: %s", (bounds, expected) => expect(meets(quad, bounds as number[])).toBe(expected));
  it("have a rim", () => expect(meets(quad, [170, -10, 180, 10], 0.1)).toBe(true));
});

const variable = {
  name: "t 2m",
  title: "T",
  units: "K",
  axes: ["time"],
  scale: 0.5,
  offset: 200,
  exact: false,
  range: [0, 1] as [number, number],
  palette: "viridis",
};
const tileset: Tileset = {
  ...{
    id: "x",
    title: "X",
    attribution: "",
    license: "",
    bounds: [-180, -90, 180, 90],
    version: "1",
    variables: [variable],
    axes: [],
  },
  tiles: {
    values: "http://a/tiles/x/v/1/WorldCRS84Quad/{tileMatrix}/{tileRow}/{tileCol}?f=values&variable={variable}",
    png: "",
  },
  zooms: { WorldCRS84Quad: 2 },
};
const style: Style = {
  colors: new Uint8Array(768),
  range: [200, 300],
  opacity: 1,
  classes: 0,
  contour: 0,
  smooth: true,
};
const layerOf = (field: Partial<Field>): Layer => ({
  key: "a",
  kind: "field",
  style,
  field: { tileset, variable: "t 2m", at: {}, ...field },
});
const same = (one: Tileset): Tileset => one;

describe("fields", () => {
  it("say which tiles they want, no finer than the data", () => {
    const [step] = partsOf(layerOf({ at: { z: "500", datetime: "2024-01-01T00:00Z" } }), same)[0]!.steps;
    expect(addressOf(step, { z: 2, row: 1, column: 5 })).toBe(
      "http://a/tiles/x/v/1/WorldCRS84Quad/2/1/5?f=values&variable=t%202m&datetime=2024-01-01T00%3A00Z&z=500",
    );
    expect(wantedOf(step, { z: 9, row: 100, column: 300 })).toEqual({ z: 2, row: 0, column: 2 });
    expect(wantedOf(step, { z: 1, row: 1, column: 2 })).toEqual({ z: 1, row: 1, column: 2 });
  });
  it("are of one step at the ends of a blend", () => {
    const then = { at: { datetime: "b" }, mix: 0.25 };
    expect(partsOf(layerOf({ then }), same)[0]!.steps.length).toBe(2);
    expect(partsOf(layerOf({ then: { ...then, mix: 0 } }), same)[0]!.steps.length).toBe(1);
    expect(partsOf(layerOf({ then: { ...then, mix: 1 } }), same)[0]!.steps[0].template).toContain("datetime=b");
  });
  it("are nothing where there is no such variable, or it has no numbers", () => {
    expect(partsOf(layerOf({ variable: "other" }), same)).toEqual([]);
    const bare = { ...variable, scale: undefined as unknown as number };
    expect(partsOf(layerOf({ tileset: { ...tileset, variables: [bare] } }), same)).toEqual([]);
  });
  it("lie somewhere in coarser tiles", () => {
    expect(spotOf({ z: 4, row: 5, column: 9 }, { z: 2, row: 1, column: 2 })).toEqual({
      base: [64, 64],
      rest: [0, 0],
      size: 64,
    });
    const deep = spotOf({ z: 12, row: 2049, column: 4097 }, { z: 2, row: 2, column: 4 });
    expect([deep.base, deep.rest, deep.size]).toEqual([[0, 0], [0.25, 0.25], 0.25]);
  });
});

/** What the shader computes of a number, with float32 in between. */
function shareOf(number: number, range: [number, number], scale = 0.5, offset = 200): number {
  const { anchor, factor, addend } = stretch(scale, offset, range);
  const f = Math.fround;
  return f(f(f(number - f(anchor)) * f(factor)) + f(addend));
}

describe("scaling", () => {
  const exact = (number: number, [low, high]: [number, number]): number => (number * 0.5 + 200 - low) / (high - low);
  it.each([[[200, 300]], [[300, 200]], [[-1e5, 1e5]], [[250.1, 250.9]], [[32967, 32968]], [[-50, -40]]] as [
    [number, number],
  ][])("carries %j", (range) => {
    for (const number of [1, 2, 99, 101, 200, 32767, 65535]) {
      const clamp = (one: number): number => Math.max(0, Math.min(1, one));
      expect(clamp(shareOf(number, range))).toBeCloseTo(clamp(exact(number, range)), 4);
    }
  });
  it.each([[1e-30], [1e-300], [0]])("makes a step of a range of %d", (width) => {
    const range: [number, number] = [250, 250 + width];
    for (const [number, expected] of [
      [1, 0],
      [99, 0],
      [101, 1],
      [65535, 1],
    ] as const) {
      expect(Math.max(0, Math.min(1, shareOf(number, range)))).toBe(expected);
    }
    expect(Number.isFinite(shareOf(100, range))).toBe(true);
  });
  it("takes numbers whose range is 1e-30, and the whole of float64", () => {
    expect(shareOf(32768, [0, 1e-30], 1e-30 / 65534, -1e-30 / 65534)).toBeCloseTo(0.5, 3);
    expect(shareOf(32768, [-8e307, 8e307], 1.6e308 / 65534, -8e307)).toBeCloseTo(0.5, 3);
  });
  it("never makes what is not a number", () => {
    for (const range of [
      [0, 0],
      [NaN, 1],
      [-Infinity, Infinity],
      [0, 5e-324],
    ] as [number, number][]) {
      const made = coloring(partsOf(layerOf({}), same), { ...style, range, contour: 1e-300, mask: [NaN, 1] });
      const all = [made.anchor, made.factor, made.addend, made.contour.factor, made.contour.addend, ...made.limits];
      expect(
        all.filter((one) => !Number.isFinite(one)),
        JSON.stringify(range),
      ).toEqual([]);
    }
  });
  it("keeps the difference of two tilesets", () => {
    const other = { ...tileset, id: "y", variables: [{ ...variable, scale: 0.25, offset: 180 }] };
    const layer: Layer = {
      key: "d",
      kind: "difference",
      style: { ...style, range: [-2, 2] },
      field: { tileset, variable: "t 2m", at: {} },
      minus: { tileset: other, variable: "t 2m", at: {} },
    };
    const { anchor, other: second, factor, addend } = coloring(partsOf(layer, same), layer.style);
    for (const [one, two] of [
      [100, 280],
      [101, 280],
      [102, 285],
      [40000, 80060 % 65536],
    ] as const) {
      const sum = one - anchor - (two - second.anchor) * second.size;
      const difference = one * 0.5 + 200 - (two * 0.25 + 180);
      expect(sum * factor + addend).toBeCloseTo((difference + 2) / 4, 6);
    }
  });
  it("reads no data as null", () => expect([valueOf(0, variable), valueOf(3, variable)]).toEqual([null, 201.5]));
});
