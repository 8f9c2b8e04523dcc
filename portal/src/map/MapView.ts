/**
 * The map: three canvases on top of each other (the Earth below, values by WebGL2, coasts and sketches above), drawn when
 * something changed. A page says what is to be seen with `show`; what follows from it (tiles, meshes, colours) is found here.
 */
import { COARSENESS } from "./choosing";
import { Earth } from "./earth";
import { Listeners, type MapListener, type MapListeners } from "./events";
import { flight } from "./flight";
import { gestures, type PaneAt } from "./gestures";
import { isWithin, placesOf, Sight, type Box, type Place } from "./panes";
import { placeAt, within } from "./projection";
import { Sketching, type Tool } from "./sketching";
import { Stage, type Layering } from "./stage";
import { whole } from "./tools";
import type { Camera, Field, Frame, LonLat, MapEvents, Reading, Scene, Sketch } from "./types";
import { Values, type Shown } from "./values";

export type { MapListener, MapListeners };

export interface MapOptions {
  events?: MapListeners;
  /** Pixels of the canvases in a CSS pixel; left out: the screen's, at most 2. */
  pixelRatio?: number;
  /** Bytes of tiles that are kept in memory, and on the graphics card. */
  memory?: { tiles: number; textures: number };
  /** It stands in a page that scrolls: see GestureHost. */
  yields?: boolean;
  /** What the key Home does; left out: it shows all of the Earth. */
  home?: () => void;
}

const MIB = 1 << 20;
const MEMORY = { tiles: 96 * MIB, textures: 96 * MIB };
const MOST_RATIO = 2;
/** Cameras that were told to the page and may come back with a scene that knew no later one. */
const ECHOES = 40;

const EMPTY: Scene = {
  camera: { lon: 0, lat: 0, zoom: 0, projection: "globe" },
  arrangement: "side",
  panes: [{ layers: [] }],
  basemap: { land: true, borders: false, graticule: false, labels: false },
};

type WithMap = HTMLElement & { terrellaMap?: MapView };

export class MapView {
  readonly #container: HTMLElement;
  readonly #stage: Stage;
  readonly #earth: Earth;
  readonly #values: Values;
  readonly #listeners: Listeners;
  readonly #sketching: Sketching;
  readonly #undo: (() => void)[] = [];
  readonly #options: MapOptions;
  #scene: Scene = EMPTY;
  #camera: Camera = EMPTY.camera;
  #echoes: string[] = [];
  #moving = false;
  #places: Place[] = [];
  readonly #sights = new Map<string, Sight>();
  readonly #dirty = new Set<Layering>();
  #frame = 0;
  /** The last picture was whole: nothing more will come by itself. */
  #isDone = false;
  #hasFirst = false;
  #lastLoad = "";
  #land: (() => void) | null = null;
  readonly #waiting = new Set<() => void>();
  #isOver = false;

  constructor(container: HTMLElement, options: MapOptions = {}) {
    this.#container = container;
    this.#options = options;
    this.#listeners = new Listeners(options.events);
    this.#stage = new Stage(container);
    this.#earth = new Earth(() => this.#redraw("below", "above"));
    this.#values = new Values({
      canvas: this.#stage.canvases.values,
      memory: options.memory ?? MEMORY,
      changed: () => this.#redraw("values"),
      lost: (isLost) => this.#listeners.emit("lost", isLost),
      stale: (event) => this.#listeners.emit("stale", event),
    });
    this.#sketching = new Sketching({
      projectionAt: (x, y) => this.#projectionAt(x, y),
      changed: () => this.#redraw("above"),
      sketch: (key, geometry) => this.#listeners.emit("sketch", { key, geometry }),
      progress: (progress) => this.#listeners.emit("drawing", progress),
      say: (message) => this.#listeners.emit("say", message),
    });
    // whoever made it can listen only after the constructor returned
    if (this.#values.isLost) queueMicrotask(() => this.#listeners.emit("lost", true));
    this.#watch();
    (container as WithMap).terrellaMap = this;
  }

  // --- what a page says -------------------------------------------------------------------------------------------

  /** What is to be seen from now on; drawn with the next frame. A camera that the map itself told of changes nothing. */
  show(scene: Scene): void {
    const before = this.#scene;
    this.#scene = scene;
    const camera = within(scene.camera);
    if (before === EMPTY || !this.#knows(camera)) {
      this.#land?.();
      this.#camera = camera;
      this.#moving = false;
      this.#redraw("below", "above");
    }
    const isSame = before.arrangement === scene.arrangement && before.panes.length === scene.panes.length;
    if (!isSame || JSON.stringify(before.basemap) !== JSON.stringify(scene.basemap)) this.#redraw("below", "above");
    this.#redraw("values");
  }

  /** Tells of an event until the function that is returned is called. */
  on<Name extends keyof MapEvents>(name: Name, listener: MapListener<Name>): () => void {
    return this.#listeners.on(name, listener);
  }

  /** Pixel of the container where a place is drawn in a pane; null: it is behind the horizon or beside the pane. */
  project(at: LonLat, pane = 0): [number, number] | null {
    const place = this.#arranged()[pane];
    if (!place) return null;
    const { projection } = this.#sight(place);
    const found = projection(at);
    const back = found && placeAt(projection, ...found);
    if (!back || Math.abs(back[1] - at[1]) > 0.01) return null;
    const [x, y] = [found[0] + place.box.left, found[1] + place.box.top];
    return isWithin(place.box, x, y) ? [x, y] : null;
  }

  /** The place and the pane under a pixel of the container; null beside the Earth. */
  unproject(x: number, y: number): { at: LonLat; pane: number } | null {
    const { projection, pane, left, top } = this.#projectionAt(x, y);
    const at = placeAt(projection, x - left, y - top);
    return at && { at, pane };
  }

  /** The value of each layer of each pane at a place, from the tiles that are drawn there. */
  read(at: LonLat): Reading[] {
    return this.#values.read(this.#shown(), at);
  }

  /** Shapes over the map; those that are `editable` can be changed there, and are then told of by "sketch". */
  sketches(sketches: Sketch[]): void {
    this.#sketching.set(sketches);
  }

  /** What clicks draw; null: nothing. "drawing" tells how far it is, "sketch" of what was drawn. */
  get tool(): Tool | null {
    return this.#sketching.tool;
  }

  set tool(tool: Tool | null) {
    this.#sketching.tool = tool;
  }

  /** Ends the shape that is being drawn; false: it has too few vertices yet. */
  finish(): boolean {
    return this.#sketching.finish();
  }

  /** Takes back the last vertex of the shape that is being drawn. */
  undo(): void {
    this.#sketching.undo();
  }

  /** Resolves when all tiles in sight are here or failed, and are drawn. */
  async idle(): Promise<void> {
    while (!this.#isOver && (!this.#isDone || this.#frame)) {
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  /** All of it as one picture (PNG), as it is drawn now. */
  image(): Promise<Blob> {
    this.#redraw("below", "values", "above");
    this.#draw();
    return this.#stage.image();
  }

  /** Moves the camera over the sphere; at once where people want no motion. Resolves when it is there, or was interrupted. */
  flyTo(camera: Camera): Promise<void> {
    this.#land?.();
    const to = within(camera);
    const isStill = matchMedia("(prefers-reduced-motion: reduce)").matches || document.hidden;
    if (isStill || to.projection !== this.#camera.projection) {
      this.#move(to, false);
      return Promise.resolve();
    }
    const { at, lasts } = flight(this.#camera, to, this.#stage.width);
    return new Promise((resolve) => {
      let [handle, start] = [0, 0];
      const go = (now: number): void => {
        start ||= now;
        const share = Math.min(1, (now - start) / lasts);
        handle = share < 1 ? requestAnimationFrame(go) : 0;
        this.#move(at(share), share < 1);
        if (share === 1) this.#land?.();
      };
      this.#land = () => {
        cancelAnimationFrame(handle);
        this.#land = null;
        resolve();
      };
      handle = requestAnimationFrame(go);
    });
  }

  /** Fetches what is in sight of these fields: the next steps of a play. Resolves when all is here, or failed. */
  prefetch(fields: readonly Field[]): Promise<void> {
    return this.#values.prefetch(fields, this.#shown());
  }

  /** Whether all that is in sight of these fields is here. */
  has(fields: readonly Field[]): boolean {
    return this.#values.has(fields, this.#shown());
  }

  /** Asks again for tiles that failed. */
  retry(): void {
    this.#values.retry();
    this.#redraw("values");
  }

  /** Where panes lie, in CSS pixels of the container. */
  layout(): Box[] {
    return this.#arranged().map(({ box }) => box);
  }

  /** The camera as it is drawn. */
  get camera(): Camera {
    return this.#camera;
  }

  /** For tests: requests made so far, and bytes of textures. */
  get cost(): { requests: number; textures: number } {
    return this.#values.cost;
  }

  destroy(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#land?.();
    for (const undo of this.#undo) undo();
    cancelAnimationFrame(this.#frame);
    this.#values.destroy();
    this.#stage.destroy();
    this.#sights.clear();
    this.#listeners.clear();
    this.#release();
    delete (this.#container as WithMap).terrellaMap;
  }

  // --- what people do ---------------------------------------------------------------------------------------------

  #watch(): void {
    const stopWatching = this.#stage.watch(
      () => this.#redraw("below", "values", "above"),
      () => this.#redraw("below", "above"),
    );
    const stopGestures = gestures(this.#container, {
      camera: () => this.#camera,
      projectionAt: (x, y) => this.#projectionAt(x, y),
      move: (camera, moving) => {
        this.#land?.();
        this.#move(within(camera), moving);
      },
      pick: (x, y) => this.#pick(x, y),
      point: (x, y) => this.#point(x, y),
      home: this.#options.home ?? (() => this.#home()),
      taker: this.#sketching,
      yields: this.#options.yields,
    });
    this.#undo.push(stopWatching, stopGestures);
  }

  #home(): void {
    const box = this.layout()[0];
    if (box) void this.flyTo(whole(this.#camera, box.width, box.height));
  }

  #pick(x: number, y: number): void {
    const found = this.unproject(x, y);
    if (found) this.#listeners.emit("pick", found);
  }

  #point(x: number | null, y: number | null): void {
    const found = x === null || y === null ? null : this.unproject(x, y);
    this.#listeners.emit("point", found && { ...found, x: x!, y: y! });
  }

  #move(camera: Camera, moving: boolean): void {
    const isSame = wordsOf(camera) === wordsOf(this.#camera);
    if (isSame && moving === this.#moving) return;
    this.#camera = camera;
    this.#moving = moving;
    this.#redraw("below", "values", "above");
    if (isSame) return;
    this.#echoes = [...this.#echoes.slice(1 - ECHOES), wordsOf(camera)];
    this.#listeners.emit("camera", camera);
  }

  #knows(camera: Camera): boolean {
    const said = wordsOf(camera);
    return said === wordsOf(this.#camera) || this.#echoes.includes(said);
  }

  // --- drawing ----------------------------------------------------------------------------------------------------

  #redraw(...canvases: Layering[]): void {
    for (const name of canvases) this.#dirty.add(name);
    if (this.#dirty.has("values")) this.#isDone = false;
    if (!this.#frame && !this.#isOver) this.#frame = requestAnimationFrame(() => this.#draw());
  }

  /** Panes as they are now. */
  #arranged(): Place[] {
    const ratio = this.#options.pixelRatio ?? Math.min(MOST_RATIO, devicePixelRatio || 1);
    if (this.#stage.measure(ratio)) this.#redraw("below", "values", "above");
    this.#places = placesOf(this.#scene, this.#stage.width, this.#stage.height);
    return this.#places;
  }

  #shown(): Shown[] {
    return this.#arranged().map((place) => ({ place, sight: this.#sight(place) }));
  }

  /** Panes of the same size see the same. */
  #sight({ box: { width, height } }: { box: Box }): Sight {
    const key = `${wordsOf(this.#camera)} ${width} ${height}`;
    let found = this.#sights.get(key);
    if (!found) {
      const coarseness = this.#stage.ratio > 1.25 ? COARSENESS / 1.4 : COARSENESS;
      found = new Sight(this.#camera, width, height, coarseness);
      if (this.#sights.size > 3) this.#sights.clear();
      this.#sights.set(key, found);
    }
    return found;
  }

  #projectionAt(x: number, y: number): PaneAt {
    const places = this.#arranged();
    const pane = Math.max(
      0,
      places.findLastIndex(({ clip }) => isWithin(clip, x, y)),
    );
    const { box } = places[pane] ?? { box: { left: 0, top: 0, width: this.#stage.width, height: this.#stage.height } };
    return { projection: this.#sight({ box }).projection, pane, left: box.left, top: box.top };
  }

  #draw(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    const shown = this.#shown();
    if (this.#stage.width === 0 || this.#stage.height === 0) return this.#dirty.clear();
    // a processor that plays graphics card paints a quarter of the pixels while the map moves
    const valuesRatio = this.#stage.ratio * (this.#moving && this.#values.isSoftware ? 0.5 : 1);
    this.#stage.fit(valuesRatio);
    const dirty = new Set(this.#dirty);
    this.#dirty.clear();
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    if (dirty.has("below")) this.#drawEarth("below", shown);
    if (dirty.has("values")) this.#report(this.#values.draw(shown, valuesRatio, this.#moving));
    if (dirty.has("above")) this.#drawEarth("above", shown);
    if (this.#isDone && !this.#frame) this.#release();
  }

  #drawEarth(which: "below" | "above", shown: readonly Shown[]): void {
    const ctx = this.#stage.context(which, this.#values.isSoftware);
    const ratio = this.#stage.ratio;
    const dark = this.#stage.isDark;
    ctx.setTransform(1, 0, 0, 1, 0, 0);
    // what lies below fills its canvas by itself; where Chromium sees it cleared and filled with one colour, it shows the
    // picture before
    if (which === "above") ctx.clearRect(0, 0, ctx.canvas.width, ctx.canvas.height);
    // one upon the other, panes have the same Earth
    for (const { place, sight } of this.#scene.arrangement === "swipe" ? shown.slice(0, 1) : shown) {
      const { left, top, width, height } = place.box;
      const view = { camera: this.#camera, projection: sight.projection, moving: this.#moving };
      const frame: Frame = { ...view, width, height, pixelRatio: ratio, basemap: this.#scene.basemap, dark };
      ctx.save();
      ctx.setTransform(ratio, 0, 0, ratio, left * ratio, top * ratio);
      ctx.beginPath();
      ctx.rect(0, 0, width, height);
      ctx.clip();
      this.#earth[which](ctx, frame);
      if (which === "above") this.#sketching.draw(ctx, frame);
      ctx.restore();
    }
  }

  /** Tells of loading where it changed, and finds out whether all is done. */
  #report(isWhole: boolean): void {
    const load = this.#values.load;
    const said = JSON.stringify(load);
    if (said !== this.#lastLoad) {
      this.#lastLoad = said;
      this.#listeners.emit("load", load);
    }
    const hasLayers = this.#scene.panes.some(({ layers }) => layers.length > 0);
    if (isWhole && hasLayers && !this.#hasFirst) {
      this.#hasFirst = true;
      performance.mark("terrella:first-field");
    }
    // what came but is not on the graphics card yet follows with the next frames
    if (this.#values.isBehind) return this.#redraw("values");
    this.#isDone = load.pending === 0;
  }

  #release(): void {
    for (const done of this.#waiting) done();
    this.#waiting.clear();
  }
}

const wordsOf = ({ lon, lat, zoom, projection }: Camera): string => `${lon} ${lat} ${zoom} ${projection}`;
