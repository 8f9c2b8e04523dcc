/**
 * Instants as servers write them, on one line of numbers: milliseconds since 1970 in the Gregorian calendar without a gap.
 * Dates of other calendars (30 February) and of far years must keep their order, and each keeps the text that names it.
 */

/** What an ISO text says, field by field; nothing is checked against a calendar. */
export interface Fields {
  year: number;
  month: number;
  day: number;
  /** Of the day, from 0 to below 1. */
  fraction: number;
}

const DAY = 86_400_000;
const ISO =
  /^([-+]?\d{4,6})-(\d\d)(?:-(\d\d)(?:[T ](\d\d)(?::?(\d\d)(?::?(\d\d(?:\.\d+)?))?)?)?)?\s*(Z|[-+]\d\d(?::?\d\d)?)?$/i;

export function fieldsOf(iso: string): Fields | null {
  const found = ISO.exec(iso.trim());
  if (!found) return null;
  const [month, day] = [Number(found[2]), Number(found[3] ?? 1)];
  const seconds = Number(found[4] ?? 0) * 3600 + Number(found[5] ?? 0) * 60 + Number(found[6] ?? 0);
  if (month < 1 || month > 12 || day < 1 || day > 31 || seconds > 86_400) return null;
  const shift = /^([-+])(\d\d):?(\d\d)?$/.exec(found[7] ?? "");
  const west = shift ? (shift[1] === "-" ? 1 : -1) * (Number(shift[2]) * 3600 + Number(shift[3] ?? 0) * 60) : 0;
  return { year: Number(found[1]), month, day, fraction: (seconds + west) / 86_400 };
}

/** Start of a month; `month` may lie beyond 1 to 12. Years before 100 need more than Date.UTC gives. */
export function startOf(year: number, month: number, day = 1): number {
  return new Date(0).setUTCFullYear(year, month - 1, day);
}

const lengthOf = (year: number, month: number): number =>
  Math.round((startOf(year, month + 1) - startOf(year, month)) / DAY);

/** Whether the Gregorian calendar has no such day: 30 February, 29 February 2015. */
const isElsewhere = ({ year, month, day }: Fields): boolean => day > lengthOf(year, month);

function placed(fields: Fields, squeezed: boolean): number {
  const { year, month, day, fraction } = fields;
  const days = lengthOf(year, month);
  const passed = day - 1 + fraction;
  // a month with more days than ours is squeezed into ours, so that order and distances stay sensible
  return startOf(year, month) + passed * DAY * (squeezed && days < 30 ? days / 30 : 1);
}

/** Where an instant lies; NaN for what is none. */
export function positionOf(iso: string): number {
  const fields = fieldsOf(iso);
  return fields ? placed(fields, isElsewhere(fields)) : NaN;
}

/** Where the instants of one axis lie: they are of one calendar, so if one is of another one than ours all are. */
export function positionsOf(list: readonly string[]): number[] {
  const fields = list.map(fieldsOf);
  const squeezed = fields.some((one) => one !== null && isElsewhere(one));
  return fields.map((one) => (one ? placed(one, squeezed) : NaN));
}

const two = (value: number): string => String(value).padStart(2, "0");

/** The instant at a position as ISO text, to the second; years beyond four digits with a sign. */
export function isoOf(position: number): string {
  const date = new Date(Math.round(position / 1000) * 1000);
  if (Number.isNaN(date.getTime())) return "";
  const year = date.getUTCFullYear();
  const name =
    year >= 0 && year <= 9999
      ? String(year).padStart(4, "0")
      : `${year < 0 ? "-" : "+"}${String(Math.abs(year)).padStart(6, "0")}`;
  const clock = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`;
  return `${name}-${two(date.getUTCMonth() + 1)}-${two(date.getUTCDate())}T${clock}Z`;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** How finely instants are told apart, by the distance between neighbours in milliseconds. */
export type Grain = "minute" | "hour" | "day" | "month" | "year";
export const grainOf = (step: number): Grain =>
  step >= 360 * DAY
    ? "year"
    : step >= 27 * DAY
      ? "month"
      : step >= 0.9 * DAY
        ? "day"
        : step >= 3_500_000
          ? "hour"
          : "minute";

/** For people, always in UTC: "16 Jan 2015, 12:00 UTC". Says what the text says, in whatever calendar it is. */
export function spoken(iso: string, grain: Grain = "minute"): string {
  const fields = fieldsOf(iso);
  if (!fields) return iso;
  const year = fields.year < 0 ? `${1 - fields.year} BC` : String(fields.year);
  const month = `${MONTHS[fields.month - 1]} ${year}`;
  if (grain === "year") return year;
  if (grain === "month" || !/-\d\d-\d\d/.test(iso)) return month;
  const date = `${fields.day} ${month}`;
  if (grain === "day" || !/[T ]\d\d/.test(iso)) return date;
  const minutes = Math.floor(fields.fraction * 1440 + 1e-6);
  return `${date}, ${two(Math.floor(minutes / 60))}:${two(minutes % 60)} UTC`;
}

/** Two instants with what they share told once: "Aug → Sep 2015", "16 Jan 2015, 06:00 → 12:00 UTC". */
export function spokenSpan(from: string, to: string, grain: Grain): string {
  const [first, last] = [spoken(from, grain), spoken(to, grain)];
  const comma = first.indexOf(", ");
  if (comma > 0 && last.startsWith(first.slice(0, comma + 2))) {
    return `${first.replace(/ UTC$/, "")} → ${last.slice(comma + 2)}`;
  }
  const [year, other] = [/ \S+$/.exec(first)?.[0], / \S+$/.exec(last)?.[0]];
  return comma < 0 && year && year === other && !year.endsWith("BC")
    ? `${first.slice(0, -year.length)} → ${last}`
    : `${first} → ${last}`;
}

export const monthName = (month: number): string => MONTHS[month - 1] ?? String(month);
