/**
 * What one look at the Earth is: everything that an address of the portal restores. Plain data, no Svelte.
 * `address.ts` writes it into a query and reads it back.
 */
import type { Camera } from "../map/types";

/** One layer of the map, as chosen; what is null is as the tileset suggests. */
export interface LayerView {
  /** Short and unique within the view: a, b, c ... */
  id: string;
  collection: string;
  /** Name in the tileset; null: its first. Ignored where `rgb` is set. */
  variable: string | null;
  /** Three variables as red, green and blue. */
  rgb: [string, string, string] | null;
  /** Chosen places on axes other than time, by the axis' name: { number: "3", height: "2" }. */
  axes: Record<string, string>;
  /** A time of its own (ISO); null: the common time. */
  time: string | null;
  shown: boolean;
  opacity: number;
  /** Name of a palette, with _r the other way round. */
  palette: string | null;
  range: [number, number] | null;
  /** The unit that people read it in, as the page offers it; null: that of the data. `range` and `contour` are in the data's. */
  unit: string | null;
  classes: number;
  contour: number;
  smooth: boolean;
  /** Values outside are not drawn, in the data's unit. */
  mask: [number, number] | null;
  /** Of `rgb`: the values of no and of full light in each band; null: as suggested. */
  stretch: [[number, number], [number, number], [number, number]] | null;
  /** Of `rgb`: above 1 lightens what is dark. */
  gamma: number;
}

/** What stands against a layer. */
export interface CompareView {
  mode: "swipe" | "side" | "difference";
  /** The layer that is compared. */
  a: string;
  /** What it is compared with: another layer's look, with its own collection, time or axes. */
  b: LayerView;
  /** Where the swipe stands, 0 to 1. */
  at: number;
  /** Of the difference; null: symmetric around 0, found from what is seen. */
  range: [number, number] | null;
  /** B's time, so far from the common time; null: the same, or `b.time`. */
  shift: Shift | null;
}

/** A distance in time: -1 year, 3 steps. */
export interface Shift {
  count: number;
  unit: ShiftUnit;
}
export type ShiftUnit = "step" | "hour" | "day" | "month" | "year";

/** A block of one layer: longitude, latitude, and one more axis as depth. */
export interface CubeView {
  /** The layer. */
  layer: string;
  /** Name of the axis; null: time, or the first with several steps. */
  depth: string | null;
  /** West, south, east, north; null: all of the data. */
  bbox: [number, number, number, number] | null;
  mode: "corner" | "planes" | "whole";
  /** Where the three planes are, 0 to 1: from west, from south, from the first step. */
  cut: [number, number, number];
  /** Turned to the right and up, in degrees, and the distance of the eye (1 is usual). */
  orbit: [yaw: number, pitch: number, distance: number];
  /** Values outside are not drawn, in the data's unit. */
  keep: [number, number] | null;
}

/** Something probed: a place, a line or an area (GeoJSON geometry in degrees), or a named region. */
export interface ProbeView {
  id: string;
  label: string;
  geometry: GeoJSON.Point | GeoJSON.LineString | GeoJSON.Polygon | GeoJSON.MultiPolygon | null;
  /** As the server names regions: "France", "nuts:FR10". */
  region: string | null;
}

export type PanelName = "layers" | "probe" | "compare" | "cube" | "takeaway" | "share";

export interface View {
  camera: Camera;
  /** Common time of all layers, ISO; null: the latest of the first layer. */
  time: string | null;
  /** Between two steps of a layer, blend; else show the step at or before. */
  blend: boolean;
  /** From bottom to top. */
  layers: LayerView[];
  compare: CompareView | null;
  cube: CubeView | null;
  probes: ProbeView[];
  panel: PanelName | null;
  basemap: { land: boolean; borders: boolean; graticule: boolean; labels: boolean };
}

export const emptyView = (): View => ({
  camera: { lon: 10, lat: 25, zoom: 1.6, projection: "globe" },
  time: null,
  blend: true,
  layers: [],
  compare: null,
  cube: null,
  probes: [],
  panel: null,
  basemap: { land: true, borders: true, graticule: false, labels: true },
});

export const newLayer = (id: string, collection: string, variable: string | null = null): LayerView => ({
  id,
  collection,
  variable,
  rgb: null,
  axes: {},
  time: null,
  shown: true,
  opacity: 1,
  palette: null,
  range: null,
  unit: null,
  classes: 0,
  contour: 0,
  smooth: true,
  mask: null,
  stretch: null,
  gamma: 1,
});

export const newCube = (layer: string): CubeView => ({
  layer,
  depth: null,
  bbox: null,
  mode: "corner",
  cut: [0.5, 0.5, 0.5],
  orbit: [-32, 24, 1],
  keep: null,
});

/** The next id that is free: a to z, then aa. */
export function freeId(taken: readonly string[]): string {
  for (let n = 0; ; n++) {
    const id = (n >= 26 ? String.fromCharCode(96 + Math.floor(n / 26)) : "") + String.fromCharCode(97 + (n % 26));
    if (!taken.includes(id)) return id;
  }
}
