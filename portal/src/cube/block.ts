/** A block of values: longitude, latitude and the steps of one more axis, as GET /tiles/{collection}/cube answers it. */
import { Failure } from "../api/http";
import type { TileVariable } from "../api/tilesets";
import { text } from "../text/en";

/** What stands at the beginning of a block. */
export interface Said {
  collection: string;
  version: string;
  variable: TileVariable;
  /** West, south, east, north in degrees; east beyond 180 where it crosses the antimeridian. */
  bbox: [number, number, number, number];
  width: number;
  height: number;
  steps: number;
  /** How many there are in all of it. */
  whole: { steps: number; height: number; width: number };
  depth: { name: string; kind: string; units: string; values: (string | number)[]; places: number[] };
  /** Where it stands on the other axes. */
  at: Record<string, string | number>;
  /** Where it was read from an overview. */
  overview?: { level: number; method: string };
}

/** What a block would be, and what reading it takes. */
export type Price = Said & { bytes_read: number; seconds: number };

export interface Block extends Said {
  /** Step by step, row by row from the north; 0 is no data. */
  numbers: Uint16Array<ArrayBuffer>;
  /** The least and the greatest number that is there; null where nothing is. */
  seen: [number, number] | null;
  /** Share of the numbers that are data. */
  filled: number;
}

/** A place in a block: column from the west, row from the north, step. */
export type Voxel = [column: number, row: number, step: number];

const isLittleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** A block as it comes: length of the description, the description, and rows as differences. Throws Failure. */
export function decoded(bytes: ArrayBuffer): Block {
  if (bytes.byteLength < 4) throw new Failure(text.cube.broken, 0);
  const view = new DataView(bytes);
  const start = 4 + view.getUint32(0, true);
  if (start > bytes.byteLength || start % 2) throw new Failure(text.cube.broken, 0);
  const said = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 4, start - 4))) as Said;
  const count = said.steps * said.height * said.width;
  if (bytes.byteLength - start !== 2 * count) throw new Failure(text.cube.broken, 0);
  const numbers = isLittleEndian
    ? new Uint16Array(bytes, start, count)
    : Uint16Array.from({ length: count }, (_, place) => view.getUint16(start + 2 * place, true));
  return { ...said, numbers, ...summed(numbers, said.width) };
}

/** Undoes the differences in place. */
function summed(numbers: Uint16Array, width: number): Pick<Block, "seen" | "filled"> {
  let [least, greatest, there] = [65536, 0, 0];
  for (let row = 0; row < numbers.length; row += width) {
    let sum = 0;
    for (let place = row; place < row + width; place++) {
      sum = (sum + numbers[place]!) & 0xffff;
      numbers[place] = sum;
      if (sum === 0) continue;
      there++;
      if (sum < least) least = sum;
      if (sum > greatest) greatest = sum;
    }
  }
  return { seen: there ? [least, greatest] : null, filled: there / Math.max(1, numbers.length) };
}

export const sidesOf = ({ width, height, steps }: Said): Voxel => [width, height, steps];

export const numberAt = ({ numbers, width, height }: Block, [column, row, step]: Voxel): number =>
  numbers[(step * height + row) * width + column] ?? 0;

/** Voxels along each side of a brick. */
export const BRICK = 8;

/** The least and the greatest number in each brick (65535 and 0 where nothing is): rays pass those without any at once. */
export function bricksOf(block: Block): { sides: Voxel; numbers: Uint16Array<ArrayBuffer> } {
  const { width, height, steps } = block;
  const sides: Voxel = [Math.ceil(width / BRICK), Math.ceil(height / BRICK), Math.ceil(steps / BRICK)];
  const numbers = new Uint16Array(2 * sides[0] * sides[1] * sides[2]);
  for (let brick = 0; brick < numbers.length; brick += 2) numbers[brick] = 65535;
  let place = 0;
  for (let step = 0; step < steps; step++)
    for (let row = 0; row < height; row++) {
      const first = (Math.floor(step / BRICK) * sides[1] + Math.floor(row / BRICK)) * sides[0];
      for (let column = 0; column < width; column++) {
        const number = block.numbers[place++]!;
        if (number === 0) continue;
        const brick = 2 * (first + (column >> 3));
        if (number < numbers[brick]!) numbers[brick] = number;
        if (number > numbers[brick + 1]!) numbers[brick + 1] = number;
      }
    }
  return { sides, numbers };
}

/** In the variable's units; null: no data. */
export function valueAt(block: Block, voxel: Voxel): number | null {
  const number = numberAt(block, voxel);
  return number === 0 ? null : number * block.variable.scale + block.variable.offset;
}

/** Longitude (-180 to 180) and latitude of the middle of a voxel. */
export function placeOf({ bbox, width, height }: Said, [column, row]: Voxel): [lon: number, lat: number] {
  const lon = bbox[0] + ((column + 0.5) * (bbox[2] - bbox[0])) / width;
  const lat = bbox[3] - ((row + 0.5) * (bbox[3] - bbox[1])) / height;
  return [((((lon + 180) % 360) + 360) % 360) - 180, lat];
}

/** The share of every side that was taken: 1 is all, 4 is every fourth. */
export function strides({ whole, steps, height, width }: Said): { steps: number; cells: number } {
  return { steps: whole.steps / steps, cells: Math.max(whole.height / height, whole.width / width) };
}

export const bytesOf = ({ steps, height, width }: Said): number => 2 * steps * height * width;
