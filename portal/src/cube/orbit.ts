/**
 * How a block is looked at, and what a ray through it meets. Pure; the shader does the same for every pixel.
 *
 * The block is a box around the origin: x to the east, y to the north, z towards the viewer, where the last step is.
 * Inside it places are given in voxels: column, row from the north, step.
 */
import type { Voxel } from "./block";

export type Vector = [number, number, number];

export interface Orbit {
  /** Turned to the right around the vertical, and up, in degrees. */
  yaw: number;
  pitch: number;
  /** Of the usual distance; smaller is nearer. */
  distance: number;
}

export const USUAL: Orbit = { yaw: -32, pitch: 24, distance: 1 };
const DEGREE = Math.PI / 180;
/** Tangent of half the angle of view, along the shorter side of the canvas. */
const REACH = Math.tan(14 * DEGREE);
const FAR = 4.2;
/** Of the ball in which a block turns: it fills the picture at the usual distance. */
const RADIUS = 0.96;

export const turned = (orbit: Orbit, yaw: number, pitch: number): Orbit => ({
  ...orbit,
  yaw: ((((orbit.yaw + yaw + 180) % 360) + 360) % 360) - 180,
  pitch: Math.max(-89, Math.min(89, orbit.pitch + pitch)),
});

export const nearer = (orbit: Orbit, factor: number): Orbit => ({
  ...orbit,
  distance: Math.max(0.25, Math.min(2.5, orbit.distance * factor)),
});

/** Half the sides of the box: degrees as they are in its middle, but no side less than a quarter of the longest. */
export function halvesOf(bbox: readonly number[]): Vector {
  const middle = ((bbox[1]! + bbox[3]!) / 2) * DEGREE;
  const across = Math.max((bbox[2]! - bbox[0]!) * Math.cos(middle), 1e-9);
  const up = Math.max(bbox[3]! - bbox[1]!, 1e-9);
  const most = Math.max(across, up);
  const sides: Vector = [Math.max(0.25, across / most), Math.max(0.25, up / most), 0.8];
  // as large as can be turned in the picture
  const size = RADIUS / Math.hypot(...sides);
  return sides.map((one) => one * size) as Vector;
}

/** Where the eye is, and the directions of the picture's right, up and depth. */
export interface Eye {
  from: Vector;
  right: Vector;
  up: Vector;
  into: Vector;
}

export function eyeOf({ yaw, pitch, distance }: Orbit): Eye {
  const [sy, cy, sp, cp] = [
    Math.sin(yaw * DEGREE),
    Math.cos(yaw * DEGREE),
    Math.sin(pitch * DEGREE),
    Math.cos(pitch * DEGREE),
  ];
  // a block turned to the right is seen from the left
  const out: Vector = [-sy * cp, sp, cy * cp];
  const from = out.map((one) => one * FAR * distance) as Vector;
  return { from, right: [cy, 0, sy], up: [sy * sp, cp, -cy * sp], into: [-out[0], -out[1], -out[2]] };
}

/** Direction of the ray through a pixel, from the canvas' upper left. */
export function rayOf(eye: Eye, x: number, y: number, width: number, height: number): Vector {
  const size = Math.min(width, height) / 2;
  const across = ((x - width / 2) / size) * REACH;
  const up = ((height / 2 - y) / size) * REACH;
  return [0, 1, 2].map((d) => eye.into[d]! + across * eye.right[d]! + up * eye.up[d]!) as Vector;
}

/** Where a place of the box lies on the canvas. */
export function pixelOf(eye: Eye, place: Vector, width: number, height: number): [x: number, y: number] {
  const away = place.map((one, d) => one - eye.from[d]!) as Vector;
  const dot = (one: Vector): number => one[0] * away[0] + one[1] * away[1] + one[2] * away[2];
  const size = Math.min(width, height) / 2 / REACH / Math.max(1e-6, dot(eye.into));
  return [width / 2 + dot(eye.right) * size, height / 2 - dot(eye.up) * size];
}

export type CutMode = "corner" | "planes" | "whole";

/** What of a block is to be seen. */
export interface Seen {
  mode: CutMode;
  /** The voxel whose three planes are the cuts. */
  cut: Voxel;
  /** Numbers that are drawn, both included. */
  limits: [number, number];
}

/** Of each side, whether what lies beyond the cut is taken away: towards the viewer. */
export function openings(eye: Eye): [east: boolean, south: boolean, later: boolean] {
  return [eye.from[0] > 0, eye.from[1] < 0, eye.from[2] > 0];
}

/** From places of the box to voxels, as a factor and an addend of each coordinate. */
export function toVoxels(halves: Vector, sides: Voxel): { factor: Vector; addend: Vector } {
  const signs = [1, -1, 1] as const;
  return {
    factor: halves.map((half, d) => (signs[d]! * sides[d]!) / (2 * half)) as Vector,
    addend: sides.map((side) => side / 2) as Vector,
  };
}

/** Whether the cut leaves a voxel. */
export function isLeft({ mode, cut }: Seen, open: readonly boolean[], voxel: Voxel): boolean {
  if (mode === "whole") return true;
  if (mode === "planes") return voxel.some((one, d) => one === cut[d]);
  return !voxel.every((one, d) => (open[d] ? one > cut[d]! : one < cut[d]!));
}

/** The first voxel that a ray meets and that is drawn; null for none. */
export function met(
  eye: Eye,
  ray: Vector,
  halves: Vector,
  sides: Voxel,
  seen: Seen,
  numberAt: (voxel: Voxel) => number,
): Voxel | null {
  const { factor, addend } = toVoxels(halves, sides);
  const from = eye.from.map((one, d) => one * factor[d]! + addend[d]!) as Vector;
  const step = ray.map((one, d) => one * factor[d]! || 1e-12) as Vector;
  const [near, far] = crossing(from, step, sides);
  if (near >= far) return null;
  const open = openings(eye);
  const start = near + 1e-9 * Math.abs(near);
  const voxel = from.map((one, d) => clamped(Math.floor(one + step[d]! * start), sides[d]!)) as Voxel;
  const signs = step.map(Math.sign) as Vector;
  const next = voxel.map((one, d) => (one + (signs[d]! > 0 ? 1 : 0) - from[d]!) / step[d]!) as Vector;
  const length = sides[0] + sides[1] + sides[2];
  for (let count = 0; count <= length; count++) {
    if (isLeft(seen, open, voxel)) {
      const number = numberAt(voxel);
      if (number >= seen.limits[0] && number <= seen.limits[1] && number > 0) return voxel;
    }
    const d = next[0] < next[1] ? (next[0] < next[2] ? 0 : 2) : next[1] < next[2] ? 1 : 2;
    voxel[d] += signs[d]!;
    if (voxel[d] < 0 || voxel[d] >= sides[d]!) return null;
    next[d] += Math.abs(1 / step[d]!);
  }
  return null;
}

const clamped = (one: number, side: number): number => Math.max(0, Math.min(side - 1, one));

/** Where a ray enters and leaves a box from 0 to its sides. */
function crossing(from: Vector, step: Vector, sides: Voxel): [near: number, far: number] {
  let [near, far] = [0, Infinity];
  for (let d = 0; d < 3; d++) {
    const [one, other] = [-from[d]! / step[d]!, (sides[d]! - from[d]!) / step[d]!];
    near = Math.max(near, Math.min(one, other));
    far = Math.min(far, Math.max(one, other));
  }
  return [near, far];
}

/** The twelve edges of a box from one voxel corner to another, as pairs of places of the block's box. */
export function edgesOf(halves: Vector, sides: Voxel, low: Vector, high: Vector): [Vector, Vector][] {
  const { factor, addend } = toVoxels(halves, sides);
  const corner = (bits: number): Vector =>
    [0, 1, 2].map((d) => ((bits >> d) & 1 ? high[d]! : low[d]!) / factor[d]! - addend[d]! / factor[d]!) as Vector;
  const edges: [Vector, Vector][] = [];
  for (let bits = 0; bits < 8; bits++)
    for (let d = 0; d < 3; d++) if (!((bits >> d) & 1)) edges.push([corner(bits), corner(bits | (1 << d))]);
  return edges;
}
