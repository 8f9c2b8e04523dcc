/** From what a view says of a cube to what is drawn of a block. Pure. */
import { axesOf, isTime } from "../state/steps";
import { isoOf, positionOf, spoken, type Grain } from "../state/instants";
import type { Axis, Tileset, TileVariable } from "../api/tilesets";
import type { CubeView } from "../state/view";
import { sidesOf, type Block, type Said, type Voxel } from "./block";
import type { Orbit, Seen } from "./orbit";

/** Axes that may be a cube's depth: those with several places. */
export const depthsOf = (tileset: Tileset, variable: TileVariable): Axis[] =>
  axesOf(tileset, variable).filter((axis) => axis.count > 1);

/** The axis that is named, else time, else the first. */
export function depthFor(tileset: Tileset, variable: TileVariable, name: string | null): Axis | null {
  const all = depthsOf(tileset, variable);
  const axes = axesOf(tileset, variable);
  return all.find((one) => one.name === name) ?? all.find((one) => isTime(one, axes)) ?? all[0] ?? null;
}

const placed = (share: number, side: number): number => Math.max(0, Math.min(side - 1, Math.floor(share * side)));

/** The voxel in which the planes cross. */
export function cutOf({ cut }: CubeView, said: Said): Voxel {
  const [columns, rows, steps] = sidesOf(said);
  return [placed(cut[0], columns), rows - 1 - placed(cut[1], rows), placed(cut[2], steps)];
}

/** The share of a side in the middle of its voxel: from west, from south, from the first step. */
export function shareOf(voxel: Voxel, said: Said, d: 0 | 1 | 2): number {
  const sides = sidesOf(said);
  return ((d === 1 ? sides[1] - 1 - voxel[1] : voxel[d]) + 0.5) / sides[d];
}

export const orbitOf = ({ orbit: [yaw, pitch, distance] }: CubeView): Orbit => ({ yaw, pitch, distance });

/** Numbers whose values lie within limits. */
export function limitsOf(keep: readonly [number, number] | null, { scale, offset }: TileVariable): [number, number] {
  if (!keep) return [1, 65535];
  const [low, high] = keep[0] <= keep[1] ? keep : [keep[1], keep[0]];
  const number = (value: number): number => Math.max(0, Math.min(65536, (value - offset) / scale));
  return [Math.max(1, Math.ceil(number(low) - 1e-6)), Math.min(65535, Math.floor(number(high) + 1e-6))];
}

export const seenOf = (cube: CubeView, block: Block): Seen => ({
  mode: cube.mode,
  cut: cutOf(cube, block),
  limits: limitsOf(cube.keep, block.variable),
});

/** Share of a block's values that limits leave out. */
export function hiddenShare(block: Block, [low, high]: readonly [number, number]): number {
  let [hidden, there] = [0, 0];
  // a tenth of a large block says it as well
  const stride = Math.max(1, Math.floor(block.numbers.length / 200_000));
  for (let place = 0; place < block.numbers.length; place += stride) {
    const number = block.numbers[place]!;
    if (number === 0) continue;
    there++;
    if (number < low || number > high) hidden++;
  }
  return there ? hidden / there : 0;
}

/** The instant of a step where the depth is a time; null where it is none. */
export function instantOf({ depth, at }: Said, step: number): string | null {
  const value = depth.values[step];
  if (value === undefined) return null;
  if (depth.kind === "time" || depth.kind === "reference_time") return String(value);
  if (depth.kind !== "step" || at.reference_time === undefined) return null;
  return isoOf(positionOf(String(at.reference_time)) + Number(value) * 3_600_000);
}

/** A step as people say it. */
export function spokenStep(said: Said, step: number, grain: Grain): string {
  const instant = instantOf(said, step);
  if (instant !== null) return spoken(instant, grain);
  const { name, units, values } = said.depth;
  const unit = units && units !== "1" ? ` ${units}` : "";
  return unit ? `${values[step]}${unit}` : `${name} ${values[step]}`;
}
