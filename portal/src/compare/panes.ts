/** What stands against a layer, made comparable: in the same unit, the same colours, at the right time. Pure. */
import type { Tileset, TileVariable } from "../api/tilesets";
import { unitLabel, unitsFor } from "../color/units";
import type { Clock, Drawn } from "../explore/scene";
import { fieldsOf, isoOf, positionOf } from "../state/instants";
import type { Steps } from "../state/steps";
import type { Shift } from "../state/view";

/** `there = value * scale + offset`. */
export interface Conversion {
  scale: number;
  offset: number;
}

type Measured = Pick<TileVariable, "units" | "range" | "classes">;

/** From the unit of one variable to that of another; null where there is no way, or where it would mean nothing. */
export function conversion(from: Measured, to: Measured): Conversion | null {
  // classes are names: there is nothing between them
  if (from.classes || to.classes) return null;
  const [there] = unitsFor(to.units, to.range);
  const found = unitsFor(from.units, from.range).find((one) => one.label === there!.label);
  if (found) return { scale: found.scale, offset: found.offset };
  const [here] = unitsFor(from.units, from.range);
  const back = unitsFor(to.units, to.range).find((one) => one.label === here!.label);
  return back ? { scale: 1 / back.scale, offset: -back.offset / back.scale } : null;
}

const kept = new WeakMap<Tileset, Map<string, { tileset: Tileset; variable: TileVariable }>>();

/** A collection as if one of its variables were stored in another unit: its tiles stay the same. */
export function converted(
  tileset: Tileset,
  variable: TileVariable,
  { scale, offset }: Conversion,
  units: string,
): { tileset: Tileset; variable: TileVariable } {
  let made = kept.get(tileset);
  if (!made) kept.set(tileset, (made = new Map()));
  const key = `${variable.name}\n${scale}\n${offset}\n${units}`;
  let found = made.get(key);
  if (!found) {
    const turned = (value: number): number => value * scale + offset;
    const range = variable.range && (variable.range.map(turned).sort((a, b) => a - b) as [number, number]);
    const own = { ...variable, units, range, scale: variable.scale * scale, offset: turned(variable.offset) };
    const variables = tileset.variables.map((one) => (one.name === variable.name ? own : one));
    found = { tileset: { ...tileset, variables }, variable: own };
    made.set(key, found);
  }
  return found;
}

/** B in A's unit and A's colours, unless it has colours of its own; as it is where their units have nothing in common. */
export function alike(a: Drawn, b: Drawn): Drawn {
  const way = !a.bands && !b.bands && conversion(b.variable, a.variable);
  if (!way) return b;
  const isSame = way.scale === 1 && way.offset === 0 && a.variable.units === b.variable.units;
  const found = isSame ? b : { ...b, ...converted(b.tileset, b.variable, way, a.variable.units) };
  const turned = (value: number): number => value * way.scale + way.offset;
  const range = b.layer.range ? (b.layer.range.map(turned) as [number, number]) : a.range;
  const { classes, contour, smooth, opacity, mask } = a.layer;
  const colors = b.layer.palette ? {} : { palette: a.palette, colors: a.colors };
  return { ...found, ...colors, range, unit: a.unit, layer: { ...b.layer, classes, contour, smooth, opacity, mask } };
}

/** Whether one legend says it for both. */
export const hasColorsOf = (a: Drawn, b: Drawn): boolean =>
  !a.bands &&
  !b.bands &&
  a.colors === b.colors &&
  a.variable.units === b.variable.units &&
  a.range.join() === b.range.join();

/** Whether the difference of two layers means something; else why not. */
export function refusal(a: Drawn, b: Drawn): "bands" | "classes" | "units" | null {
  if (a.bands || b.bands) return "bands";
  if (a.variable.classes || b.variable.classes) return "classes";
  return conversion(b.variable, a.variable) ? null : "units";
}

export const unitText = (variable: TileVariable, none: string): string =>
  unitLabel(variable.units) || variable.units || none;

// --- times -----------------------------------------------------------------------------------------------------------

const two = (value: number): string => String(value).padStart(2, "0");
const LENGTHS = { hour: 3_600_000, day: 86_400_000 } as const;

/** An instant so much later; of months and years the same day, or the last of a shorter month. Null for what is none. */
export function later(iso: string, { count, unit }: Shift): string | null {
  if (unit === "hour" || unit === "day") return isoOf(positionOf(iso) + count * LENGTHS[unit]) || null;
  const fields = fieldsOf(iso);
  if (!fields || unit === "step") return null;
  const months = fields.year * 12 + fields.month - 1 + count * (unit === "year" ? 12 : 1);
  const [year, month] = [Math.floor(months / 12), (((months % 12) + 12) % 12) + 1];
  // days that our calendar lacks are another calendar's, which has them in every year
  const isOurs = fields.day <= daysIn(fields.year, fields.month);
  const day = isOurs ? Math.min(fields.day, daysIn(year, month)) : fields.day;
  const seconds = Math.round(fields.fraction * 86_400);
  const clock = `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  const years =
    year >= 0 && year <= 9999
      ? String(year).padStart(4, "0")
      : `${year < 0 ? "-" : "+"}${String(Math.abs(year)).padStart(6, "0")}`;
  return `${years}-${two(month)}-${two(day)}T${clock}Z`;
}

/** The calendar comes back after 400 years. */
const daysIn = (year: number, month: number): number => new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate();

/** The common time, moved for B: by its own steps, or by the calendar. */
export function shifted(clock: Clock, shift: Shift | null, steps: Steps | null): Clock {
  if (!shift || clock.iso === null || !steps?.count) return clock;
  if (shift.unit === "step") {
    const named = steps.named(clock.iso);
    const index = (named >= 0 ? named : steps.before(clock.position)) + shift.count;
    // beyond its ends there is nothing: said by a time that it does not have
    const beyond =
      index < 0 ? steps.at(0) - 10 * (steps.usual || 1) : steps.at(steps.count - 1) + 10 * (steps.usual || 1);
    if (index < 0 || index >= steps.count) return { ...clock, iso: isoOf(beyond), position: beyond };
    return { ...clock, iso: steps.iso(index), position: steps.at(index) };
  }
  const iso = later(clock.iso, shift);
  if (iso === null) return clock;
  const named = steps.named(iso);
  return { ...clock, iso, position: named >= 0 ? steps.at(named) : positionOf(iso) };
}
