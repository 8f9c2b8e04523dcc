import { at, part } from "./root";
import { Failure, json } from "./http";

/** One axis of a collection besides longitude and latitude; values in ascending order of their position. */
export interface Axis {
  name: string;
  kind: "time" | "level" | "number" | "other" | (string & {});
  count: number;
  units: string;
  /** All values where there are not too many of them; else `first`, `last` and `step`. */
  values?: (string | number)[];
  first?: string | number;
  last?: string | number;
  /** Of a time axis in milliseconds. */
  step?: number;
}

/** One variable: `value = number * scale + offset` for each number in a tile but 0, which is no data. */
export interface TileVariable {
  name: string;
  title: string;
  units: string;
  axes: string[];
  scale: number;
  offset: number;
  /** Each stored value has a number of its own. */
  exact: boolean;
  /** Suggested values of the first and last colour. */
  range: [number, number];
  palette: string;
  /** How its overviews were made, and the greatest zoom of each tile matrix set that shows one instead of the cells. */
  overviews?: { method: string; zooms: Record<string, number> };
  /** Of classes: what each value means. */
  classes?: { value: number; name: string }[];
}

/** All that is needed to draw a collection, as GET /tiles/{collection} says it. */
export interface Tileset {
  id: string;
  title: string;
  attribution: string;
  license: string;
  /** West, south, east, north in degrees. */
  bounds: [number, number, number, number];
  version?: string;
  variables: TileVariable[];
  axes: Axis[];
  tiles: { values: string; png: string };
  /** Finest useful zoom of each tile matrix set. */
  zooms: Record<string, number>;
}

const kept = new Map<string, Promise<Tileset>>();

/** A collection's tileset; asked for once, and again after a failure or `forget`. Throws Failure. */
export function tileset(collection: string): Promise<Tileset> {
  let asked = kept.get(collection);
  if (!asked) {
    asked = json<Tileset>(at(`tiles/${part(collection)}`)).catch((error: unknown) => {
      kept.delete(collection);
      throw error;
    });
    kept.set(collection, asked);
  }
  return asked;
}

/** After a 409 of a tile: the data have a new version. */
export const forget = (collection: string): void => void kept.delete(collection);

/** A variable by its name. Throws Failure. */
export function variableOf(tiles: Tileset, name: string): TileVariable {
  const found = tiles.variables.find((one) => one.name === name);
  if (!found) throw new Failure(`${tiles.title} has no variable ${name}.`, 404, "variable");
  return found;
}

/** Every palette by its name: 256 colours as #rrggbb. */
let palettesAsked: Promise<Record<string, string[]>> | undefined;
export function palettes(): Promise<Record<string, string[]>> {
  palettesAsked ??= json<{ palettes: Record<string, string[]> }>(at("tiles/palettes"))
    .then((said) => said.palettes)
    .catch((error: unknown) => {
      palettesAsked = undefined;
      throw error;
    });
  return palettesAsked;
}
