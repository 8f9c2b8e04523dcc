/** Asks for blocks: first what one would be, then its numbers. */
import { ask, json } from "../api/http";
import { at, part } from "../api/root";
import { decoded, type Block, type Price, type Said } from "./block";

export interface Wanted {
  collection: string;
  variable: string;
  depth: string;
  bbox: readonly number[] | null;
  /** Sides at most, as graphics can hold them. */
  most: number;
  axes: Record<string, string>;
}

function address(wanted: Wanted, sizes: Record<string, number>, form: "json" | "block"): URL {
  const { collection, variable, depth, bbox, axes } = wanted;
  return at(`tiles/${part(collection)}/cube`, {
    f: form,
    variable,
    depth,
    bbox: bbox?.map((one) => Number(one.toFixed(5))).join(","),
    ...axes,
    ...sizes,
  });
}

/** What a block would be. Throws Failure, AbortError. */
export async function price(wanted: Wanted, signal?: AbortSignal): Promise<Price> {
  const options = signal ? { signal } : {};
  const said = await json<Price>(address(wanted, {}, "json"), options);
  const sizes = within(said, wanted.most);
  return Object.keys(sizes).length ? json<Price>(address(wanted, sizes, "json"), options) : said;
}

/** The sides that are longer than graphics can hold. */
function within(said: Said, most: number): Record<string, number> {
  const sizes: Record<string, number> = {};
  for (const side of ["width", "height", "steps"] as const) if (said[side] > most) sizes[side] = most;
  return sizes;
}

/** The numbers of a block that was priced. Throws Failure, AbortError. */
export async function load(wanted: Wanted, priced: Price, signal?: AbortSignal): Promise<Block> {
  const { width, height, steps } = priced;
  const answer = await ask(address(wanted, { width, height, steps }, "block"), signal ? { signal } : {});
  return decoded(await answer.arrayBuffer());
}
