/** Ticks of a time axis at places of the calendar where people look for them, as many as fit without touching. */
import { monthName, startOf } from "../state/instants";

export interface Tick {
  at: number;
  label: string;
  /** Begins something larger: a year among months, a day among hours. */
  isMajor: boolean;
}

const [MINUTE, HOUR, DAY] = [60_000, 3_600_000, 86_400_000];

type Unit = "year" | "month" | "day" | "hour" | "minute";
/** Distances that may stand between ticks, from fine to coarse, with their usual length. */
const DISTANCES: [unit: Unit, every: number, length: number][] = [
  ...[1, 5, 15, 30].map((every): [Unit, number, number] => ["minute", every, every * MINUTE]),
  ...[1, 3, 6, 12].map((every): [Unit, number, number] => ["hour", every, every * HOUR]),
  ...[1, 2, 5, 10].map((every): [Unit, number, number] => ["day", every, every * DAY]),
  ...[1, 3, 6].map((every): [Unit, number, number] => ["month", every, every * 30.44 * DAY]),
  ...[1, 2, 5].map((every): [Unit, number, number] => ["year", every, every * 365.25 * DAY]),
];
for (let power = 10; power <= 100_000; power *= 10)
  for (const every of [1, 2, 5]) DISTANCES.push(["year", every * power, every * power * 365.25 * DAY]);

/** Pixels that a label needs, with room to its neighbour. */
const widthOf = (label: string): number => label.length * 7.4 + 14;

/** Ticks between two instants on `width` pixels; none where there is no span. */
export function calendarTicks(from: number, to: number, width: number): Tick[] {
  const span = to - from;
  if (!(span > 0) || !Number.isFinite(span) || width < 20) return [];
  for (const [unit, every, length] of DISTANCES) {
    if (length < (span * 24) / width) continue;
    const ticks = between(from, to, unit, every);
    if (isRoomy(ticks, from, span, width))
      return ticks.filter(({ at, label }) => isInside(at, label, from, span, width));
  }
  return [];
}

/** A label that would be cut at an end is left out; the place is the data's end, not the calendar's. */
function isInside(at: number, label: string, from: number, span: number, width: number): boolean {
  const x = ((at - from) / span) * width;
  const half = (label.length * 7.4) / 2;
  return x >= half && x <= width - half;
}

function isRoomy(ticks: readonly Tick[], from: number, span: number, width: number): boolean {
  for (let index = 1; index < ticks.length; index++) {
    const [one, next] = [ticks[index - 1]!, ticks[index]!];
    const distance = ((next.at - one.at) / span) * width;
    if (distance < (widthOf(one.label) + widthOf(next.label)) / 2) return false;
  }
  return ticks.every(({ at }) => Number.isFinite((at - from) / span));
}

function between(from: number, to: number, unit: Unit, every: number): Tick[] {
  const ticks: Tick[] = [];
  for (const at of starts(from, to, unit, every)) if (at >= from && at <= to) ticks.push(tick(at, unit));
  return ticks;
}

function* starts(from: number, to: number, unit: Unit, every: number): Generator<number> {
  const first = new Date(from);
  const year = first.getUTCFullYear();
  if (unit === "year") {
    for (let one = Math.floor(year / every) * every; startOf(one, 1) <= to; one += every) yield startOf(one, 1);
  } else if (unit === "month") {
    for (let one = 1; startOf(year, one) <= to; one += every) yield startOf(year, one);
  } else if (unit === "day") {
    yield* days(from, to, year, first.getUTCMonth() + 1, every);
  } else {
    const length = every * (unit === "hour" ? HOUR : MINUTE);
    for (let one = Math.ceil(from / length) * length; one <= to; one += length) yield one;
  }
}

/** Days counted anew in each month: the first always, then 3, 5, 7 or 5, 10, 15; none right before the next first. */
function* days(from: number, to: number, year: number, month: number, every: number): Generator<number> {
  for (let one = month; startOf(year, one) <= to; one++) {
    const next = startOf(year, one + 1);
    yield startOf(year, one);
    for (let day = every > 2 ? every : 1 + every; ; day += every) {
      const at = startOf(year, one, day);
      if (at >= next || (every > 1 && next - at < (every * DAY) / 2)) break;
      if (at >= from) yield at;
    }
  }
}

const two = (value: number): string => String(value).padStart(2, "0");

function tick(at: number, unit: Unit): Tick {
  const date = new Date(at);
  const year = date.getUTCFullYear() < 0 ? `${1 - date.getUTCFullYear()} BC` : String(date.getUTCFullYear());
  const [month, day] = [date.getUTCMonth() + 1, date.getUTCDate()];
  const isYear = month === 1 && day === 1 && at % DAY === 0;
  if (unit === "year") return { at, label: year, isMajor: false };
  if (unit === "month") return { at, label: isYear ? year : monthName(month), isMajor: isYear };
  if (unit === "day") {
    const isMonth = day === 1;
    return { at, label: isYear ? year : isMonth ? monthName(month) : `${day} ${monthName(month)}`, isMajor: isMonth };
  }
  const isDay = at % DAY === 0;
  const clock = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`;
  return { at, label: isDay ? `${day} ${monthName(month)}` : clock, isMajor: isDay };
}
