/**
 * Land, coasts and borders of Natural Earth (world-atlas, public domain), prepared so that what is not seen costs nothing.
 * Its polygons are spherical: edges are great circles, and nothing is cut at the antimeridian or at a pole.
 * 1:110 million is 108 KB (38 KB compressed), 1:50 million 756 KB (230). The 1:10 million, 3.7 MB (920), stays out: it would be
 * larger than all of the portal's code together, for coasts finer than the cells of almost all data.
 */
import { geoClipCircle, geoRotation, geoStream, type GeoStream } from "d3-geo";
import { feature, mesh } from "topojson-client";
import type { GeometryCollection, Topology } from "topojson-specification";
import coarse from "world-atlas/countries-110m.json?url";
import fine from "world-atlas/countries-50m.json?url";
import { ask } from "../api/http";
import { around, holds, lonLat, meet, type Cap } from "./caps";

type Ring = number[][];

/** A polygon or a part of a line, with a circle around it. */
export interface Piece {
  cap: Cap;
  points: number;
  /** One line, or the rings of a polygon. */
  lines: Ring[];
  isArea: boolean;
  /** Unit vectors of each line, made when they are first drawn. */
  vectors?: Float64Array[];
}
export interface Country {
  name: string;
  /** Its largest polygon. */
  rings: Ring[];
}

/** What is drawn of an atlas. */
export interface Picture {
  land: Piece[];
  coasts: Piece[];
  borders: Piece[];
  /** Vertices of the land. */
  points: number;
}

type World = Topology<{ countries: GeometryCollection<{ name: string }>; land: GeometryCollection }>;

const CHUNK = 40;
const addresses = { coarse, fine } as const;
export type Detail = keyof typeof addresses;

/** Fetches an atlas. Throws Failure. */
export async function atlas(detail: Detail): Promise<Atlas> {
  const world = (await (await ask(new URL(addresses[detail], location.href))).json()) as World;
  return prepared(world);
}

/** Prepares an atlas in steps, none of which is felt while the map moves. */
export async function prepared(world: World): Promise<Atlas> {
  const { countries } = world.objects;
  const land = landOf(world);
  await pause();
  const coasts = chunks(mesh(world, countries, (a, b) => a === b).coordinates);
  await pause();
  return new Atlas(world, picture(land, coasts, chunks(mesh(world, countries, (a, b) => a !== b).coordinates)));
}

const pause = (): Promise<void> => new Promise((go) => setTimeout(go));

export class Atlas {
  readonly #world: World;
  readonly #whole: Picture;
  #window: { cap: Cap; picture: Picture } | null = null;

  constructor(world: World, whole: Picture) {
    this.#world = world;
    this.#whole = whole;
  }

  /** Names with the largest polygon of each. */
  countries(): Country[] {
    return feature(this.#world, this.#world.objects.countries).features.map(({ properties, geometry }) => {
      const polygons =
        geometry.type === "Polygon"
          ? [geometry.coordinates]
          : geometry.type === "MultiPolygon"
            ? geometry.coordinates
            : [];
      const [largest] = polygons
        .map((rings) => ({ rings, size: around(rings[0]!).radius }))
        .sort((a, b) => b.size - a.size);
      return { name: properties.name, rings: largest?.rings ?? [] };
    });
  }

  /** What is ready at once for a view: all of it (null), or the window around the view that was cut last. */
  ready(view: Cap | null): Picture | null {
    if (!view) return this.#whole;
    const window = this.#window;
    return window && holds(window.cap, view) && window.cap.radius < 6 * view.radius ? window.picture : null;
  }

  /** What to draw for a view. A new window costs one pass over what is near it. */
  picture(view: Cap | null): Picture {
    const ready = this.ready(view);
    if (ready || !view) return ready ?? this.#whole;
    // room to move about before the next cut
    const cap = { middle: view.middle, radius: view.radius * 2 };
    const { land, coasts, borders } = this.#whole;
    if (cap.radius > 1.2) return picture(near(land, view), near(coasts, view), near(borders, view));
    const cutLand = near(land, cap).flatMap((one) => (holds(cap, one.cap) ? one : cut(one, cap)));
    const made = picture(cutLand, near(coasts, cap), near(borders, cap));
    this.#window = { cap, picture: made };
    return made;
  }
}

const near = (pieces: Piece[], view: Cap): Piece[] => pieces.filter((one) => meet(one.cap, view));

const piece = (lines: Ring[], isArea: boolean): Piece => ({
  cap: around(lines[0]!),
  points: lines.reduce((sum, line) => sum + line.length, 0),
  lines,
  isArea,
});

const picture = (land: Piece[], coasts: Piece[], borders: Piece[]): Picture => ({
  land,
  coasts,
  borders,
  points: land.reduce((sum, one) => sum + one.points, 0),
});

function landOf(world: World): Piece[] {
  const found = feature(world, world.objects.land).features.map((one) => one.geometry);
  return found
    .flatMap((one) => (one.type === "MultiPolygon" ? one.coordinates : one.type === "Polygon" ? [one.coordinates] : []))
    .map((rings) => piece(rings, true));
}

/** Lines in short parts, so that a few of them can be chosen; where a polygon was cut at the antimeridian there is no line. */
function chunks(lines: Ring[]): Piece[] {
  const made: Piece[] = [];
  for (const line of lines) {
    let part: Ring = [];
    const close = (next: Ring): void => {
      if (part.length > 1) made.push(piece([part], false));
      part = next;
    };
    line.forEach((place, index) => {
      const before = line[index - 1];
      if (before && isSeam(before, place)) close([]);
      part.push(place);
      if (part.length > CHUNK) close([place]);
    });
    close([]);
  }
  return made;
}

const isSeam = (a: number[], b: number[]): boolean => Math.abs(a[0]!) > 179.99 && Math.abs(b[0]!) > 179.99;

/** The part of a polygon within a circle: none, or one piece. */
function cut({ lines }: Piece, cap: Cap): Piece[] {
  const [lon, lat] = lonLat(cap.middle);
  const turn = geoRotation([-lon, -lat]);
  const found: Ring[] = [];
  let ring: Ring = [];
  const sink: GeoStream = {
    point: (x, y) => void ring.push(turn.invert([x / RADIAN, y / RADIAN])),
    lineStart: () => void (ring = []),
    lineEnd: () => {
      if (ring.length < 3) return;
      ring.push(ring[0]!);
      found.push(ring);
    },
    polygonStart: () => undefined,
    polygonEnd: () => undefined,
  };
  const clip = geoClipCircle(cap.radius)(sink);
  geoStream(
    { type: "Polygon", coordinates: lines },
    {
      ...through(clip),
      point: (x, y) => {
        const [a, b] = turn([x, y]);
        clip.point(a * RADIAN, b * RADIAN);
      },
    },
  );
  // the circle around the window holds its parts as well
  return found.length ? [{ ...piece(found, true), cap }] : [];
}

const RADIAN = Math.PI / 180;
const through = (to: GeoStream): Omit<GeoStream, "point"> => ({
  lineStart: () => to.lineStart(),
  lineEnd: () => to.lineEnd(),
  polygonStart: () => to.polygonStart(),
  polygonEnd: () => to.polygonEnd(),
});
