import { describe, expect, it } from "vitest";
import { bricksOf, decoded, numberAt, placeOf, strides, valueAt, type Block, type Said, type Voxel } from "./block";
import {
  eyeOf,
  halvesOf,
  isLeft,
  met,
  openings,
  pixelOf,
  rayOf,
  toVoxels,
  turned,
  USUAL,
  type Seen,
  type Vector,
} from "./orbit";
import { common, homed, seenBox } from "./region";

const variable = {
  name: "t",
  title: "t",
  units: "K",
  axes: ["time"],
  scale: 0.5,
  offset: 100,
  exact: true,
  range: [0, 1] as [number, number],
  palette: "x",
};

function said(width: number, height: number, steps: number): Said {
  return {
    collection: "c",
    version: "1.a",
    variable,
    bbox: [170, -10, 190, 10],
    width,
    height,
    steps,
    whole: { steps: steps * 4, height, width: width * 2 },
    depth: { name: "time", kind: "time", units: "", values: [], places: [] },
    at: {},
  };
}

function bytes(description: Said, numbers: number[]): ArrayBuffer {
  let text = JSON.stringify({ ...description, note: "Köln" });
  const length = new TextEncoder().encode(text).length;
  text += " ".repeat((4 - (length % 4)) % 4);
  const head = new TextEncoder().encode(text);
  const made = new ArrayBuffer(4 + head.length + 2 * numbers.length);
  const view = new DataView(made);
  view.setUint32(0, head.length, true);
  new Uint8Array(made, 4).set(head);
  numbers.forEach((one, place) => {
    const before = place % description.width === 0 ? 0 : numbers[place - 1]!;
    view.setUint16(4 + head.length + 2 * place, (one - before + 65536) % 65536, true);
  });
  return made;
}

function block(width: number, height: number, steps: number, number: (voxel: Voxel) => number): Block {
  const numbers: number[] = [];
  for (let step = 0; step < steps; step++)
    for (let row = 0; row < height; row++)
      for (let column = 0; column < width; column++) numbers.push(number([column, row, step]));
  return decoded(bytes(said(width, height, steps), numbers));
}

describe("a block as it comes", () => {
  it("is what was sent", () => {
    const made = block(5, 3, 2, ([column, row, step]) =>
      column === 2 ? 0 : 65535 - column * 7 - row * 100 - step * 1000,
    );
    expect(numberAt(made, [4, 2, 1])).toBe(65535 - 28 - 200 - 1000);
    expect(valueAt(made, [0, 0, 0])).toBe(65535 * 0.5 + 100);
    expect(valueAt(made, [2, 1, 1])).toBeNull();
    expect(made.seen).toEqual([65535 - 28 - 200 - 1000, 65535]);
    expect(made.filled).toBeCloseTo(0.8);
    expect(strides(made)).toEqual({ steps: 4, cells: 2 });
  });

  it("knows what lies in each of its bricks", () => {
    const made = block(17, 9, 10, ([column, row, step]) => (step < 8 && column < 8 ? 0 : 1 + column + row + step));
    const { sides, numbers } = bricksOf(made);
    expect(sides).toEqual([3, 2, 2]);
    expect([...numbers.slice(0, 6)]).toEqual([65535, 0, 9, 30, 17, 31]);
    expect([...numbers.slice(-2)]).toEqual([1 + 16 + 8 + 8, 1 + 16 + 8 + 9]);
  });

  it("may hold nothing", () => {
    expect(block(2, 2, 2, () => 0).seen).toBeNull();
  });

  it("is refused when it is cut short", () => {
    const whole = bytes(said(2, 1, 1), [1, 2]);
    for (const length of [0, 3, 40, whole.byteLength - 2]) expect(() => decoded(whole.slice(0, length))).toThrow();
  });

  it("knows its places over the antimeridian", () => {
    expect(placeOf(said(20, 20, 2), [0, 0, 0])).toEqual([170.5, 9.5]);
    expect(placeOf(said(20, 20, 2), [19, 19, 0])).toEqual([-170.5, -9.5]);
  });
});

/** By brute force: the nearest crossing of the ray with any voxel that is drawn. */
function nearest(
  eye: ReturnType<typeof eyeOf>,
  ray: Vector,
  halves: Vector,
  sides: Voxel,
  seen: Seen,
  at: (voxel: Voxel) => number,
) {
  const { factor, addend } = toVoxels(halves, sides);
  let [best, found]: [number, Voxel | null] = [Infinity, null];
  for (let z = 0; z < sides[2]; z++)
    for (let y = 0; y < sides[1]; y++)
      for (let x = 0; x < sides[0]; x++) {
        const voxel: Voxel = [x, y, z];
        const number = at(voxel);
        if (!isLeft(seen, openings(eye), voxel) || number === 0 || number < seen.limits[0] || number > seen.limits[1])
          continue;
        let [near, far] = [0, Infinity];
        for (let d = 0; d < 3; d++) {
          const [from, pace] = [eye.from[d]! * factor[d]! + addend[d]!, ray[d]! * factor[d]!];
          const [one, other] = [(voxel[d]! - from) / pace, (voxel[d]! + 1 - from) / pace];
          near = Math.max(near, Math.min(one, other));
          far = Math.min(far, Math.max(one, other));
        }
        if (near < far - 1e-9 && near < best - 1e-12) [best, found] = [near, voxel];
      }
  return found;
}

describe("a ray through a block", () => {
  const sides: Voxel = [6, 5, 7];
  const at = ([x, y, z]: Voxel): number =>
    (x * 31 + y * 17 + z * 7) % 5 === 0 ? 0 : ((x * 13 + y * 29 + z * 3) % 50) + 1;

  it("meets what is nearest, however it is turned and cut", () => {
    let hits = 0;
    for (const [yaw, pitch] of [
      [0, 0.1],
      [-32, 24],
      [130, -40],
      [75, 80],
      [-179, 5],
    ] as const)
      for (const mode of ["whole", "corner", "planes"] as const) {
        const eye = eyeOf({ yaw, pitch, distance: 1 });
        const halves = halvesOf([0, -20, 40, 20]);
        const seen: Seen = { mode, cut: [2, 2, 3], limits: [5, 45] };
        for (let k = 0; k < 60; k++) {
          const ray = rayOf(eye, 60 + ((k * 37) % 280), 40 + ((k * 53) % 320), 400, 400);
          const found = met(eye, ray, halves, sides, seen, at);
          expect(found).toEqual(nearest(eye, ray, halves, sides, seen, at));
          hits += found ? 1 : 0;
        }
      }
    expect(hits).toBeGreaterThan(200);
  });

  it("goes through the pixel that a place lies on", () => {
    const eye = eyeOf(USUAL);
    const place: Vector = [0.3, -0.2, 0.4];
    const [x, y] = pixelOf(eye, place, 640, 360);
    const ray = rayOf(eye, x, y, 640, 360);
    const length = (place[2] - eye.from[2]) / ray[2];
    for (let d = 0; d < 3; d++) expect(eye.from[d]! + ray[d]! * length).toBeCloseTo(place[d]!, 9);
  });

  it("shows the front face from the front: the last step, east at the right, north above", () => {
    const eye = eyeOf({ yaw: 0, pitch: 0, distance: 1 });
    const seen: Seen = { mode: "whole", cut: [0, 0, 0], limits: [1, 65535] };
    const halves = halvesOf([0, -20, 40, 20]);
    const [x, y] = pixelOf(eye, [halves[0] * 0.95, halves[1] * 0.95, halves[2]], 300, 300);
    expect(x).toBeGreaterThan(150);
    expect(y).toBeLessThan(150);
    expect(met(eye, rayOf(eye, x, y, 300, 300), halves, sides, seen, () => 1)).toEqual([5, 0, 6]);
    expect(met(eye, rayOf(eye, 1, 1, 300, 300), halves, sides, seen, () => 1)).toBeNull();
  });

  it("never turns over", () => {
    expect(turned(USUAL, 400, 500)).toEqual({ yaw: 8, pitch: 89, distance: 1 });
  });
});

describe("what the map shows", () => {
  it("is a box around the middle", () => {
    const box = seenBox({ lon: 179, lat: 10, zoom: 5, projection: "flat" }, 800, 400)!;
    expect(box[0]).toBeLessThan(179);
    expect(box[2]).toBeGreaterThan(180);
    expect((box[0] + box[2]) / 2).toBeCloseTo(179, 0);
  });

  it("goes all around where a pole is seen", () => {
    expect(seenBox({ lon: 20, lat: 88, zoom: 3, projection: "globe" }, 800, 800)!.slice(0, 1)).toEqual([-180]);
    expect(seenBox({ lon: 20, lat: 88, zoom: 3, projection: "globe" }, 800, 800)![3]).toBe(90);
  });

  it("has a part in common with the data, or none", () => {
    expect(common([170, -10, 200, 10], [-180, -90, 180, 90])).toEqual([170, -10, 200, 10]);
    expect(common([170, -10, 200, 10], [-175, -5, -160, 30])).toEqual([-175, -5, -160, 10].map((one) => one));
    expect(common([0, 0, 10, 10], [20, 0, 30, 10])).toBeNull();
    expect(homed([190, 0, 200, 1])).toEqual([-170, 0, -160, 1]);
  });
});
