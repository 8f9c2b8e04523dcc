/** The two sides of a comparison in words. */
import type { Drawn } from "../explore/scene";
import { placesText, timeText } from "../explore/saying";
import { spoken } from "../state/instants";
import { text } from "../text/en";
import type { Shift } from "../state/view";

/** What a side is: its collection, and its time and places. */
export function sideText(drawn: Drawn): { title: string; detail: string } {
  const when = drawn.isAway ? text.explore.reading.away : timeText(drawn);
  return { title: drawn.tileset.title, detail: [placesText(drawn), when].filter(Boolean).join(" · ") };
}

/** A distance in time: "1 year before". */
export function shiftText({ count, unit }: Shift): string {
  return text.compare.shift(Math.abs(count), text.compare.units[unit](Math.abs(count)), count < 0);
}

export const timeName = (iso: string, { steps }: Drawn): string => spoken(iso, steps?.grain ?? "minute");
