/** Where and when a layer has data at all, in words. */
import { spoken } from "../state/instants";
import { text } from "../text/en";
import type { Subject } from "./requests";

const side = (value: number, plus: string, minus: string): string =>
  `${Math.abs(value).toFixed(1).replace(/\.0$/, "")}° ${value < 0 ? minus : plus}`;

export function coverOf({ drawn }: Subject): string {
  const [west, south, east, north] = drawn.tileset.bounds;
  const box = text.probe.coversBox(
    side(west, "E", "W"),
    side(south, "N", "S"),
    side(east, "E", "W"),
    side(north, "N", "S"),
  );
  const { steps } = drawn;
  const time = steps?.count
    ? text.probe.between(spoken(steps.iso(0), "day"), spoken(steps.iso(steps.count - 1), "day"))
    : "";
  return text.probe.covers(box, time);
}
