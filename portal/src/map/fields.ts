/** Fields of a scene as the tiles that hold them. */
import { variableOf, type Tileset } from "../api/tilesets";
import { ancestorOf, meets, SIDE, spanOf, type Quad } from "./quads";
import type { Field, Layer } from "./types";

/** One variable at one place on its axes. */
export interface Step {
  tileset: Tileset;
  /** Address of a tile, with {tileMatrix}, {tileRow} and {tileCol} to fill in. */
  template: string;
  scale: number;
  offset: number;
  /** Finest zoom that has more to show. */
  finest: number;
}

/** A side of a difference, or a band: one step, or two that are blended. */
export interface Part {
  steps: [Step] | [Step, Step];
  mix: number;
}

const SET = "WorldCRS84Quad";

type Current = (tileset: Tileset) => Tileset;

function step(field: Field, at: Record<string, string>, current: Current): Step {
  const { variable } = field;
  const tileset = current(field.tileset);
  const { scale, offset } = variableOf(tileset, variable);
  const query = Object.entries(at)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, value]) => `&${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .join("");
  const template = tileset.tiles.values
    .replace("{tileMatrixSet}", SET)
    .replace("{variable}", encodeURIComponent(variable));
  return { tileset, template: template + query, scale, offset, finest: tileset.zooms[SET] ?? 0 };
}

function part(field: Field, current: Current): Part {
  const first = step(field, field.at, current);
  if (!field.then || !(field.then.mix > 0)) return { steps: [first], mix: 0 };
  const mix = Math.min(1, field.then.mix);
  if (mix === 1) return { steps: [step(field, field.then.at, current)], mix: 0 };
  return { steps: [first, step(field, field.then.at, current)], mix };
}

/**
 * What a layer is made of; none where it cannot be drawn: a variable that is not there, or has no numbers.
 * `current` gives a tileset's newer version where there is one.
 */
export function partsOf(layer: Layer, current: Current): Part[] {
  const fields =
    layer.kind === "rgb" ? layer.fields : layer.kind === "difference" ? [layer.field, layer.minus] : [layer.field];
  try {
    const parts = fields.map((field) => part(field, current));
    const areNumbers = parts.every(({ steps }) => steps.every(({ scale, offset }) => Number.isFinite(scale + offset)));
    return areNumbers ? parts : [];
  } catch {
    return [];
  }
}

export const stepsOf = (parts: readonly Part[]): Step[] => parts.flatMap(({ steps }) => steps);

export const addressOf = ({ template }: Step, quad: Quad): string =>
  template
    .replace("{tileMatrix}", String(quad.z))
    .replace("{tileRow}", String(quad.row))
    .replace("{tileCol}", String(quad.column));

/** The tile that shows a patch as finely as the data are; null beside the data. */
export function wantedOf(found: Step, patch: Quad): Quad | null {
  const quad = patch.z > found.finest ? ancestorOf(patch, found.finest) : patch;
  // smooth drawing reaches a cell of the tile over the box
  return meets(patch, found.tileset.bounds, spanOf(quad.z) / SIDE) ? quad : null;
}
