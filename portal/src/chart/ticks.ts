/** Where axes are marked, and with which words; the same on the screen and in files. */
import { niceTicks, spokenNumber } from "../color/numbers";
import { monthName, startOf } from "../state/instants";

const MINUS = "\u2212";

export interface Tick {
  at: number;
  /** A second line stands under the first: the day of an hour, the year of a month. */
  words: string;
}

const [SECOND, MINUTE, HOUR, DAY] = [1000, 60_000, 3_600_000, 86_400_000];
const CLOCK = [1, 5, 15, 30]
  .map((n) => n * SECOND)
  .concat(
    [1, 5, 15, 30].map((n) => n * MINUTE),
    [1, 3, 6, 12].map((n) => n * HOUR),
    [1, 2, 5, 10].map((n) => n * DAY),
  );
const MONTHS = [1, 2, 3, 6];

/** Marks of a range of numbers. A range without width has one. */
export function numberTicks(low: number, high: number, count: number): Tick[] {
  if (!Number.isFinite(low) || !Number.isFinite(high) || count < 1) return [];
  const { values, step } = niceTicks(low, high, count);
  return values.map((at) => ({ at, words: spokenNumber(at, step) }));
}

/** A number for people: six digits that say something, no endless zeros. */
export function plain(value: number): string {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (!Number.isFinite(value)) return "\u2013";
  if (size >= 1e7 || size < 1e-4) return spokenNumber(value, 10 ** (Math.floor(Math.log10(size)) - 3));
  return String(Number(value.toPrecision(6))).replace("-", MINUS);
}

/** Marks of civil time between two instants in milliseconds. */
export function timeTicks(low: number, high: number, count: number): Tick[] {
  if (!Number.isFinite(low) || !Number.isFinite(high) || high < low) return [];
  if (high === low) return [{ at: low, words: dayWords(new Date(low)) }];
  const rough = (high - low) / Math.max(1, count);
  const clock = CLOCK.find((one) => one >= rough);
  if (clock) return clockTicks(low, high, clock);
  const months = MONTHS.find((one) => one * 30.4 * DAY >= rough);
  if (months) return monthTicks(low, high, months);
  return yearTicks(low, high, Math.max(1, Math.round(niceTicks(0, rough / (365.25 * DAY), 1).step)));
}

function clockTicks(low: number, high: number, step: number): Tick[] {
  const found: Tick[] = [];
  let before = "";
  // days in steps of five start anew each month
  const days = step / DAY;
  for (
    let at = Math.ceil(low / (days >= 1 ? DAY : step)) * (days >= 1 ? DAY : step);
    at <= high;
    at += days >= 1 ? DAY : step
  ) {
    const date = new Date(at);
    if (days > 1 && ((date.getUTCDate() - 1) % days !== 0 || date.getUTCDate() > 31 - days / 2)) continue;
    const under = days >= 1 ? `${monthName(date.getUTCMonth() + 1)} ${date.getUTCFullYear()}` : dayWords(date);
    const words = days >= 1 ? String(date.getUTCDate()) : clockWords(date, step);
    found.push({ at, words: under === before ? words : `${words}\n${under}` });
    before = under;
  }
  return found;
}

function monthTicks(low: number, high: number, step: number): Tick[] {
  const found: Tick[] = [];
  const first = new Date(low);
  let before = "";
  for (let month = 0; found.length < 200; month++) {
    const at = startOf(first.getUTCFullYear(), month + 1);
    const date = new Date(at);
    if (at > high) break;
    if (at < low || month % step !== 0) continue;
    const year = String(date.getUTCFullYear());
    const words = monthName(date.getUTCMonth() + 1);
    found.push({ at, words: year === before ? words : `${words}\n${year}` });
    before = year;
  }
  return found;
}

function yearTicks(low: number, high: number, step: number): Tick[] {
  const found: Tick[] = [];
  for (let year = Math.ceil(new Date(low).getUTCFullYear() / step) * step; found.length < 200; year += step) {
    const at = startOf(year, 1);
    if (!(at <= high)) break;
    if (at >= low) found.push({ at, words: String(year).replace("-", MINUS) });
  }
  return found;
}

const dayWords = (date: Date): string =>
  `${date.getUTCDate()} ${monthName(date.getUTCMonth() + 1)} ${date.getUTCFullYear()}`;

function clockWords(date: Date, step: number): string {
  const parts = [date.getUTCHours(), date.getUTCMinutes(), ...(step < MINUTE ? [date.getUTCSeconds()] : [])];
  return parts.map((one) => String(one).padStart(2, "0")).join(":");
}

/** The range of an axis that shows all of these values with a little air; a single value gets room of its own size. */
export function roomFor(values: Iterable<number | null | undefined>, air = 0.06): [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const one of values) {
    if (one === null || one === undefined || Number.isNaN(one)) continue;
    if (one < low) low = one;
    if (one > high) high = one;
  }
  if (low > high) return [0, 1];
  if (low === high) {
    const room = Math.abs(low) * 0.05 || 1;
    return [low - room, high + room];
  }
  const room = (high - low) * air;
  return [low - room, high + room];
}
