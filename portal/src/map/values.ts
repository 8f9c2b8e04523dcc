/** The layers of values: which tiles they want, what is drawn of them meanwhile, and their WebGL context. */
import { forget, tileset, type Tileset } from "../api/tilesets";
import { Finding, inkOf, made, type Made, type Picture } from "./layers";
import { Painter, type Area } from "./painter";
import type { Box, Place, Sight } from "./panes";
import { radiusOf } from "./projection";
import { reading } from "./reading";
import { Tiles, type Tile, type Wish } from "./tiles";
import type { Field, Layer, LonLat, MapEvents, Reading } from "./types";

/** A pane with what it sees. */
export interface Shown {
  place: Place;
  sight: Sight;
}

interface Options {
  canvas: HTMLCanvasElement;
  /** Bytes of tiles that are kept in memory, and on the graphics card. */
  memory: { tiles: number; textures: number };
  /** There is something new to draw. */
  changed: () => void;
  lost: (isLost: boolean) => void;
  stale: (event: MapEvents["stale"]) => void;
}

const AT_ONCE = 8;
/** Textures made within one frame: more would be felt while the map moves. */
const UPLOADS = { still: 24, moving: 4 } as const;
/** Milliseconds for which a former step is shown while another comes. */
const PATIENCE = 1500;
/** Layers whose last whole picture is remembered. */
const REMEMBERED = 200;

interface Remembered {
  made: Made;
  /** Since when it waits for tiles of another step; 0: it does not. */
  since: number;
}

interface Chosen {
  made: Made;
  draws: Picture["draws"];
  isWhole: boolean;
}

export class Values {
  readonly #options: Options;
  readonly #tiles: Tiles;
  readonly #finding: Finding;
  readonly #off = new AbortController();
  /** What was drawn whole of each layer, by pane and key. */
  readonly #whole = new Map<string, Remembered>();
  /** Newer versions of tilesets, by collection and the version that is no longer there. */
  readonly #newer = new Map<string, Tileset>();
  readonly #renewing = new Set<string>();
  readonly #used = new Map<string, Tileset>();
  #painter: Painter | null = null;
  #uploads = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  isLost = false;
  /** There is no graphics card: the processor draws. */
  isSoftware = true;
  /** Tiles that are here wait for the graphics card. */
  isBehind = false;

  constructor(options: Options) {
    this.#options = options;
    this.#tiles = new Tiles({
      bytes: options.memory.tiles,
      atOnce: AT_ONCE,
      changed: options.changed,
      stale: (collection) => void this.#renew(collection),
      dropped: (tile) => this.#painter?.drop(tile),
    });
    this.#finding = new Finding(this.#tiles, (tile) => this.#isReady(tile));
    this.#open();
    const { signal } = this.#off;
    options.canvas.addEventListener("webglcontextlost", (event) => this.#lose(event), { signal });
    options.canvas.addEventListener("webglcontextrestored", () => this.#recover(), { signal });
  }

  /** Draws all panes; whether every layer is drawn of the tiles that it should be drawn of. */
  draw(shown: readonly Shown[], ratio: number, moving: boolean): boolean {
    this.#uploads = UPLOADS[moving ? "moving" : "still"];
    this.isBehind = false;
    const wishes = new Map<string, Wish>();
    const pictures = shown.map(({ place, sight }, pane) =>
      place.pane.layers.map((layer) => {
        const now = this.#made(layer);
        for (const wish of this.#finding.wishes(now, sight)) add(wishes, wish);
        return this.#chosen(now, `${pane} ${layer.key}`, sight);
      }),
    );
    this.#paint(shown, pictures, ratio);
    this.#tiles.want([...wishes.values()]);
    return pictures.every((layers) => layers.every(({ isWhole }) => isWhole));
  }

  get load(): MapEvents["load"] {
    return this.#tiles.load;
  }

  /** Requests made so far, and bytes of textures. */
  get cost(): { requests: number; textures: number } {
    return { requests: this.#tiles.asked, textures: this.#painter?.held ?? 0 };
  }

  read(shown: readonly Shown[], at: LonLat): Reading[] {
    return shown.flatMap(({ place, sight }, pane) =>
      place.pane.layers.map((layer) => reading(this.#made(layer), pane, at, sight, this.#finding)),
    );
  }

  prefetch(fields: readonly Field[], shown: readonly Shown[]): Promise<void> {
    const wishes = new Map<string, Wish>();
    fields.forEach((field, order) => {
      for (const wish of this.#wishes(field, shown)) add(wishes, { ...wish, urgency: wish.urgency + 1e5 * order });
    });
    return this.#tiles.ahead([...wishes.values()]);
  }

  has(fields: readonly Field[], shown: readonly Shown[]): boolean {
    const isHere = ({ address }: Wish): boolean => ["here", "empty"].includes(this.#tiles.get(address)?.state ?? "");
    return fields.every((field) => this.#wishes(field, shown).every(isHere));
  }

  retry(): void {
    this.#tiles.retry();
  }

  destroy(): void {
    this.#off.abort();
    clearTimeout(this.#timer);
    this.#tiles.destroy();
    this.#painter?.destroy();
    this.#painter = null;
    // gives the context back at once: a browser has only a few
    this.#options.canvas.getContext("webgl2")?.getExtension("WEBGL_lose_context")?.loseContext();
  }

  #wishes(field: Field, shown: readonly Shown[]): Wish[] {
    const one = this.#made({ key: "", kind: "field", field, style: UNSEEN });
    return shown.flatMap(({ sight }) => this.#finding.wishes(one, sight));
  }

  // --- the context ------------------------------------------------------------------------------------------------

  #open(): void {
    const gl = this.#options.canvas.getContext("webgl2", { antialias: false, depth: false, stencil: false });
    this.isLost = !gl || gl.isContextLost();
    this.#painter = gl && !this.isLost ? new Painter(gl, this.#options.memory.textures) : null;
    if (this.#painter) this.isSoftware = this.#painter.isSoftware;
  }

  #lose(event: Event): void {
    // else the browser would not give it back
    event.preventDefault();
    this.#painter = null;
    this.isLost = true;
    this.#options.lost(true);
  }

  #recover(): void {
    this.#open();
    if (this.isLost) return;
    this.#options.lost(false);
    this.#options.changed();
  }

  #isReady(tile: Tile): boolean {
    const painter = this.#painter;
    if (!painter || painter.has(tile)) return true;
    if (this.#uploads <= 0) {
      this.isBehind = true;
      return false;
    }
    this.#uploads--;
    painter.upload(tile);
    return true;
  }

  // --- versions ---------------------------------------------------------------------------------------------------

  #made(layer: Layer): Made {
    return made(layer, this.#current);
  }

  /** A tileset's newest version that is known. */
  readonly #current = (given: Tileset): Tileset => {
    let found = given;
    for (let step = 0; step < 100; step++) {
      const newer = this.#newer.get(`${found.id} ${found.version}`);
      if (!newer) break;
      found = newer;
    }
    this.#used.set(found.id, found);
    return found;
  };

  /** After a 409: the data changed, and with them all addresses of tiles. */
  async #renew(collection: string): Promise<void> {
    const old = this.#used.get(collection);
    const key = `${collection} ${old?.version}`;
    // all tiles of a picture say the same
    if (!old || this.#renewing.has(key)) return;
    this.#renewing.add(key);
    forget(collection);
    try {
      const fresh = await tileset(collection);
      if (old.version === fresh.version || this.#off.signal.aborted) return;
      this.#newer.set(key, fresh);
      this.#options.stale({ collection, tileset: fresh });
      this.#options.changed();
    } catch {
      // the failure of the tiles stands, and is told; the next one asks again
      this.#renewing.delete(key);
    }
  }

  // --- pictures ---------------------------------------------------------------------------------------------------

  /** A layer's picture; while another step of the same variable comes, the one before it, for a moment. */
  #chosen(now: Made, key: string, sight: Sight): Chosen {
    const picture = this.#finding.picture(now, sight);
    const before = this.#whole.get(key);
    if (picture.isWhole) {
      if (this.#whole.size > REMEMBERED) this.#whole.clear();
      this.#whole.set(key, { made: now, since: 0 });
    }
    if (picture.isWhole || !before || before.made.subject !== now.subject || before.made.key === now.key) {
      return { made: now, ...picture };
    }
    before.since ||= performance.now();
    const left = before.since + PATIENCE - performance.now();
    if (left <= 0) return { made: now, ...picture };
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#options.changed, left + 10);
    const former = { ...before.made, layer: now.layer };
    return { made: former, draws: this.#finding.picture(former, sight).draws, isWhole: false };
  }

  #paint(shown: readonly Shown[], pictures: Chosen[][], ratio: number): void {
    const painter = this.#painter;
    if (!painter) return;
    const { width, height } = this.#options.canvas;
    painter.begin(width, height);
    painter.meshes([
      ...new Set(pictures.flatMap((layers) => layers.flatMap(({ draws }) => draws.map(({ mesh }) => mesh)))),
    ]);
    shown.forEach(({ place, sight }, pane) => {
      const area = areaOf(place.box, ratio);
      painter.pane(height, area, areaOf(place.clip, ratio));
      for (const { made, draws } of pictures[pane]!) {
        if (draws.length === 0) continue;
        painter.layer(inkOf(made), draws, [place.box.width, place.box.height], limbOf(area, sight, height, ratio));
      }
    });
    painter.end();
  }
}

const UNSEEN = {
  colors: new Uint8Array(768),
  range: [0, 1] as [number, number],
  opacity: 1,
  classes: 0,
  contour: 0,
  smooth: true,
};

function add(wishes: Map<string, Wish>, wish: Wish): void {
  const known = wishes.get(wish.address);
  if (!known || known.urgency > wish.urgency) wishes.set(wish.address, wish);
}

function areaOf({ left, top, width, height }: Box, ratio: number): Area {
  const [from, to] = [Math.round(left * ratio), Math.round((left + width) * ratio)];
  const [upper, lower] = [Math.round(top * ratio), Math.round((top + height) * ratio)];
  return { left: from, top: upper, width: to - from, height: lower - upper };
}

/** Middle and radius of the globe in pixels of the canvas from its bottom left; radius 0: no globe. */
function limbOf(area: Area, { view }: Sight, canvasHeight: number, ratio: number): [number, number, number] {
  if (view.camera.projection !== "globe") return [0, 0, 0];
  const middle = canvasHeight - area.top - area.height / 2;
  return [area.left + area.width / 2, middle, radiusOf(view.camera.zoom) * ratio];
}
