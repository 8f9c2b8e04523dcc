/** From a layer to what is drawn of it: which tiles, as fine as they are here, and which are wanted. */
import { partsOf, stepsOf, addressOf, wantedOf, type Part, type Step } from "./fields";
import type { Patch } from "./choosing";
import type { Draw, Ink, Spot } from "./painter";
import type { Sight } from "./panes";
import { ancestorOf, childrenOf, SIDE, type Quad } from "./quads";
import { coloring, stretch } from "./scaling";
import type { Tile, Tiles, Wish } from "./tiles";
import type { Layer } from "./types";
import type { Tileset } from "../api/tilesets";

/** How many zooms finer tiles may be that stand in for one that is not here. */
const FINER = 2;

interface Source {
  tile: Tile | null;
  spot: Spot;
  isExact: boolean;
}

export interface Picture {
  draws: Draw[];
  /** Everything is drawn of the tiles that it should be drawn of, or there is nothing to draw. */
  isWhole: boolean;
}

/** What a layer is made of, in tiles of today's data. */
export interface Made {
  layer: Layer;
  parts: Part[];
  /** Equal for equal tiles. */
  key: string;
  /** Equal for equal variables. */
  subject: string;
}

export function made(layer: Layer, current: (tileset: Tileset) => Tileset): Made {
  const parts = partsOf(layer, current);
  const key = stepsOf(parts)
    .map(({ template }) => template)
    .join(" ");
  const subject = stepsOf(parts)
    .map(({ template }) => template.split("?")[0])
    .join(" ");
  const names =
    layer.kind === "rgb" ? layer.fields : layer.kind === "difference" ? [layer.field, layer.minus] : [layer.field];
  return { layer, parts, key, subject: `${layer.kind} ${names.map(({ variable }) => variable).join(" ")} ${subject}` };
}

export function inkOf({ layer, parts }: Made): Ink {
  const blended = parts.map(({ steps }) => steps.length === 2);
  const mixes = parts.map(({ mix }) => mix);
  if (layer.kind === "rgb") {
    const bands = parts.map(({ steps: [{ scale, offset }] }, at) => stretch(scale, offset, layer.ranges[at]!));
    const recipe = { kind: layer.kind, blended, smooth: true, contours: false };
    return { recipe, mixes, opacity: layer.opacity, bands, gamma: layer.gamma };
  }
  const { style } = layer;
  const recipe = { kind: layer.kind, blended, smooth: style.smooth, contours: style.contour > 0 };
  const { opacity, colors, classes } = style;
  return { recipe, mixes, opacity, colors, classes, coloring: coloring(parts, style) };
}

/** Whether a tile that is here can be used; it may be made ready by asking. */
export type Ready = (tile: Tile) => boolean;

/** Finds tiles for patches: `ready` to be drawn. */
export class Finding {
  constructor(
    private readonly tiles: Tiles,
    private readonly ready: Ready,
  ) {}

  wishes({ parts }: Made, { patches }: Sight): Wish[] {
    return patches.flatMap(({ quad, distance }) =>
      stepsOf(parts).flatMap((step, order) => {
        const wanted = wantedOf(step, quad);
        if (!wanted) return [];
        return [{ address: addressOf(step, wanted), collection: step.tileset.id, urgency: distance + order }];
      }),
    );
  }

  picture({ parts }: Made, sight: Sight): Picture {
    const picture: Picture = { draws: [], isWhole: true };
    if (parts.length > 0) for (const patch of sight.patches) this.#patch(parts, sight, patch, picture);
    return picture;
  }

  /** The tile that a patch is drawn of, and its place in the pyramid; undefined: not here yet. */
  at(step: Step, patch: Quad, ready: Ready = this.ready): { tile: Tile | null; quad: Quad } | undefined {
    const wanted = wantedOf(step, patch);
    if (!wanted) return { tile: null, quad: patch };
    for (let z = wanted.z; z >= 0; z--) {
      const quad = ancestorOf(wanted, z);
      const tile = this.tiles.get(addressOf(step, quad));
      if (tile?.state === "empty" && z === wanted.z) return { tile: null, quad };
      if (tile?.state === "here" && ready(tile)) return { tile, quad };
    }
    return undefined;
  }

  #patch(parts: readonly Part[], sight: Sight, patch: Patch, picture: Picture): void {
    const own = this.#sources(parts, patch.quad);
    if (own?.every(({ isExact }) => isExact)) {
      this.#add(patch, own, picture);
      return;
    }
    picture.isWhole = false;
    const finer = this.#finer(parts, sight, patch.quad, FINER);
    const isCovered = finer !== null && finer.every(({ sources }) => sources !== null);
    if (isCovered || !own) for (const { patch, sources } of finer ?? []) this.#add(patch, sources, picture);
    else this.#add(patch, own, picture);
  }

  #add({ meshes }: Patch, sources: Source[] | null, { draws }: Picture): void {
    if (!sources || sources.every(({ tile }) => tile === null)) return;
    for (const mesh of meshes) draws.push({ mesh, sources });
  }

  /** Tiles of finer zooms that are here, from when the map was nearer. */
  #finer(
    parts: readonly Part[],
    sight: Sight,
    quad: Quad,
    depth: number,
  ): { patch: Patch; sources: Source[] | null }[] | null {
    if (depth === 0 || stepsOf(parts).every(({ finest }) => quad.z >= finest)) return null;
    const found = childrenOf(quad).flatMap((child) => {
      const patch = sight.patch(child);
      if (patch.meshes.length === 0) return [];
      const sources = this.#sources(parts, child);
      if (sources?.every(({ isExact }) => isExact)) return [{ patch, sources }];
      return this.#finer(parts, sight, child, depth - 1) ?? [{ patch, sources: null }];
    });
    return found.some(({ sources }) => sources !== null) ? found : null;
  }

  /** One source for each step; null where one has none at all. A step that is not here is taken to be as the other. */
  #sources(parts: readonly Part[], quad: Quad): Source[] | null {
    const all: Source[] = [];
    for (const { steps } of parts) {
      const found = steps.map((step) => this.#source(step, quad));
      const some = found.find((one) => one !== undefined);
      if (!some) return null;
      all.push(...found.map((one) => one ?? { ...some, isExact: false }));
    }
    return all;
  }

  #source(step: Step, patch: Quad): Source | undefined {
    const found = this.at(step, patch);
    if (!found) return undefined;
    const finest = Math.min(step.finest, patch.z);
    return {
      tile: found.tile,
      spot: spotOf(patch, found.quad),
      isExact: found.tile === null || found.quad.z === finest,
    };
  }
}

/** Where a patch lies in a tile that holds it. */
export function spotOf(patch: Quad, quad: Quad): Spot {
  const times = 2 ** (patch.z - quad.z);
  const size = SIDE / times;
  const x = (patch.column - quad.column * times) * size;
  const y = (patch.row - quad.row * times) * size;
  const [across, down] = [Math.floor(x), Math.floor(y)];
  return { base: [across, down], rest: [x - across, y - down], size };
}
