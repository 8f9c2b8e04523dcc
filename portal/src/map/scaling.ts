/** From the numbers of tiles to shares of a range, as float32 can carry them: no range is too narrow, too wide or empty. */
import type { Part } from "./fields";
import type { Style } from "./types";

/** Shaders see no number larger than this: colours end at the ends of the range anyhow. */
const MOST = 1e6;
const clamp = (value: number, least: number, most: number): number => Math.max(least, Math.min(most, value));
const tamed = (value: number, most = MOST): number => (Number.isNaN(value) ? 0 : clamp(value, -most, most));
/** The middle of all numbers. */
const HALF = 32768;
/** Addends are less than the largest factor: one number further a step is surely done. */
const MOST_ADDED = MOST / 2;

/** `(number - anchor) * factor + addend` is 0 at the first end of the range and 1 at the last. */
export interface Stretch {
  anchor: number;
  factor: number;
  addend: number;
}

/** What the shader needs to colour one variable, or the difference of two. */
export interface Coloring extends Stretch {
  /** The same of the second side, and the size of one of its numbers in those of the first. */
  other: { anchor: number; size: number };
  contour: { factor: number; addend: number };
  /** Numbers from the anchor on that are drawn. */
  limits: [number, number];
}

/** Of a value, as a share of a range: also of an empty one, which is a step. */
function share(value: number, [low, high]: readonly [number, number]): number {
  if (low === high) return value < low ? -MOST : value > low ? MOST : 0.5;
  // halves first: the width of a range may be more than float64 holds
  return (value / 2 - low / 2) / (high / 2 - low / 2);
}

/** Of a step's scale, as a share of a range. */
function factor(scale: number, [low, high]: readonly [number, number]): number {
  return low === high ? MOST : scale / 2 / (high / 2 - low / 2);
}

const anchored = (value: number, scale: number, offset: number): number => {
  const number = Math.round((value - offset) / scale);
  return Number.isNaN(number) ? 0 : clamp(number, 0, 65536);
};

export function stretch(scale: number, offset: number, range: readonly [number, number]): Stretch {
  const anchor = anchored(range[0], scale, offset);
  const addend = tamed(share(anchor * scale + offset, range), MOST_ADDED);
  return { anchor, factor: tamed(factor(scale, range)), addend };
}

export function coloring(parts: readonly Part[], { range, contour, mask }: Style): Coloring {
  const { scale, offset } = parts[0]!.steps[0];
  const second = parts[1]?.steps[0];
  const other = second ? { anchor: HALF, size: tamed(second.scale / scale) } : { anchor: 0, size: 0 };
  const minus = second ? other.anchor * second.scale + second.offset : 0;
  // the sum of numbers is 0 near the first end of the range, where float32 is finest
  const from = (range[0] - (HALF * scale + offset - minus)) / scale;
  const anchor = second ? HALF + tamed(Math.round(from)) : anchored(range[0], scale, offset);
  const middle = anchor * scale + offset - minus;
  const level = contour > 0 ? middle / contour : 0;
  // an end that is no number is open; a thousandth of a number is left to the rounding of float32
  const limit = (value: number | undefined, open: number): number =>
    value === undefined || Number.isNaN(value)
      ? open
      : clamp((value - middle) / scale + Math.sign(open) * 1e-3, -1e9, 1e9);
  return {
    anchor,
    other,
    factor: tamed(factor(scale, range)),
    addend: tamed(share(middle, range), MOST_ADDED),
    contour: { factor: contour > 0 ? tamed(scale / contour) : 0, addend: Number.isFinite(level) ? level % 1 : 0 },
    limits: [limit(mask && Math.min(...mask), -1e9), limit(mask && Math.max(...mask), 1e9)],
  };
}

/** A number as a value in the variable's own units; null: no data. */
export const valueOf = (number: number, { scale, offset }: { scale: number; offset: number }): number | null =>
  number === 0 ? null : number * scale + offset;
