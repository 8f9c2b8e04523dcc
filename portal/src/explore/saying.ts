/** Values, times and places of a layer in words. */
import { spokenNumber } from "../color/numbers";
import { differenceInUnit, inUnit } from "../color/units";
import type { Axis, TileVariable } from "../api/tilesets";
import { unitLabel } from "../color/units";
import { monthName, spoken, spokenSpan } from "../state/instants";
import { text } from "../text/en";
import { chosenAxes, placeOn, type Drawn } from "./scene";

/** A value in the layer's unit, as finely as its tiles hold it, without the unit; of classes the name. */
export function valueText(drawn: Drawn, value: number, variable: TileVariable = drawn.variable): string {
  const named = variable.classes?.find((one) => one.value === Math.round(value));
  if (named && !drawn.minus) return named.name.replaceAll("_", " ");
  const { unit } = drawn;
  const shown = drawn.minus ? differenceInUnit(value, unit) : inUnit(value, unit);
  return spokenNumber(shown, precision(drawn, variable));
}

/** How finely values are told, in the layer's unit: no digit that half a step of the tiles could change. */
export function precision({ unit }: Drawn, variable: TileVariable): number {
  const step = Math.abs((variable.scale || 0.01) * unit.scale);
  return variable.exact ? step : 10 ** Math.ceil(Math.log10(step) - 1e-9);
}

/** With its unit. */
export function valueWithUnit(drawn: Drawn, value: number, variable: TileVariable = drawn.variable): string {
  const isNamed = !!variable.classes?.some((one) => one.value === Math.round(value)) && !drawn.minus;
  return [valueText(drawn, value, variable), isNamed ? "" : drawn.unit.label].filter(Boolean).join("\u00a0");
}

/** The time that a layer shows, as finely as its steps lie; empty without one. */
export function timeText({ shown, steps }: Drawn): string {
  if (!shown || !steps) return "";
  const grain = steps.grain;
  return shown.then ? spokenSpan(shown.iso, shown.then.iso, grain) : spoken(shown.iso, grain);
}

/** What an axis is called. */
export const axisName = (axis: Axis): string =>
  text.explore.axes[axis.kind === "other" ? axis.name : axis.kind] ?? tidy(axis.name);

const tidy = (name: string): string => {
  const spaced = name.replaceAll("_", " ").trim();
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
};

/** A place on an axis in words. */
export function placeText(axis: Axis, value: string): string {
  if (axis.kind === "reference_time") return spoken(value, "hour");
  if (axis.name === "month" && /^([1-9]|1[0-2])$/.test(value)) return monthName(Number(value));
  const unit = axis.kind === "step" && !axis.units ? "h" : unitLabel(axis.units);
  const number = Number(value);
  const plain = value.trim() !== "" && Number.isFinite(number) ? String(Number(number.toPrecision(7))) : value;
  return [plain, unit].filter(Boolean).join("\u00a0");
}

/** The chosen places of a layer on axes with several, as one line. */
export function placesText(drawn: Drawn): string {
  return chosenAxes(drawn.tileset, drawn.variable)
    .filter((axis) => axis.count > 1)
    .map((axis) => `${axisName(axis)} ${placeText(axis, placeOn(axis, drawn.layer.axes[axis.name]))}`)
    .join(" · ");
}

/** What a layer is called: its variable, or its bands. */
export function nameOf(drawn: Drawn): string {
  if (drawn.bands) return `${drawn.bands.map((one) => one.name).join(", ")}`;
  const own = drawn.variable.title || drawn.variable.name;
  return drawn.minus ? `${tidy(own)}, ${text.compare.minus}` : tidy(own);
}
