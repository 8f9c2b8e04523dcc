/** Where panes lie in the map, and what each is drawn of. */
import type { GeoProjection } from "d3-geo";
import { patchOf, patchesOf, type Patch } from "./choosing";
import type { View } from "./meshes";
import { projectionFor } from "./projection";
import { keyOf, type Quad } from "./quads";
import type { Camera, Pane, Scene } from "./types";

/** CSS pixels from the upper left corner of the map. */
export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** A camera in a pane of some size: its tiles, and their meshes as far as they were needed. */
export class Sight {
  readonly view: View;
  readonly projection: GeoProjection;
  readonly patches: Patch[];
  readonly #others = new Map<string, Patch>();

  constructor(camera: Camera, width: number, height: number, coarseness: number) {
    this.view = { camera, width, height };
    this.projection = projectionFor(camera, width, height);
    this.patches = patchesOf(this.view, coarseness);
  }

  /** Another tile, finer than those chosen. */
  patch(quad: Quad): Patch {
    const key = keyOf(quad);
    let found = this.#others.get(key);
    if (!found) this.#others.set(key, (found = patchOf(this.view, quad)));
    return found;
  }
}

export interface Place {
  pane: Pane;
  box: Box;
  /** The part of the box in which it is seen. */
  clip: Box;
}

/** Beside each other (above each other in a high map), or on top of each other within their clips. */
export function placesOf(scene: Scene, width: number, height: number): Place[] {
  const count = scene.panes.length;
  if (scene.arrangement === "swipe" || count < 2) {
    const box = { left: 0, top: 0, width, height };
    return scene.panes.map((pane) => ({ pane, box, clip: clipped(box, pane.clip) }));
  }
  return scene.panes.map((pane, at) => {
    const [from, to] = [at / count, (at + 1) / count];
    const box =
      width >= height
        ? { left: Math.round(from * width), top: 0, width: Math.floor(width / count), height }
        : { left: 0, top: Math.round(from * height), width, height: Math.floor(height / count) };
    // the last takes what rounding left
    if (to === 1 && width >= height) box.left = width - box.width;
    if (to === 1 && width < height) box.top = height - box.height;
    return { pane, box, clip: box };
  });
}

function clipped(box: Box, clip: Pane["clip"]): Box {
  if (!clip) return box;
  const [left, right] = [Math.max(0, Math.min(...clip)), Math.min(1, Math.max(...clip))];
  return { ...box, left: left * box.width, width: Math.max(0, right - left) * box.width };
}

export const isWithin = ({ left, top, width, height }: Box, x: number, y: number): boolean =>
  x >= left && x < left + width && y >= top && y < top + height;
