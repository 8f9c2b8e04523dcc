/** Both sides of what is compared, as they are drawn now. */
import { againstOf, type Drawn } from "../explore/scene";
import { board } from "../state/board.svelte";
import { portal } from "../state/portal.svelte";
import type { CompareView, LayerView } from "../state/view";
import { refusal } from "./panes";

export interface Sides {
  compare: CompareView;
  a: Drawn;
  b: Drawn;
  /** Why there is no difference of them. */
  refused: ReturnType<typeof refusal>;
}

/** Null while nothing is compared, or while one of them is not known yet. */
export function sides(): Sides | null {
  const { compare } = portal.view;
  if (!compare) return null;
  const a = board.drawnOf(compare.a);
  if (a?.minus) return { compare, a: plain(a), b: a.minus, refused: null };
  const b = board.drawnOf(`${compare.a}:b`) ?? againstOf(portal.view, board.known, board.clock, a);
  return a && b ? { compare, a, b, refused: refusal(a, b) } : null;
}

/** A as it is when nothing is taken from it. */
const plain = (a: Drawn): Drawn => ({ ...a, minus: null, unit: a.minus?.unit ?? a.unit });

/** A difference of two values of A, as `valueWithUnit` wants its layer. */
export const asDifference = ({ a, b }: Sides): Drawn => ({ ...a, minus: b, unit: { ...a.unit, offset: 0 } });

/** Counts up to have the colours of a difference fitted to what is seen. */
export const fitting = $state({ asked: 0 });

/** Begins to compare a layer. */
export function begin(a: string, b: LayerView, shift: CompareView["shift"] = null, mode?: CompareView["mode"]): void {
  const before = portal.view.compare;
  const layer = portal.view.layers.find((one) => one.id === a);
  if (layer) layer.shown = true;
  portal.view.compare = {
    mode: mode ?? before?.mode ?? "swipe",
    a,
    b: { ...b, id: "b" },
    at: before?.at ?? 0.5,
    range: null,
    shift,
  };
}

/** A becomes B and B becomes A. */
export function swap(): void {
  const { compare, layers } = portal.view;
  const index = layers.findIndex((one) => one.id === compare?.a);
  if (!compare || index < 0) return;
  const a = layers[index]!;
  const then = sides()?.b.shown?.iso;
  const { id, shown, opacity } = a;
  const turned = compare.shift && { ...compare.shift, count: -compare.shift.count };
  // what stays on the map keeps its place, and its look where B followed it
  const look = { palette: compare.b.palette ?? a.palette, classes: a.classes, contour: a.contour, smooth: a.smooth };
  layers[index] = { ...compare.b, ...look, id, shown, opacity };
  compare.b = { ...a, id: "b", palette: null, range: null, mask: null, unit: null };
  if (turned) {
    // both times stay what they are: the common time moves over to B's
    compare.shift = turned;
    if (then) portal.view.time = then;
  }
  compare.range = compare.range && [-compare.range[1], -compare.range[0]];
}

export function end(): void {
  portal.view.compare = null;
}
