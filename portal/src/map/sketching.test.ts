import { beforeEach, describe, expect, test, vi } from "vitest";
import { projectionFor } from "./projection";
import { Sketching, type Progress } from "./sketching";
import type { Camera, LonLat, Sketch } from "./types";

const WIDTH = 800;
const HEIGHT = 600;
let camera: Camera;
let told: { key: string; geometry: GeoJSON.Geometry }[];
let progress: Progress | null;
let sketching: Sketching;

beforeEach(() => {
  vi.useFakeTimers();
  camera = { lon: 180, lat: 0, zoom: 2, projection: "flat" };
  told = [];
  progress = null;
  sketching = new Sketching({
    projectionAt: () => ({ projection: projectionFor(camera, WIDTH, HEIGHT), pane: 0, left: 0, top: 0 }),
    changed: () => undefined,
    sketch: (key, geometry) => told.push({ key, geometry }),
    progress: (state) => (progress = state),
  });
});

const at = (lon: number, lat: number): [number, number] => projectionFor(camera, WIDTH, HEIGHT)([lon, lat])!;
const click = (lon: number, lat: number, again = false): boolean => sketching.click(...at(lon, lat), again);
const key = (name: string, crosshair: [number, number] | null = null, shiftKey = false): boolean =>
  sketching.key({ key: name, shiftKey } as KeyboardEvent, crosshair);
const drag = (from: LonLat, ...to: LonLat[]): boolean => {
  const taken = sketching.grab(...at(...from), false);
  for (const place of to) sketching.drag(...at(...place));
  if (taken) sketching.drop(...at(...to.at(-1)!));
  return taken;
};
const ring = (): number[][] => (told.at(-1)!.geometry as GeoJSON.Polygon).coordinates[0]!;
const near = (places: number[][], wanted: number[][]): void => {
  expect(places).toHaveLength(wanted.length);
  places.forEach((place, index) => place.forEach((one, axis) => expect(one).toBeCloseTo(wanted[index]![axis]!, 4)));
};
const shown = (geometry: GeoJSON.Geometry): void =>
  sketching.set([{ key: "a", geometry, color: "#123456", editable: true } satisfies Sketch]);

describe("drawing", () => {
  test("without a tool clicks are the map's", () => {
    expect(click(170, 0)).toBe(false);
    expect(key("Enter")).toBe(false);
  });

  test("an area ends at its first corner", () => {
    sketching.tool = "polygon";
    for (const place of [
      [170, -10],
      [-170, -10],
      [-170, 10],
    ] as LonLat[])
      click(...place);
    expect(progress).toEqual({ tool: "polygon", vertices: 3, enough: true });
    click(170, -10);
    near(ring(), [
      [170, -10],
      [190, -10],
      [190, 10],
      [170, -10],
    ]);
    expect(sketching.tool).toBeNull();
    expect(progress!.tool).toBeNull();
  });

  test("a double click ends a line where it lies", () => {
    sketching.tool = "line";
    click(170, 0);
    click(175, 5);
    click(175, 5, true);
    near((told[0]!.geometry as GeoJSON.LineString).coordinates, [
      [170, 0],
      [175, 5],
    ]);
  });

  test("too few places do not end anything", () => {
    sketching.tool = "polygon";
    click(170, 0);
    click(171, 0);
    expect(sketching.finish()).toBe(false);
    expect(key("Enter")).toBe(true);
    expect(told).toEqual([]);
    expect(sketching.tool).toBe("polygon");
  });

  test("Backspace takes back, Escape leaves the shape and then the tool", () => {
    sketching.tool = "line";
    click(170, 0);
    click(171, 0);
    key("Backspace");
    expect(progress!.vertices).toBe(1);
    key("Escape");
    expect(progress).toEqual({ tool: "line", vertices: 0, enough: false });
    key("Escape");
    expect(sketching.tool).toBeNull();
  });

  test("places beside the Earth are none", () => {
    camera = { lon: 0, lat: 0, zoom: 1, projection: "globe" };
    sketching.tool = "line";
    expect(sketching.click(5, 5, false)).toBe(true);
    expect(progress!.vertices).toBe(0);
  });

  test("a box may be wider than half of the Earth", () => {
    camera = { lon: 0, lat: 0, zoom: 0.5, projection: "flat" };
    sketching.tool = "box";
    drag([-150, -40], [-60, 0], [20, 10], [90, 30], [140, 50]);
    expect((told[0]!.geometry as GeoJSON.Polygon).bbox!.map(Math.round)).toEqual([-150, -40, 140, 50]);
  });

  test("two clicks make a box as well", () => {
    sketching.tool = "box";
    drag([170, -10], [170, -10]);
    expect(told).toEqual([]);
    sketching.hover(...at(-175, 5));
    drag([-170, 10], [-170, 10]);
    expect((told[0]!.geometry as GeoJSON.Polygon).bbox!.map(Math.round)).toEqual([170, -10, -170, 10]);
  });

  test("by keys: Enter puts a place, Enter again in the same place ends", () => {
    sketching.tool = "line";
    key("Enter", at(170, 0));
    key("Enter", at(-175, 5));
    key("Enter", at(-175, 5));
    near((told[0]!.geometry as GeoJSON.LineString).coordinates, [
      [170, 0],
      [185, 5],
    ]);
  });
});

describe("changing", () => {
  const triangle: GeoJSON.Polygon = {
    type: "Polygon",
    coordinates: [
      [
        [170, 0],
        [190, 0],
        [180, 20],
        [170, 0],
      ],
    ],
  };

  test("a corner follows the pointer, and is told when it is dropped", () => {
    shown(triangle);
    expect(sketching.hover(...at(-170, 0))).toBe("move");
    expect(drag([-170, 0], [-165, -5])).toBe(true);
    near(ring(), [
      [170, 0],
      [195, -5],
      [180, 20],
      [170, 0],
    ]);
    expect(told[0]!.key).toBe("a");
  });

  test("the middle of an edge becomes a corner", () => {
    shown(triangle);
    drag([180, 0], [180, -10]);
    near(ring(), [
      [170, 0],
      [180, -10],
      [190, 0],
      [180, 20],
      [170, 0],
    ]);
  });

  test("a drag that is broken off changes nothing, and so does a click", () => {
    shown(triangle);
    sketching.grab(...at(-170, 0), false);
    sketching.drag(...at(-160, 0));
    sketching.release();
    drag([-170, 0], [-170, 0]);
    expect(told.filter(({ geometry }) => JSON.stringify(geometry) !== JSON.stringify(triangle))).toEqual([]);
  });

  test("what is not editable is the map's", () => {
    sketching.set([{ key: "a", geometry: triangle, color: "#123456" }]);
    expect(drag([-170, 0], [-165, -5])).toBe(false);
  });

  test("Tab goes from corner to corner and then on; arrows move; Delete removes", () => {
    shown({
      type: "LineString",
      coordinates: [
        [170, 0],
        [180, 5],
        [190, 0],
      ],
    });
    expect(key("Tab")).toBe(true);
    expect(key("Tab")).toBe(true);
    key("ArrowUp");
    key("ArrowUp", null, true);
    expect(told).toEqual([]);
    vi.advanceTimersByTime(1000);
    const degree = (256 * 2 ** camera.zoom) / 180;
    near((told[0]!.geometry as GeoJSON.LineString).coordinates, [
      [170, 0],
      [180, 5 + 9 / degree],
      [190, 0],
    ]);
    shown(told[0]!.geometry);
    key("Delete");
    near((told[1]!.geometry as GeoJSON.LineString).coordinates, [
      [170, 0],
      [190, 0],
    ]);
    shown(told[1]!.geometry);
    expect(key("Tab")).toBe(true);
    expect(key("Tab")).toBe(false);
    expect(key("ArrowUp")).toBe(false);
  });
});
