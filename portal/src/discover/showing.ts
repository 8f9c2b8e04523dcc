/** Numbers, times and places of cards in words. */
import { text } from "../text/en";
import type { Card } from "./discovery";
import type { Box } from "./query";

/** The size of cells: 10 m, 1.2 km, 278 km. */
export function resolutionText(metres: number | null): string {
  if (metres === null) return "";
  if (metres < 1000) return `${round(metres)} m`;
  return `${round(metres / 1000)} km`;
}

const round = (value: number): string => String(value >= 100 ? Math.round(value) : Number(value.toPrecision(2)));

/** A time as short as it can be: the year of its first or last moment, else the day. */
export const dayText = (iso: string | null): string => (iso ? iso.slice(0, 10) : "");

/** From when to when, in days; one day once. */
export function intervalText([begin, end]: Card["interval"]): string {
  if (!begin && !end) return text.discover.always;
  const [from, to] = [dayText(begin), dayText(end)];
  if (from === to) return from;
  if (!to) return text.discover.since(from);
  return from ? `${from} – ${to}` : text.discover.until(to);
}

/** Milliseconds of a time in any year; null of none. Calendars with 30 February are taken roughly. */
export function moment(iso: string | null): number | null {
  const found = /^(-?\d{4,})-(\d\d)-(\d\d)/.exec(iso ?? "");
  if (!found) return null;
  const at = new Date(0);
  at.setUTCFullYear(Number(found[1]), Number(found[2]) - 1, Number(found[3]));
  return at.getTime();
}

/** Where an interval stands in a span: from and to as shares, at least so wide that it is seen. */
export function within(
  interval: Card["interval"],
  span: [string | null, string | null],
  least = 0.012,
): [number, number] | null {
  const [low, high] = [moment(span[0]), moment(span[1])];
  if (low === null || high === null || high <= low) return null;
  const share = (iso: string | null, open: number): number => {
    const at = moment(iso);
    return at === null ? open : Math.min(1, Math.max(0, (at - low) / (high - low)));
  };
  const [from, to] = [share(interval[0], 0), share(interval[1], 1)];
  const wide = Math.max(least, to - from);
  const start = Math.min(from, 1 - wide);
  return [start, start + wide];
}

/** A box on a map of the whole Earth, in percent: left, top, width, height; two where it crosses the antimeridian. */
export function onEarth([west, south, east, north]: Box): [number, number, number, number][] {
  const one = (from: number, to: number): [number, number, number, number] => [
    ((from + 180) / 360) * 100,
    ((90 - north) / 180) * 100,
    ((to - from) / 360) * 100,
    ((north - south) / 180) * 100,
  ];
  return west <= east ? [one(west, east)] : [one(west, 180), one(-180, east)];
}

/** A box in words: 10°W–30°E, 35°N–60°N. */
export const boxText = ([west, south, east, north]: Box): string =>
  `${degrees(west, "E", "W")}–${degrees(east, "E", "W")}, ${degrees(south, "N", "S")}–${degrees(north, "N", "S")}`;

const degrees = (value: number, plus: string, minus: string): string =>
  `${Number(Math.abs(value).toFixed(1))}°${value === 0 || Math.abs(value) === 180 ? "" : value > 0 ? plus : minus}`;

/** Which part of a box is the Earth's whole width and height. */
export const isGlobal = (bbox: Card["bbox"]): boolean => !!bbox && bbox[2] - bbox[0] >= 359 && bbox[3] - bbox[1] >= 160;
