/** Drawing shapes on the map and changing them, by mouse, touch and keys. It takes gestures before the map does. */
import { text } from "../text/en";
import type { PaneAt, Taker } from "./gestures";
import { placeAt } from "./projection";
import { geometryOf, holds, LEAST, middles, moved, shapeOf, turn, type Shape, type Tool } from "./shapes";
import { drawMarks, drawShapes, pixel, type Drawing } from "./sketchInk";
import type { Frame, LonLat, Sketch } from "./types";

export type { Tool } from "./shapes";

export interface SketchHost {
  projectionAt(x: number, y: number): PaneAt;
  /** Something looks different: draw again. */
  changed(): void;
  /** A shape was finished (a key of its own), or an editable one changed. */
  sketch(key: string, geometry: GeoJSON.Geometry): void;
  /** The tool, how many vertices there are, and whether they are enough to finish. */
  progress?(state: Progress): void;
  /** For screen readers. */
  say?(message: string): void;
}

export interface Progress {
  tool: Tool | null;
  vertices: number;
  enough: boolean;
}

/** One vertex of one sketch. */
interface Held {
  key: string;
  index: number;
  shape: Shape;
  /** As it was, should the drag be broken off. */
  before: Shape;
  changed: boolean;
}

const REACH = { mouse: 9, touch: 22 } as const;
/** A box drawn by less than this is a click on its first corner. */
const CLICK = 6;
const MOST_MIDDLES = 60;
const NUDGE = { coarse: 8, fine: 1 } as const;
const REST = 350;
let drawn = 0;

export class Sketching implements Taker {
  #tool: Tool | null = null;
  #vertices: LonLat[] = [];
  #over: LonLat | null = null;
  #pressed: { x: number; y: number } | null = null;
  #sketches: Sketch[] = [];
  #held: Held | null = null;
  #selected: { key: string; index: number } | null = null;
  /** Changed here, and not yet come back from the page. */
  #changed = new Map<string, GeoJSON.Geometry>();
  #isTouch = false;
  #rest: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly host: SketchHost) {}

  get tool(): Tool | null {
    return this.#tool;
  }

  /** Begins a shape; null leaves what was begun. */
  set tool(tool: Tool | null) {
    if (tool === this.#tool) return;
    this.#tool = tool;
    this.#vertices = [];
    this.#over = this.#pressed = this.#selected = null;
    if (tool) this.host.say?.(text.map.sketch.begin[tool]);
    this.#tell();
  }

  set(sketches: Sketch[]): void {
    this.#sketches = sketches;
    this.#changed.clear();
    if (this.#held && !this.#sketch(this.#held.key)) this.#held = null;
    if (this.#selected && !this.#sketch(this.#selected.key)) this.#selected = null;
    this.host.changed();
  }

  /** Ends the shape that is drawn. False: it has too few vertices yet. */
  finish(): boolean {
    const tool = this.#tool;
    const geometry = tool && geometryOf({ tool, vertices: this.#vertices });
    if (!tool || !geometry) {
      if (tool) this.host.say?.(text.map.sketch.more(LEAST[tool] - this.#vertices.length));
      return false;
    }
    this.tool = null;
    this.host.say?.(text.map.sketch.done);
    this.host.sketch(`sketch-${++drawn}`, geometry);
    return true;
  }

  /** Takes back the last vertex. */
  undo(): void {
    this.#vertices = this.#vertices.slice(0, -1);
    this.#tell();
  }

  /** Leaves the shape, then the tool. */
  cancel(): void {
    if (!this.#vertices.length) this.tool = null;
    this.#vertices = [];
    this.#pressed = null;
    this.#tell();
  }

  // --- what is seen ---------------------------------------------------------------------------------------------------

  draw(ctx: CanvasRenderingContext2D, frame: Frame): void {
    drawShapes(
      ctx,
      frame,
      this.#sketches.map((one) => ({ ...one, geometry: this.#geometryOf(one) })),
    );
    for (const one of this.#sketches) {
      const shape = one.editable && !this.#tool && one.geometry.type !== "Point" ? this.#shapeOf(one) : null;
      if (!shape) continue;
      const between = middles(shape);
      const selected = this.#selected?.key === one.key ? this.#selected.index : -1;
      drawMarks(ctx, frame, {
        vertices: holds(shape),
        middles: between.length > MOST_MIDDLES ? [] : between,
        selected,
        color: one.color,
      });
    }
    this.#drawOpen(ctx, frame);
  }

  #drawOpen(ctx: CanvasRenderingContext2D, frame: Frame): void {
    if (!this.#tool || !this.#vertices.length) return;
    const color = frame.dark ? "#6db8ff" : "#0b5cad";
    const vertices = this.#over ? [...this.#vertices, this.#over] : this.#vertices;
    const shape = { tool: this.#tool, vertices };
    const geometry = geometryOf(shape) ?? geometryOf({ tool: "line", vertices });
    const drawing: Drawing | null = geometry && { geometry, color, isOpen: true };
    if (drawing) drawShapes(ctx, frame, [drawing]);
    drawMarks(ctx, frame, { vertices: this.#vertices, middles: [], selected: -1, color });
  }

  #geometryOf(sketch: Sketch): GeoJSON.Geometry {
    if (this.#held?.key === sketch.key) return geometryOf(this.#held.shape) ?? sketch.geometry;
    return this.#changed.get(sketch.key) ?? sketch.geometry;
  }

  #shapeOf(sketch: Sketch): Shape | null {
    return this.#held?.key === sketch.key ? this.#held.shape : shapeOf(this.#geometryOf(sketch));
  }

  #sketch(key: string): Sketch | undefined {
    return this.#sketches.find((one) => one.key === key);
  }

  #tell(): void {
    const enough = this.#tool !== null && geometryOf({ tool: this.#tool, vertices: this.#vertices }) !== null;
    this.host.progress?.({ tool: this.#tool, vertices: this.#vertices.length, enough });
    this.host.changed();
  }

  // --- pointers -------------------------------------------------------------------------------------------------------

  grab(x: number, y: number, touch: boolean): boolean {
    this.#isTouch = touch;
    if (this.#tool === "box") return this.#press(x, y);
    if (this.#tool) return false;
    const held = this.#at(x, y);
    if (!held) {
      if (this.#selected) this.host.changed();
      this.#selected = null;
      return false;
    }
    this.#held = held;
    this.#selected = { key: held.key, index: held.index };
    this.host.changed();
    return true;
  }

  drag(x: number, y: number): void {
    const place = this.#place(x, y);
    if (!place) return;
    if (this.#pressed) {
      if (Math.hypot(x - this.#pressed.x, y - this.#pressed.y) > CLICK) this.#reach(place);
    } else if (this.#held) {
      this.#held.shape = moved(this.#held.shape, this.#held.index, place);
      this.#held.changed = true;
    }
    this.host.changed();
  }

  drop(x: number, y: number): void {
    const [pressed, held] = [this.#pressed, this.#held];
    this.#pressed = this.#held = null;
    if (pressed) this.#corner(Math.hypot(x - pressed.x, y - pressed.y) > CLICK, this.#place(x, y));
    else if (held?.changed) this.#emit(held.key, held.shape);
  }

  release(): void {
    if (this.#pressed) this.#vertices = [];
    this.#pressed = this.#held = null;
    this.#over = null;
    this.#tell();
  }

  click(x: number, y: number, again: boolean): boolean {
    if (!this.#tool) return false;
    // the first of the two clicks has put the vertex
    if (again) this.finish();
    else this.#put(x, y);
    return true;
  }

  hover(x: number | null, y: number | null): string | null {
    if (!this.#tool) return x === null || y === null || !this.#at(x, y) ? null : "move";
    const place = x === null || y === null ? null : this.#place(x, y);
    if (this.#tool === "box" && place) this.#reach(place);
    else this.#over = place;
    if (this.#vertices.length) this.host.changed();
    return "crosshair";
  }

  #place(x: number, y: number): LonLat | null {
    const { projection, left, top } = this.host.projectionAt(x, y);
    return placeAt(projection, x - left, y - top);
  }

  #isNear(place: LonLat | undefined, x: number, y: number): boolean {
    const { projection, left, top } = this.host.projectionAt(x, y);
    const at = place && pixel(projection, place);
    return !!at && Math.hypot(at[0] + left - x, at[1] + top - y) <= REACH[this.#isTouch ? "touch" : "mouse"];
  }

  /** The vertex under a pixel; in the middle of an edge a new one. */
  #at(x: number, y: number): Held | null {
    for (const sketch of [...this.#sketches].reverse()) {
      const shape = sketch.editable ? this.#shapeOf(sketch) : null;
      if (!shape) continue;
      const index = holds(shape).findIndex((place) => this.#isNear(place, x, y));
      if (index >= 0) return { key: sketch.key, index, shape, before: shape, changed: false };
      const between = middles(shape);
      const edge = between.length > MOST_MIDDLES ? -1 : between.findIndex((place) => this.#isNear(place, x, y));
      if (edge < 0) continue;
      const grown = { ...shape, vertices: shape.vertices.toSpliced(edge + 1, 0, between[edge]!) };
      return { key: sketch.key, index: edge + 1, shape: grown, before: shape, changed: false };
    }
    return null;
  }

  #put(x: number, y: number): void {
    const place = this.#place(x, y);
    if (!place) return;
    const [first, last] = [this.#vertices[0], this.#vertices.at(-1)];
    const ends =
      this.#tool === "polygon"
        ? this.#vertices.length > 2 && this.#isNear(first, x, y)
        : this.#vertices.length > 1 && this.#isNear(last, x, y);
    if (ends) return void this.finish();
    if (this.#isTouch) this.#over = null;
    this.#add(place);
  }

  #add(place: LonLat): void {
    this.#vertices = [...this.#vertices, place];
    if (this.#tool === "point" || (this.#tool === "box" && this.#vertices.length === 2)) return void this.finish();
    this.host.say?.(text.map.sketch.vertex(this.#vertices.length));
    this.#tell();
  }

  // --- boxes ----------------------------------------------------------------------------------------------------------

  #press(x: number, y: number): boolean {
    const place = this.#place(x, y);
    if (!place) return false;
    this.#pressed = { x, y };
    if (!this.#vertices.length) this.#vertices = [place];
    return true;
  }

  /** The corner that follows the pointer: longitudes go on, so that a box may be wider than half of the Earth. */
  #reach(place: LonLat): void {
    const first = this.#vertices[0];
    if (!first) return;
    const before = this.#over ?? first;
    const lon = before[0] + turn(before[0], place[0]);
    this.#over = [Math.max(first[0] - 360, Math.min(first[0] + 360, lon)), place[1]];
  }

  #corner(dragged: boolean, place: LonLat | null): void {
    const wasSecond = this.#over !== null;
    if (place) this.#reach(place);
    const over = this.#over;
    if (!dragged && !wasSecond) {
      this.#over = null;
      return this.#tell();
    }
    this.#over = null;
    if (over) this.#add(over);
    if (this.#tool !== "box") return;
    // without extent there is no box
    this.#vertices = this.#vertices.slice(0, 1);
    this.#tell();
  }

  // --- keys -----------------------------------------------------------------------------------------------------------

  key(event: KeyboardEvent, crosshair: [x: number, y: number] | null): boolean {
    return this.#tool ? this.#draws(event.key, crosshair) : this.#edits(event);
  }

  #draws(key: string, crosshair: [x: number, y: number] | null): boolean {
    if (key === "Escape") this.cancel();
    else if (key === "Backspace" || key === "Delete") this.undo();
    else if (key === "Enter" || key === " ") {
      if (!crosshair) return key === "Enter" && this.#vertices.length > 0 ? (this.finish(), true) : false;
      this.#isTouch = false;
      const last = this.#vertices.at(-1);
      if (key === "Enter" && this.#tool !== "box" && last && this.#isNear(last, ...crosshair)) this.finish();
      else this.#keyed(crosshair);
    } else return false;
    return true;
  }

  #keyed(crosshair: [x: number, y: number]): void {
    const place = this.#place(...crosshair);
    if (!place) return;
    if (this.#tool === "box" && this.#vertices.length) this.#corner(true, place);
    else this.#put(...crosshair);
  }

  #edits(event: KeyboardEvent): boolean {
    if (event.key === "Tab") return this.#next(event.shiftKey ? -1 : 1);
    const selected = this.#selected;
    const sketch = selected && this.#sketch(selected.key);
    const shape = sketch?.editable ? this.#shapeOf(sketch) : null;
    if (!selected || !shape) return false;
    const steps: Record<string, [number, number]> = {
      ArrowLeft: [-1, 0],
      ArrowRight: [1, 0],
      ArrowUp: [0, -1],
      ArrowDown: [0, 1],
    };
    const step = steps[event.key];
    if (step) this.#nudge(selected, shape, step, event.shiftKey ? NUDGE.fine : NUDGE.coarse);
    else if (event.key === "Delete" || event.key === "Backspace") this.#remove(selected, shape);
    else if (event.key === "Escape") this.#selected = null;
    else return false;
    this.host.changed();
    return true;
  }

  /** To the next vertex of all that may be changed; past the last one the key is the page's again. */
  #next(way: 1 | -1): boolean {
    const all = this.#sketches
      .filter((one) => one.editable)
      .flatMap((one) =>
        holds(this.#shapeOf(one) ?? { tool: "point", vertices: [] }).map((_, index) => ({ key: one.key, index })),
      );
    const now = all.findIndex((one) => one.key === this.#selected?.key && one.index === this.#selected.index);
    const next = all[now < 0 ? (way > 0 ? 0 : -1) : now + way];
    this.#selected = next ?? null;
    this.host.changed();
    if (next) this.host.say?.(text.map.sketch.selected(all.indexOf(next) + 1, all.length));
    return next !== undefined;
  }

  #nudge(selected: { key: string; index: number }, shape: Shape, [x, y]: [number, number], by: number): void {
    const place = holds(shape)[selected.index];
    if (!place) return;
    const { projection } = this.host.projectionAt(0, 0);
    const at = pixel(projection, place);
    const to = at && placeAt(projection, at[0] + x * by, at[1] + y * by);
    if (!to) return;
    const geometry = geometryOf(moved(shape, selected.index, to));
    if (!geometry) return;
    this.#changed.set(selected.key, geometry);
    clearTimeout(this.#rest);
    this.#rest = setTimeout(() => this.host.sketch(selected.key, geometry), REST);
  }

  #remove(selected: { key: string; index: number }, shape: Shape): void {
    if (shape.tool === "box" || shape.vertices.length <= LEAST[shape.tool]) return;
    this.#selected = { ...selected, index: Math.max(0, selected.index - 1) };
    this.#emit(selected.key, { ...shape, vertices: shape.vertices.toSpliced(selected.index, 1) });
  }

  #emit(key: string, shape: Shape): void {
    const geometry = geometryOf(shape);
    if (geometry) {
      this.#changed.set(key, geometry);
      this.host.sketch(key, geometry);
    }
    this.host.changed();
  }
}
