/** The legend of what a view shows: name, time, colours and their values, whom to thank. Plain elements, no framework. */
import { inUnit } from "../color/units";
import { niceTicks, spokenNumber } from "../color/numbers";
import { paintRamp, shareOf } from "../color/palettes";
import type { Drawn } from "../explore/scene";
import { spoken } from "../state/instants";
import { text } from "./words";

/** An element with a class, and what is in it; words go in as text, whatever they hold. */
export function made<K extends keyof HTMLElementTagNameMap>(
  name: K,
  kind: string,
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(name);
  if (kind) element.className = kind;
  element.append(...children);
  return element;
}

/** One entry for each layer that is shown, the topmost first. */
export function legends(drawn: readonly Drawn[]): HTMLElement[] {
  return drawn
    .filter((one) => one.layer.shown)
    .toReversed()
    .map(entry);
}

function entry(drawn: Drawn): HTMLElement {
  const parts: HTMLElement[] = [made("p", "name", nameOf(drawn))];
  const when = timeOf(drawn);
  if (when) parts.push(made("p", "time", when));
  if (!drawn.bands) parts.push(made("div", "ramp", ramp(drawn), ticks(drawn)));
  const { attribution } = drawn.tileset;
  if (attribution) parts.push(made("p", "credit", attribution));
  return made("section", "entry", ...parts);
}

function nameOf({ variable, tileset, unit, bands, minus }: Drawn): string {
  if (bands) return tileset.title;
  const name = `${variable.title || variable.name}${unit.label ? ` (${unit.label})` : ""}`;
  return minus ? text.minus(name, minus.tileset.title) : name;
}

function timeOf({ shown, isAway, steps }: Drawn): string {
  if (isAway) return text.away;
  return shown && steps ? spoken(shown.iso, steps.grain) : "";
}

function ramp({ colors, layer }: Drawn): HTMLElement {
  const canvas = made("canvas", "colors");
  [canvas.width, canvas.height] = [256, 1];
  canvas.setAttribute("aria-hidden", "true");
  paintRamp(canvas, colors, layer.classes);
  return canvas;
}

function ticks({ range, unit }: Drawn): HTMLElement {
  const ends: [number, number] = [inUnit(range[0], unit), inUnit(range[1], unit)];
  const { values, step } = niceTicks(Math.min(...ends), Math.max(...ends), 4);
  const marks = values.map((value) => {
    const mark = made("li", "", spokenNumber(value, step));
    mark.style.left = `${100 * shareOf(value, ends)}%`;
    return mark;
  });
  return made("ol", "ticks", ...marks);
}
