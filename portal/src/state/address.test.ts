import { describe, expect, it } from "vitest";
import { read, written } from "./address";
import { emptyView, newLayer, type View } from "./view";

function full(): View {
  const view = emptyView();
  view.camera = { lon: -179.5, lat: 88.25, zoom: 4.125, projection: "north" };
  view.time = "2015-02-16T00:00:00Z";
  view.blend = false;
  const awkward = { ...newLayer("a", "né=mo;,&<b>/x", "t 2&m=;"), axes: { number: "3", "x;y": "a=b" }, opacity: 0.25 };
  const styled = {
    ...newLayer("b", "c"),
    range: [-1e-30, 3.5e20] as [number, number],
    palette: "cividis_r",
    classes: 7,
    contour: 2.5,
    mask: [-3, 1e-30] as [number, number],
  };
  const bands = {
    ...newLayer("c", "d"),
    rgb: ["red", "g,r", "b"] as [string, string, string],
    smooth: false,
    shown: false,
    unit: "°C",
    stretch: [
      [0, 255],
      [-1, 2.5],
      [3, 1e-7],
    ] as [[number, number], [number, number], [number, number]],
    gamma: 1.4,
  };
  view.layers = [awkward, styled, bands];
  view.compare = {
    mode: "swipe",
    a: "b",
    b: { ...newLayer("z", "né;=mo"), time: "1860-06-01T00:00:00Z" },
    at: 0.3,
    range: [-2, 2],
    shift: { count: -12, unit: "step" },
  };
  view.cube = {
    layer: "a",
    depth: "x;y",
    bbox: [170, -20, 200.5, 45],
    mode: "planes",
    cut: [0.25, 1, 0],
    orbit: [-170.5, 12, 0.7],
    keep: [-1e-30, 3],
  };
  const polygon: GeoJSON.Polygon = {
    type: "Polygon",
    coordinates: [
      [
        [170, 0],
        [190, 0],
        [190, 10],
        [170, 0],
      ],
    ],
  };
  view.probes = [
    { id: "1", label: "Köln; = 1", geometry: { type: "Point", coordinates: [6.95, 50.94] }, region: null },
    { id: "2", label: "", geometry: polygon, region: null },
    { id: "3", label: "", geometry: null, region: "nuts:FR10" },
  ];
  view.panel = "probe";
  view.basemap = { land: false, borders: true, graticule: true, labels: false };
  return view;
}

describe("a view in an address", () => {
  it("comes back as it was", () => {
    expect(read(written(full()))).toEqual(full());
    expect(read(written(emptyView()))).toEqual(emptyView());
  });

  it("survives being copied through a browser's address bar", () => {
    const address = new URL(`http://host/explore?${written(full())}`);
    expect(read(new URL(address.href).search)).toEqual(full());
  });

  it("leaves out what cannot be read", () => {
    for (const bad of [
      "at=x,y,z",
      "at=1,95,3",
      "l=;;;",
      "l=c=%E0%A4",
      "p=g=nonsense",
      "vs=mode=swipe;a=q",
      "t=<script>",
      "panel=x",
    ]) {
      const view = read(bad);
      expect(view.layers.every((one) => one.collection)).toBe(true);
      expect(view.camera).toEqual(emptyView().camera);
      expect([view.probes, view.compare, view.time, view.panel]).toEqual([[], null, null, null]);
    }
  });
});
