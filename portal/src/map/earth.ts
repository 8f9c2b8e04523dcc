/** The Earth below and above the values: ocean, land, graticule; coasts, borders, names. Canvas 2D; d3-geo projects. */
import { geoPath, type GeoPermissibleObjects, type GeoProjection } from "d3-geo";
import { atlas, type Atlas, type Detail, type Picture } from "./atlas";
import { seen, type Cap } from "./caps";
import { graticuleFor, type Graticule } from "./graticule";
import { inkOf, type Ink } from "./ink";
import { drawDegrees, drawNames, namesOf, type Name } from "./labels";
import { projectionFor, radiusOf } from "./projection";
import { traced } from "./tracing";
import type { Frame } from "./types";

/** From here on, standing still, the finer atlas is worth its while. */
const FINE_ZOOM = 2.2;
/** So many vertices of land are drawn quickly enough for each frame of a movement. */
const QUICK = 4000;
/** Pixels that an outline may be off its curve. Coasts and borders need no such care: their vertices lie close together. */
const PRECISION = 0.3;

interface Paths {
  key: string;
  sphere: Path2D;
  land: Path2D;
  coasts: Path2D;
  borders: Path2D;
  graticule: Path2D | null;
  degrees: Graticule | null;
}

export class Earth {
  #atlases: Partial<Record<Detail, Atlas>> = {};
  #asked = new Set<Detail>();
  #names: Name[] = [];
  #paths: Paths[] = [];

  /** `changed` is called when more of the Earth has arrived: draw again. */
  constructor(private readonly changed: () => void) {
    this.#ask("coarse");
  }

  /** Sphere, land and graticule. Wants a clean canvas. */
  below(ctx: CanvasRenderingContext2D, frame: Frame): void {
    const ink = inkOf(ctx.canvas, frame.dark);
    const paths = this.#pathsFor(frame);
    ctx.fillStyle = ink.space;
    ctx.fillRect(0, 0, frame.width, frame.height);
    ctx.fillStyle = ink.ocean;
    ctx.fill(paths.sphere);
    if (frame.basemap.land) {
      ctx.fillStyle = ink.land;
      ctx.fill(paths.land);
    }
    if (paths.graticule) stroke(ctx, paths.graticule, ink.graticule, 1);
  }

  /** Coasts, borders and names. */
  above(ctx: CanvasRenderingContext2D, frame: Frame): void {
    const ink = inkOf(ctx.canvas, frame.dark);
    const paths = this.#pathsFor(frame);
    ctx.lineJoin = ctx.lineCap = "round";
    // far closer than the atlas was drawn for, a thin line claims no more than it knows
    const weight = frame.camera.zoom > 7 ? 0.7 : 1;
    // any colour may lie below: a breath of the opposite keeps lines legible on all of them
    if (paths.graticule) {
      ctx.globalAlpha = 0.35;
      stroke(ctx, paths.graticule, ink.breath, 1.4);
      ctx.globalAlpha = 1;
      stroke(ctx, paths.graticule, ink.graticule, 0.8);
    }
    if (frame.basemap.land) stroke(ctx, paths.coasts, ink.breath, 2.6);
    if (frame.basemap.borders) stroke(ctx, paths.borders, ink.border, 0.8 * weight);
    if (frame.basemap.land) stroke(ctx, paths.coasts, ink.coast, 0.9 * weight);
    stroke(ctx, paths.sphere, ink.border, 0.8);
    this.#write(ctx, frame, paths, ink);
  }

  #write(ctx: CanvasRenderingContext2D, frame: Frame, paths: Paths, ink: Ink): void {
    const taken = paths.degrees ? drawDegrees(ctx, frame, paths.degrees, ink) : [];
    if (frame.basemap.labels) drawNames(ctx, frame, this.#names, ink, taken);
  }

  /** What a frame draws, kept for the frames that show the same. */
  #pathsFor(frame: Frame): Paths {
    const { camera, width, height } = frame;
    const view = seen(frame.projection, width, height);
    const detail = this.#detailFor(frame, view);
    const on = frame.basemap.graticule;
    const moved = frame.projection.translate();
    const key = [
      ...Object.values(camera),
      width,
      height,
      ...moved,
      detail,
      frame.moving && "moving",
      on,
      frame.basemap.land,
      frame.basemap.borders,
      this.#asked.size,
    ].join();
    const kept = this.#paths.find((one) => one.key === key);
    if (kept) return kept;
    const made = { key, ...this.#make(frame, view, this.#atlases[detail]?.picture(view), on) };
    // two: below and above of two panes of different sizes
    this.#paths = [made, ...this.#paths].slice(0, 2);
    return made;
  }

  #detailFor(frame: Frame, view: Cap | null): Detail {
    this.#ask("coarse");
    if (frame.camera.zoom < FINE_ZOOM) return "coarse";
    this.#ask("fine");
    const fine = this.#atlases.fine;
    if (!fine) return "coarse";
    if (!frame.moving) return "fine";
    const ready = fine.ready(view);
    return ready && ready.points <= QUICK ? "fine" : "coarse";
  }

  #make(frame: Frame, view: Cap | null, picture: Picture | undefined, on: boolean): Omit<Paths, "key"> {
    const plain = ownProjection(frame).precision(0);
    // where a polygon is cut opposite the middle, only on Equal Earth is the cut a curve
    const curved = ownProjection(frame).precision(PRECISION);
    const { land, borders } = frame.basemap;
    const degrees = on ? graticuleFor(frame.projection, radiusOf(frame.camera.zoom), frame.width, frame.height) : null;
    const isCut = !view && frame.camera.projection === "equalearth";
    return {
      sphere: view ? pane(frame) : drawn({ type: "Sphere" }, curved),
      land: traced(land ? picture?.land : undefined, frame.camera, isCut ? curved : plain),
      coasts: traced(land ? picture?.coasts : undefined, frame.camera, plain),
      borders: traced(borders ? picture?.borders : undefined, frame.camera, plain),
      graticule: degrees && drawn(degrees.lines, plain),
      degrees,
    };
  }

  #ask(detail: Detail): void {
    if (this.#asked.has(detail)) return;
    this.#asked.add(detail);
    atlas(detail).then(
      (found) => {
        this.#atlases[detail] = found;
        if (detail === "coarse" || !this.#names.length) this.#names = namesOf(found.countries());
        this.#paths = [];
        this.changed();
      },
      () => {
        // values without coasts are still values; the next frame after a while asks again
        setTimeout(() => this.#asked.delete(detail), 5000);
      },
    );
  }
}

/** The frame's projection, to be set up for lines without touching the frame's own. */
const ownProjection = ({ camera, projection, width, height }: Frame): GeoProjection =>
  projectionFor(camera, width, height).scale(projection.scale()).translate(projection.translate());

function drawn(shape: GeoPermissibleObjects, projection: GeoProjection): Path2D {
  const path = new Path2D();
  geoPath(projection, path as unknown as CanvasRenderingContext2D)(shape);
  return path;
}

function pane({ width, height }: Frame): Path2D {
  const path = new Path2D();
  path.rect(-2, -2, width + 4, height + 4);
  return path;
}

function stroke(ctx: CanvasRenderingContext2D, path: Path2D, color: string, width: number): void {
  ctx.strokeStyle = color;
  ctx.lineWidth = width;
  ctx.stroke(path);
}
