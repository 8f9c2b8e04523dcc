/** What somebody sees who comes without a view: of this site's fields the one that tells most, by a rule without names. */
import { ask } from "../api/http";
import { tileset, type Tileset, type TileVariable } from "../api/tilesets";
import { decoded } from "../map/decoding";
import { addressOf, partsOf } from "../map/fields";
import { stepsOf, type Steps } from "../state/steps";
import { newLayer, type LayerView } from "../state/view";
import { coverage, type Drawable } from "./catalogue";
import { drawnOf, mapLayer, suggested, trueColor, type Known } from "./scene";
import { emptyView } from "../state/view";

/** Collections of which more is asked, and of those the ones of which a tile is looked at. */
const LOOKED_AT = { tilesets: 8, tiles: 4 } as const;

export interface First {
  tileset: Tileset;
  layer: Partial<LayerView>;
  variable: string | null;
  /** Null: it does not change with time. */
  steps: Steps | null;
}

interface Candidate {
  tileset: Tileset;
  variable: TileVariable;
  steps: Steps | null;
  score: number;
}

/** The field to show first; null where there is nothing to show. Throws Failure where nothing answers. */
export async function firstOf(list: readonly Drawable[]): Promise<First | null> {
  const likely = [...list].sort((a, b) => promise(b) - promise(a)).slice(0, LOOKED_AT.tilesets);
  const asked = await Promise.allSettled(likely.map((one) => tileset(one.id)));
  const tilesets = asked.filter((one) => one.status === "fulfilled").map((one) => one.value);
  const refused = asked.find((one) => one.status === "rejected");
  if (!tilesets.length && refused) throw refused.reason;
  const candidates = tilesets.map(best).filter((one) => one !== null);
  candidates.sort((a, b) => b.score - a.score);
  const few = candidates.slice(0, LOOKED_AT.tiles);
  const shares = few.length > 1 ? await Promise.all(few.map(filled)) : [1];
  let chosen = few[0];
  few.forEach((one, index) => {
    one.score *= 0.15 + shares[index]!;
    if (chosen && one.score > chosen.score) chosen = one;
  });
  return chosen ? asFirst(chosen) : null;
}

/** What the catalogue alone lets hope for: much of the Earth, and times. */
function promise(one: Drawable): number {
  const [from, to] = one.interval;
  return coverage(one) * (from && to && from !== to ? 3 : 1) + (from ? 0.1 : 0);
}

function best(tiles: Tileset): Candidate | null {
  const made = tiles.variables.slice(0, 40).map((variable): Candidate => {
    const steps = stepsOf(tiles, variable, null);
    return { tileset: tiles, variable, steps, score: score(tiles, variable, steps) };
  });
  return made.reduce<Candidate | null>(
    (top, one) => (one.score > 0 && (!top || one.score > top.score) ? one : top),
    null,
  );
}

/** Names of quantities that everybody knows from their own skin. */
const FELT = /temperature|precip|rain|wind|snow|cloud|pressure|wave|ice/i;

function score(tiles: Tileset, variable: TileVariable, steps: Steps | null): number {
  const [low, high] = suggested(variable);
  if ((variable.range as unknown) === null || !(high > low) || !Number.isFinite(variable.scale)) return 0;
  const [west, south, east, north] = tiles.bounds;
  const wide = east > west ? east - west : east - west + 360;
  const share = Math.min(1, wide / 360) * Math.min(1, (north - south) / 180);
  const times = steps?.count ?? 1;
  const moves = times < 2 ? 0.3 : 1 + Math.min(2, Math.log2(times) / 4);
  const known = FELT.test(`${variable.title} ${variable.name}`) ? 1.5 : 1;
  return share * moves * known * (variable.classes ? 0.6 : 1);
}

/** The share of the Earth's coarsest tiles that holds values, land and sea: where people live there should be some. */
async function filled(one: Candidate): Promise<number> {
  try {
    const known: Known = { tileset: () => one.tileset, days: () => null, palettes: {} };
    const layer = newLayer("a", one.tileset.id, one.variable.name);
    const time = one.steps?.count ? one.steps.iso(0) : null;
    const clock = { iso: time, position: one.steps?.count ? one.steps.at(0) : NaN, steps: [] };
    const drawn = drawnOf(layer, "a", { ...emptyView(), time }, clock, known);
    const made = drawn && mapLayer(drawn);
    const step = made && partsOf(made, (one) => one)[0]?.steps[0];
    if (!step) return 0;
    const halves = [0, 1].map(async (column) => {
      const answer = await ask(addressOf(step, { z: 0, row: 0, column }));
      const numbers = answer.status === 204 ? null : decoded(await answer.arrayBuffer());
      return numbers ? numbers.reduce((sum, number) => sum + (number ? 1 : 0), 0) / numbers.length : 0;
    });
    const [one1, two] = await Promise.all(halves);
    return (one1! + two!) / 2;
  } catch {
    return 0;
  }
}

function asFirst({ tileset: tiles, variable, steps }: Candidate): First {
  const rgb = steps ? null : trueColor(tiles);
  return { tileset: tiles, variable: rgb ? null : variable.name, layer: rgb ? { rgb } : {}, steps };
}

/** A zone such as Europe/Paris names a town; the offset from UTC says at least the longitude. */
export const zone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
export const guessedLongitude = (): number => Math.max(-180, Math.min(180, -new Date().getTimezoneOffset() / 4));
