/**
 * The vocabulary of the map. A page says *what* is to be seen (a Scene); MapView finds out what changed.
 * Nothing here knows of Svelte, of URLs of pages, or of the server's catalogue.
 */
import type { GeoProjection } from "d3-geo";
import type { Tileset } from "../api/tilesets";

/** Degrees east and north, in this order. */
export type LonLat = [lon: number, lat: number];

export type ProjectionName = "globe" | "flat" | "mercator" | "equalearth" | "north" | "south";

/**
 * What is in the middle, and how large: at zoom z a degree is 256 * 2^z / 180 CSS pixels, in the middle of the globe, on the
 * equator of flat maps (of Equal Earth about that), at the pole of polar ones.
 */
export interface Camera {
  lon: number;
  lat: number;
  zoom: number;
  projection: ProjectionName;
}

/** One field of a collection: a variable at one place on each of its axes, or between two times. */
export interface Field {
  tileset: Tileset;
  variable: string;
  /** Query parameters that choose the place on the axes: datetime, z, number, ... */
  at: Record<string, string>;
  /** The field that is blended in, and by how much (0 to 1): between two times. */
  then?: { at: Record<string, string>; mix: number };
}

/** How values become colours; all of it changes without a request. */
export interface Style {
  /** 256 colours, RGB, 768 bytes. */
  colors: Uint8Array;
  /** Values, in the variable's own units, of the first and the last colour. May be reversed, or equal. */
  range: [number, number];
  opacity: number;
  /** Discrete steps instead of a continuous ramp; 0: continuous. */
  classes: number;
  /** Distance of contour lines in the variable's own units; 0: none. */
  contour: number;
  /** Between cell centres bilinear, or each pixel the nearest cell. */
  smooth: boolean;
  /** Values outside are not drawn, in the variable's own units. */
  mask?: [number, number];
}

export type Layer = { key: string } & (
  | { kind: "field"; field: Field; style: Style }
  /** `field` minus `minus`, drawn where both have values; `range` is of the difference. */
  | { kind: "difference"; field: Field; minus: Field; style: Style }
  /** Red, green and blue, each stretched from its range. */
  | {
      kind: "rgb";
      fields: [Field, Field, Field];
      ranges: [[number, number], [number, number], [number, number]];
      opacity: number;
      gamma: number;
    }
);

/** One picture of the Earth. `clip` is the part of the pane's width in which it shows (swipe). */
export interface Pane {
  layers: Layer[];
  clip?: [left: number, right: number];
}

export interface Scene {
  camera: Camera;
  /** side: panes beside each other, same camera; swipe: on top of each other, each within its clip. One pane: the same. */
  arrangement: "side" | "swipe";
  panes: Pane[];
  basemap: { land: boolean; borders: boolean; graticule: boolean; labels: boolean };
}

/** Something drawn over the map, in degrees. */
export interface Sketch {
  key: string;
  geometry: GeoJSON.Geometry;
  color: string;
  label?: string;
  /** Vertices may be dragged and moved by keys. */
  editable?: boolean;
}

/** A value read from the tiles that are drawn. */
export interface Reading {
  key: string;
  pane: number;
  /** Null: no data there. Undefined: not loaded yet, or out of sight. In the variable's own units; of three bands the first. */
  value: number | null | undefined;
  /** What the value is made of: the steps that are blended, of a difference both sides, the bands. */
  parts: (number | null | undefined)[];
}

export interface MapEvents {
  /** The user moved the camera (it is already drawn). */
  camera: Camera;
  /** The pointer or the keyboard's cross-hair is over a place, or over none. */
  point: { at: LonLat; pane: number; x: number; y: number } | null;
  /** A place was clicked, or Enter pressed. */
  pick: { at: LonLat; pane: number };
  /** Tiles that are asked for and not here yet, over all layers; those that failed, with why. */
  load: { pending: number; failed: number; message: string | null };
  /** The data of a collection have a new version; what is drawn is of it already. */
  stale: { collection: string; tileset: Tileset };
  /** A sketch was drawn, or an editable one changed. */
  sketch: { key: string; geometry: GeoJSON.Geometry };
  /** How far the drawing of a shape has come: by which tool (none: it is done or left), and whether it could be finished. */
  drawing: { tool: "point" | "line" | "polygon" | "box" | null; vertices: number; enough: boolean };
  /** Something to be told to who does not see the map. */
  say: string;
  /** WebGL2 is missing, or its context is lost (true) and found again (false). */
  lost: boolean;
}

/** All that drawing one pane needs. Sizes in CSS pixels; the context is already scaled by pixelRatio. */
export interface Frame {
  projection: GeoProjection;
  camera: Camera;
  width: number;
  height: number;
  pixelRatio: number;
  /** The camera is on its way: quick rather than fine. */
  moving: boolean;
  basemap: Scene["basemap"];
  dark: boolean;
}
